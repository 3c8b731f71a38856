// Which places are here: taking them over, handing them over in good order, and losing them at
// once. A tenure is what all of it hangs on; whatever is out for one that is over does nothing.
#include <algorithm>
#include <cstddef>

#include "daemon/engine/engine_impl.h"

namespace rollwatch {
namespace {

WorkResult gone_result(StoreError::Effect effect) {
  return {WorkEnd::kStoreAway, "the rollout has moved to another node", DeliveryState::kPending,
          effect};
}

}  // namespace

// Who waits for it, and has not been told yet.
void Engine::Impl::tell_gone(Work& work, StoreError::Effect effect) {
  if (work.done) std::exchange(work.done, {})(gone_result(effect));
}

// Between being taken over and being watched nothing moves, so that the outbox takes up what is
// open and not what has just ended. What the outbox itself tells of comes after that.
bool Engine::Impl::may_move(const Entry& entry) {
  if (entry.tenure->over) return false;
  return entry.tenure->phase != Tenure::Phase::kTaken ||
         std::ranges::any_of(entry.mailbox, [](const Work& work) { return work.by_outbox; });
}

// One that is taken over though it is here already is read anew.
Engine::Impl::TenurePtr Engine::Impl::begin_tenure(Lease lease, Tenure::Phase phase) {
  if (const TenurePtr before = tenure_of(lease.place)) forget(before);
  auto tenure = std::make_shared<Tenure>(std::move(lease), phase);
  tenures_.insert(tenure);
  return tenure;
}

Engine::Impl::TenurePtr Engine::Impl::tenure_of(const Place& place) const {
  const auto found = tenures_.find(place);
  return found == tenures_.end() ? nullptr : *found;
}

// ---- Taking over

awaitable<void> Engine::Impl::load() {
  std::vector<FreezeRecord> freezes = co_await store_.freezes();
  for (FreezeRecord& freeze : freezes) freezes_.set(std::move(freeze));
  // The clock may have been put back since: a later rollout's id sorts later all the same.
  ListFilter all;
  const Page<StoredRollout> newest = co_await store_.list(std::move(all), 1, std::nullopt);
  if (!newest.items.empty()) ids_.go_on_after(newest.items.front().spec.id);
  const std::shared_ptr<void> telling = co_await take_turn(kTelling);
  co_await recall();
}

// Whoever calls has the turn of telling.
awaitable<void> Engine::Impl::recall() {
  recall_due_ = false;
  if (!rules_.recall) co_return;
  std::vector<RolloutView> views = active();
  try {
    co_await rules_.recall(std::move(views));
  } catch (const StoreError&) {
    recall_due_ = true;
    throw;
  }
}

awaitable<void> Engine::Impl::take_over(std::optional<std::vector<Lease>> leases) {
  std::vector<TenurePtr> begun;
  if (leases) {
    for (const Lease& lease : *leases)
      begun.push_back(begin_tenure(lease, Tenure::Phase::kLoading));
  }
  std::vector<EntryPtr> entries;
  try {
    // Another node may have frozen what it gives away, and this one not have heard of it: what its
    // state says would pass for a freeze that was lifted.
    if (leases && !leases->empty()) co_await read_freezes();
    entries = co_await load_places(std::move(leases));
  } catch (const StoreError&) {
    for (const TenurePtr& tenure : begun)
      if (!tenure->over) forget(tenure);
    throw;
  }
  // A kill between the commit of a freeze and those of its rollouts must not let out an order that
  // was to be taken back. If the store refuses, rollbacks must go out all the same.
  std::vector<EntryPtr> due;
  for (const EntryPtr& entry : entries)
    if (freeze_due(*entry)) due.push_back(entry);
  FreezeChanged nobody;
  co_await tell_freeze(std::move(due), std::move(nobody));
  for (const EntryPtr& entry : entries) begun.push_back(entry->tenure);
  for (const TenurePtr& tenure : begun)
    if (tenure->phase == Tenure::Phase::kLoading) tenure->phase = Tenure::Phase::kTaken;
  // What somebody had put there by now.
  for (const EntryPtr& entry : entries) {
    while (entry->recording && !entry->tenure->over) {
      auto turn = std::make_shared<Promise<bool>>(executor_);
      entry->tenure->waiting.push_back(turn);
      co_await turn->get();
    }
  }
}

awaitable<std::vector<EntryPtr>> Engine::Impl::load_places(
    std::optional<std::vector<Lease>> leases) {
  std::optional<std::vector<Place>> places;
  if (leases) {
    places.emplace();
    for (const Lease& lease : *leases) places->push_back(lease.place);
  }
  std::vector<StoredRollout> stored = co_await store_.active(std::move(places));
  std::vector<EntryPtr> entries;
  for (StoredRollout& rollout : stored) {
    Place place = place_of(rollout.spec);
    TenurePtr tenure = tenure_of(place);
    if (!tenure && !leases) {
      const std::optional<Epoch> epoch = leases_.held(place);
      if (!epoch) continue;
      tenure = begin_tenure({std::move(place), *epoch}, Tenure::Phase::kLoading);
    }
    // Lost meanwhile, or here already.
    if (!tenure || tenure->phase != Tenure::Phase::kLoading) continue;
    ids_.go_on_after(rollout.spec.id);
    entries.push_back(add(std::move(rollout), tenure));
  }
  if (!entries.empty()) {
    const std::shared_ptr<void> telling = co_await take_turn(kTelling);
    co_await recall();
  }
  co_return entries;
}

void Engine::Impl::watch(const std::optional<std::vector<Place>>& places, Cause missed) {
  const SysTime now = clock_.wall();
  if (!std::exchange(started_, true)) {
    last_wall_ = now;
    last_steady_ = clock_.steady();
  }
  std::vector<TenurePtr> taken;
  const auto take = [&taken](const TenurePtr& tenure) {
    if (tenure && tenure->phase != Tenure::Phase::kWatched) taken.push_back(tenure);
  };
  if (places)
    for (const Place& place : *places) take(tenure_of(place));
  else
    for (const TenurePtr& tenure : tenures_) take(tenure);
  std::vector<EntryPtr> entries;
  for (const TenurePtr& tenure : taken) {
    tenure->phase = Tenure::Phase::kWatched;
    entries.insert(entries.end(), tenure->entries.begin(), tenure->entries.end());
  }
  std::sort(entries.begin(), entries.end(),
            [](const EntryPtr& a, const EntryPtr& b) { return a->spec.id < b->spec.id; });
  for (const EntryPtr& entry : entries) {
    // What has no record by now was asked in vain or not at all: it is missed, never asked again.
    if (is_watching(entry->state)) mark_missed(entry, now, missed);
    put(entry, Work{WatchResumed{missed}});
    after_step(entry);
  }
  for (const TenurePtr& tenure : taken) {
    tenure->changed();
    drop_if_empty(tenure);
  }
  watch_freezes();
}

// ---- Calls about a place

// Resumes when the place is here and watched, with its epoch.
awaitable<Epoch> Engine::Impl::come_to(Place place) {
  for (;;) {
    const TenurePtr tenure = tenure_of(place);
    if (tenure) {
      if (tenure->is_settled()) co_return tenure->epoch;
      const bool leaving = tenure->leaving;
      auto turn = std::make_shared<Promise<bool>>(executor_);
      tenure->waiting.push_back(turn);
      co_await turn->get();
      if (leaving && tenure->over) throw NotHere(std::move(place));
      continue;
    }
    const std::optional<Epoch> epoch = co_await leases_.claim(place);
    if (!epoch) throw NotHere(std::move(place));
    if (!tenure_of(place)) co_return *epoch;
  }
}

// The active rollout that a call wants to change; null if there is none, or it has ended.
awaitable<EntryPtr> Engine::Impl::reach(std::string id) {
  for (bool came = false;; came = true) {
    Place place;
    if (EntryPtr entry = look_up(id)) {
      if (entry->tenure->is_settled()) co_return entry;
      place = entry->place();
    } else {
      const auto stored = co_await store_.rollout(id);
      if (!stored || is_over(stored->state)) co_return nullptr;
      place = place_of(stored->spec);
    }
    if (came) throw StoreError("rollout " + id + " is on its way from one node to another");
    co_await come_to(std::move(place));
  }
}

// What became of an order may be recorded beside its rollout only if that has ended. An active one
// that is not here is another node's, and so is the order.
awaitable<void> Engine::Impl::check_over(std::string rollout) const {
  const auto stored = co_await store_.rollout(rollout);
  if (stored && !is_over(stored->state) && !look_up(rollout))
    throw StaleLease("rollout " + rollout + " has moved to another node");
}

// A registration is being recorded there for as long as what is returned lasts.
std::shared_ptr<void> Engine::Impl::enter(const TenurePtr& tenure) {
  ++tenure->registering;
  return {nullptr, [self = shared_from_this(), tenure](std::nullptr_t) {
            --tenure->registering;
            self->see_idle(tenure);
            self->drop_if_empty(tenure);
          }};
}

// ---- Giving up

awaitable<void> Engine::Impl::give_up(std::vector<Place> places) {
  std::vector<TenurePtr> leaving;
  for (Place& place : places) {
    TenurePtr tenure = tenure_of(place);
    // Also where nothing is: who wants to register there is to wait for the next owner.
    if (!tenure) {
      const Epoch epoch = leases_.held(place).value_or(0);
      tenure = begin_tenure({std::move(place), epoch}, Tenure::Phase::kWatched);
    }
    tenure->leaving = true;
    leaving.push_back(std::move(tenure));
  }
  start_flush();
  for (const TenurePtr& tenure : leaving) {
    while (!tenure->over && !is_idle(*tenure)) {
      auto turn = std::make_shared<Promise<bool>>(executor_);
      tenure->waiting.push_back(turn);
      co_await turn->get();
    }
  }
  for (const TenurePtr& tenure : leaving)
    if (!tenure->over) forget(tenure);
}

// Nothing of it is being recorded, and nothing that could be waits for its turn.
bool Engine::Impl::is_idle(const Tenure& tenure) const {
  if (tenure.registering > 0) return false;
  const bool moves = tenure.phase != Tenure::Phase::kTaken;
  const auto& entries = tenure.entries;
  return std::ranges::none_of(entries, [moves](const EntryPtr& entry) {
    return entry->recording || (moves && !entry->mailbox.empty() && !entry->store_was_away);
  });
}

void Engine::Impl::see_idle(const TenurePtr& tenure) {
  if (!tenure->is_settled() && !tenure->over) tenure->changed();
}

void Engine::Impl::drop_if_empty(const TenurePtr& tenure) {
  if (!tenure->is_settled() || tenure->registering > 0 || !tenure->entries.empty()) return;
  const auto found = tenures_.find(tenure->place);
  if (found != tenures_.end() && *found == tenure) tenures_.erase(found);
}

void Engine::Impl::lose(const std::vector<Place>& places) {
  for (const Place& place : places)
    if (const TenurePtr tenure = tenure_of(place)) forget(tenure);
}

void Engine::Impl::forget(const TenurePtr& tenure) {
  tenure->over = true;
  if (const auto found = tenures_.find(tenure->place); found != tenures_.end())
    tenures_.erase(found);
  const std::vector<EntryPtr> entries = std::exchange(tenure->entries, {});
  for (const EntryPtr& entry : entries) {
    active_.erase(entry);
    unpin(*entry->document);
    due_.remove(entry);
    for (Work& work : entry->mailbox) tell_gone(work);
    entry->mailbox.clear();
  }
  drop_gone(batch_);
  // Whether the store takes these is not known yet; who waits is not kept waiting for that.
  if (with_store_ != nullptr)
    for (Recording& recording : *with_store_)
      if (recording.entry->tenure == tenure)
        for (Work& work : recording.works) tell_gone(work, StoreError::Effect::kUnknown);
  if (!entries.empty()) recall_due_ = true;
  for (const EntryPtr& entry : entries) wake_waiters(entry->spec.id, Woken::kLookAgain);
  tenure->changed();
}

void Engine::Impl::drop_gone(Batch& batch, StoreError::Effect effect) const {
  for (Recording& recording : batch)
    if (recording.entry->tenure->over)
      for (Work& work : recording.works) tell_gone(work, effect);
  std::erase_if(batch, [](const Recording& r) { return r.entry->tenure->over; });
}

// The store has refused a write under this lease.
void Engine::Impl::refused(const Lease& lease) {
  const TenurePtr tenure = tenure_of(lease.place);
  if (tenure && tenure->epoch == lease.epoch) forget(tenure);
  if (leases_.held(lease.place) == lease.epoch) leases_.refused(lease.place);
}

// A commit of its own.
awaitable<std::vector<Recorded>> Engine::Impl::record_under(Lease lease, Commit commit) {
  commit.epoch = lease.epoch;
  std::vector<Commit> commits;
  commits.push_back(std::move(commit));
  try {
    co_return co_await store_.record(std::move(commits));
  } catch (const StaleLease&) {
    refused(lease);
    throw;
  }
}

}  // namespace rollwatch
