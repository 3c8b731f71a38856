// Batches of steps on their way to the store: told to people, written together, and apart if
// together is refused.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "daemon/engine/engine_impl.h"

namespace rollwatch {
namespace {

// So many commits refused one after the other, each alone: the store is away, not one commit at
// fault.
constexpr std::size_t kRefusedWhenAway = 3;

constexpr std::size_t kMostTogether = 1'000;

}  // namespace

// What waits, or as much of it as makes a transaction that others can wait for.
Engine::Impl::Batch Engine::Impl::take_batch() {
  if (batch_.size() <= kMostTogether) return std::exchange(batch_, {});
  std::size_t count = kMostTogether;
  while (batch_[count - 1].with_next) ++count;
  const auto end = batch_.begin() + static_cast<std::ptrdiff_t>(count);
  Batch first(std::make_move_iterator(batch_.begin()), std::make_move_iterator(end));
  batch_.erase(batch_.begin(), end);
  return first;
}

awaitable<void> Engine::Impl::flush() {
  // What arrives while a batch is with the store becomes the next one, or waits for others again.
  hurry_ = true;
  while (hurry_ && !batch_.empty()) {
    hurry_ = false;
    Batch batch = take_batch();
    hurry_ = hurry_ || !batch_.empty();
    const RecordEnd together = co_await record(batch);
    const bool was_uncertain = is_uncertain_;
    if (together == RecordEnd::kOnDisk) continue;
    // A commit that the store cannot take must not hold up everybody else's: each is tried alone,
    // until it is plain that none is taken.
    std::size_t refused_in_a_row = 0;
    for (std::size_t first = 0; first < batch.size();) {
      std::size_t last = first;
      while (batch[last].with_next) ++last;
      Batch alone(std::make_move_iterator(batch.begin() + static_cast<long>(first)),
                  std::make_move_iterator(batch.begin() + static_cast<long>(last) + 1));
      const bool was_alone = alone.size() == batch.size();
      first = last + 1;
      RecordEnd end = was_alone ? together : RecordEnd::kRefused;
      if (!was_alone && refused_in_a_row < kRefusedWhenAway) end = co_await record(alone);
      if (end == RecordEnd::kStale) {  // says nothing about the others
        const Tenure& tenure = *alone.front().entry->tenure;
        refused({tenure.place, tenure.epoch});
        drop_gone(alone, was_uncertain || is_uncertain_ ? StoreError::Effect::kUnknown
                                                        : StoreError::Effect::kNone);
        continue;
      }
      if (end == RecordEnd::kOnDisk) {
        refused_in_a_row = 0;
        continue;
      }
      ++refused_in_a_row;
      for (Recording& recording : alone) not_recorded(recording, *store_trouble_);
    }
  }
  flushing_ = false;
  if (!batch_.empty()) flush_later();
  for (const auto& waiter : idle_waiters_) waiter->set(true);
  idle_waiters_.clear();
}

// Adds to each commit what people are told of it, in place of what an attempt before this one did.
// Returns what is to be called when the batch is on disk.
std::function<void()> Engine::Impl::tell(Batch& batch) const {
  if (!rules_.tell) return {};
  std::vector<TakenStep> steps;
  steps.reserve(batch.size());
  for (const Recording& r : batch)
    steps.push_back({r.entry->spec, *r.entry->plan, r.entry->state, r.after(), r.commit.events,
                     r.step.evaluations});
  Told told = rules_.tell(steps, freezes_);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Commit& commit = batch[i].commit;
    std::erase_if(commit.deliveries,
                  [](const Delivery& d) { return d.cls == DeliveryClass::kNotification; });
    for (Delivery& notification : told.steps[i].notifications)
      commit.deliveries.push_back(std::move(notification));
    commit.memos = std::move(told.steps[i].memos);
  }
  return std::move(told.on_disk);
}

// What is gone by now is left out. On disk means acted on; else nothing of it is, and
// store_trouble_ says why.
awaitable<Engine::Impl::RecordEnd> Engine::Impl::record(Batch& batch) {
  const std::shared_ptr<void> telling = co_await take_turn(kTelling);
  with_store_ = &batch;
  RecordEnd end = RecordEnd::kRefused;
  for (int tellings = 1;; ++tellings) {
    try {
      end = co_await record_once(batch);
      break;
    } catch (const OutOfDate& error) {
      recall_due_ = true;
      store_trouble_ = error.what();
      if (tellings == kMostTellings) break;
    }
  }
  with_store_ = nullptr;
  co_return end;
}

// The batch's commits for the store, with their states. A commit is large, and the store does not
// change it: it is not copied, but moved there and back.
std::shared_ptr<std::vector<Commit>> Engine::Impl::lend(Batch& batch) {
  auto commits = std::make_shared<std::vector<Commit>>();
  commits->reserve(batch.size());
  for (Recording& r : batch) {
    commits->push_back(std::move(r.commit));
    if (r.moves) commits->back().state = std::move(r.step.state);
  }
  return commits;
}

void Engine::Impl::take_back(std::shared_ptr<std::vector<Commit>> commits, Batch& batch) {
  if (!commits) return;
  // A store that was lost may look at them still.
  if (commits.use_count() > 1) commits = std::make_shared<std::vector<Commit>>(*commits);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].commit = std::move((*commits)[i]);
    if (batch[i].moves) batch[i].step.state = *std::move(batch[i].commit.state);
    batch[i].commit.state.reset();
  }
}

// One transaction. Throws OutOfDate.
awaitable<Engine::Impl::RecordEnd> Engine::Impl::record_once(Batch& batch) {
  RecordEnd end = RecordEnd::kRefused;
  is_uncertain_ = false;
  std::function<void()> told;
  std::shared_ptr<std::vector<Commit>> lent;
  std::vector<Recorded> at_commit;
  const SteadyTime begun = clock_.steady();
  try {
    if (recall_due_) co_await recall();
    drop_gone(batch);
    if (batch.empty()) co_return RecordEnd::kOnDisk;
    told = tell(batch);
    lent = lend(batch);
    at_commit = co_await store_.record(lent);
    store_trouble_.reset();
    end = RecordEnd::kOnDisk;
  } catch (const OutOfDate&) {
    take_back(std::move(lent), batch);
    throw;
  } catch (const StaleLease& error) {
    end = RecordEnd::kStale;
    is_uncertain_ = error.is_uncertain();
  } catch (const StoreError& error) {
    store_trouble_ = error.what();
  }
  take_back(std::move(lent), batch);
  if (hooks_.committed) hooks_.committed(clock_.steady() - begun);
  if (end != RecordEnd::kOnDisk) co_return end;
  if (told) told();
  for (std::size_t i = 0; i < batch.size(); ++i) recorded(batch[i], at_commit[i]);
  co_return end;
}

}  // namespace rollwatch
