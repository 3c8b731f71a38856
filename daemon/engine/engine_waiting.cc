// Callers that wait for a rollout to move, here or on another node.
#include "daemon/engine/engine_impl.h"

namespace rollwatch {

void Engine::Impl::wake_waiters(const std::string& id, Woken by) {
  const auto found = change_waiters_.find(id);
  if (found == change_waiters_.end()) return;
  const auto waiters = std::move(found->second);
  change_waiters_.erase(found);
  for (const auto& waiter : waiters) waiter->set(by);
}

void Engine::Impl::changed_elsewhere(const std::string& id) {
  if (!look_up(id)) wake_waiters(id, Woken::kLookAgain);
}

void Engine::Impl::stop_waiting(const std::string& id,
                                const std::shared_ptr<Promise<Woken>>& waiter) {
  const auto found = change_waiters_.find(id);
  if (found == change_waiters_.end()) return;
  std::erase(found->second, waiter);
  if (found->second.empty()) change_waiters_.erase(found);
}

// Whether it is another node's and as the caller knows it.
awaitable<bool> Engine::Impl::is_unchanged_elsewhere(std::string id, unsigned revision) const {
  const auto stored = co_await store_.rollout(std::move(id));
  co_return stored && !is_over(stored->state) && stored->state.revision == revision;
}

awaitable<void> Engine::Impl::wait_for_change(std::string id, unsigned revision, Millis limit) {
  // The one that is waited for now.
  const auto current = std::make_shared<std::shared_ptr<Promise<Woken>>>();
  for (bool sleeping = false;; sleeping = true) {
    const EntryPtr entry = look_up(id);
    if (stopping_ || (entry && entry->state.revision != revision)) co_return;
    // Before the store is asked, so that what changes meanwhile is not overlooked.
    const auto waiter = std::make_shared<Promise<Woken>>(executor_);
    *current = waiter;
    change_waiters_[id].push_back(waiter);
    if (!entry) {
      bool waits = false;
      try {
        waits = co_await is_unchanged_elsewhere(id, revision);
      } catch (const StoreError&) {
        stop_waiting(id, waiter);
        throw;
      }
      if (!waits) {
        stop_waiting(id, waiter);
        co_return;
      }
    }
    if (!sleeping)
      spawn(executor_, "verdict wait", [current, &clock = clock_, limit]() -> awaitable<void> {
        co_await clock.sleep(limit);
        (*current)->set(Woken::kTimeUp);
      });
    const Woken by = co_await waiter->get();
    if (by == Woken::kChanged) co_return;
    stop_waiting(id, waiter);
    if (by == Woken::kTimeUp) co_return;
  }
}

}  // namespace rollwatch
