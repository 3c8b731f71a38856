// Mailboxes and recording: one step of a rollout at a time, and nothing acted on that is not on
// disk.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "analysis/slots.h"
#include "daemon/engine/engine_impl.h"

namespace rollwatch {
namespace {

constexpr Millis kStoreRetry{1'000};
// So many commits refused one after the other, each alone: the store is away, not one commit at
// fault.
constexpr std::size_t kRefusedWhenAway = 3;

// Whether anything may still become of the order: it is out, or it was taken back or expired and
// its late effect counts. An attempt that failed is none.
bool is_awaited(const RolloutState& s, const OrderEnded& ended, const Work& work) {
  const auto is = [&ended](const std::optional<OpenOrder>& order) {
    return order && order->number == ended.number;
  };
  return is(s.order) || (is(s.lapsed) && ended.end == OrderEnd::kDone && !work.only_delivery);
}

// What is not made anew by itself when the store is back. Everything that is would pile up while it
// is away: slots and timers stay due, and neighbours are looked at after every step.
bool must_be_kept(const Work& work) {
  if (work.done) return false;  // its caller was told
  if (const auto* missed = std::get_if<SlotsMissed>(&work.input))
    return missed->cause == Cause::kMissedDowntime || missed->cause == Cause::kMissedClockJump;
  return std::holds_alternative<WatchResumed>(work.input);
}

}  // namespace

// ---- The mailbox: one step at a time

void Engine::Impl::put(const EntryPtr& entry, Work work) {
  entry->mailbox.push_back(std::move(work));
  // Not at once: what arrives in the same turn of the loop becomes one commit.
  net::post(executor_, [self = shared_from_this(), entry] { self->pump(entry); });
}

void Engine::Impl::pump(const EntryPtr& entry) {
  if (entry->recording || entry->store_was_away || entry->mailbox.empty()) return;
  if (std::holds_alternative<Begin>(entry->mailbox.front().input) &&
      !entry->mailbox.front().only_delivery) {
    if (begin(entry)) entry->mailbox.pop_front();
    return;
  }
  Recording recording;
  recording.entry = entry;
  recording.step.state = entry->state;
  const SysTime now = clock_.wall();
  if (auto freeze = freeze_due(*entry)) apply_work(recording, Work{std::move(*freeze)}, now);
  if (const auto older = older_due(entry)) apply_work(recording, Work{*older}, now);
  while (!entry->mailbox.empty()) {
    if (std::holds_alternative<Begin>(entry->mailbox.front().input) &&
        !entry->mailbox.front().only_delivery)
      break;
    Work work = std::move(entry->mailbox.front());
    entry->mailbox.pop_front();
    apply_work(recording, std::move(work), now);
  }
  hand_over(std::move(recording));
}

// What follows from the work's input, on top of the step so far.
WorkResult Engine::Impl::add_step(Recording& recording, const Work& work, SysTime now) {
  WorkResult result;
  const RolloutState before = recording.step.state;
  Transition step = advance(recording.entry->fixed(), before, work.input, now);
  if (step.refusal) {
    result.end = WorkEnd::kRefused;
    result.why = *step.refusal;
  } else if (step.changed()) {
    result.end = WorkEnd::kRecorded;
    Commit more = commit_of(*recording.entry, before, step, work.asked, {rules_, source_, now});
    const auto append = [](auto& to, auto& from) {
      to.insert(to.end(), std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.end()));
    };
    recording.commit.state = more.state;
    append(recording.commit.evaluations, more.evaluations);
    append(recording.commit.events, more.events);
    append(recording.commit.deliveries, more.deliveries);
    append(recording.commit.delivery_updates, more.delivery_updates);
    append(recording.commit.explains, more.explains);
    append(recording.step.evaluations, step.evaluations);
    append(recording.step.decisions, step.decisions);
    recording.step.state = std::move(step.state);
  }
  return result;
}

// Adds one piece of work to the step, on top of those before it.
void Engine::Impl::apply_work(Recording& recording, Work work, SysTime now) {
  WorkResult result;
  const auto* ended_order = std::get_if<OrderEnded>(&work.input);
  if (ended_order != nullptr && work.delivery &&
      !is_awaited(recording.step.state, *ended_order, work)) {
    // Ended or withdrawn since this was put here: what its delivery is by now must not be
    // overwritten.
    result.end = WorkEnd::kStale;
    result.why = "the order is no longer the rollout's latest: nothing changes";
    recording.works.push_back(std::move(work));
    recording.results.push_back(std::move(result));
    return;
  }
  if (is_over(recording.step.state) && !work.delivery) {
    result.end = WorkEnd::kEnded;
    recording.works.push_back(std::move(work));
    recording.results.push_back(std::move(result));
    return;
  }
  if (!work.only_delivery) result = add_step(recording, work, now);
  if (work.delivery && result.end != WorkEnd::kRefused) {
    result.end = WorkEnd::kRecorded;
    result.delivery = work.delivery->state;
    recording.commit.delivery_updates.push_back(*work.delivery);
  }
  recording.works.push_back(std::move(work));
  recording.results.push_back(std::move(result));
}

// ---- Recording

// What is out when a rollout goes back or ends is not waited for, and has an end all the same; so
// has what was due by then and not asked yet.
void Engine::Impl::close_slots(Recording& recording, SysTime now) {
  const Entry& entry = *recording.entry;
  if (!recording.commit.state || is_watching(*recording.commit.state)) return;
  for (std::size_t i = 0; i < entry.out.size(); ++i) {
    const ConditionPlan& plan = entry.plan->conditions[i];
    const Grid grid = grid_of(plan, entry.state.conditions[i]);
    const Millis delay = source_.ingestion_delay(plan.datasource);
    auto first = next_slot(plan, entry.state.conditions[i], delay);
    std::int64_t last = grid.last_at_or_before(now);
    if (const auto& out = entry.out[i]) {
      first = first ? std::min(*first, out->slot) : out->slot;
      last = std::max(last, out->slot);
    }
    if (!first || *first > last) continue;
    add_step(recording,
             Work{SlotsMissed{i, *first, last, grid.at(last) - delay, Cause::kMissedEnded}}, now);
  }
}

void Engine::Impl::hand_over(Recording recording) {
  close_slots(recording, clock_.wall());
  const bool nothing = !recording.commit.state && recording.commit.delivery_updates.empty();
  if (nothing) {
    for (std::size_t i = 0; i < recording.works.size(); ++i)
      if (recording.works[i].done) recording.works[i].done(recording.results[i]);
    after_step(recording.entry);
    return;
  }
  recording.commit.rollout = recording.entry->spec.id;
  recording.entry->recording = true;
  batch_.push_back(std::move(recording));
  if (flushing_) return;
  flushing_ = true;
  // Not at once: what is handed over in the same turn of the loop goes together, and what belongs
  // together must.
  net::post(executor_, [self = shared_from_this()] {
    spawn(self->executor_, "engine commit", [self] { return self->flush(); });
  });
}

awaitable<void> Engine::Impl::flush() {
  // What arrives while a batch is with the store becomes the next one.
  while (!batch_.empty()) {
    std::vector<Recording> batch = std::exchange(batch_, {});
    if (co_await record(batch)) continue;
    // A commit that the store cannot take must not hold up everybody else's: each is tried alone,
    // until it is plain that none is taken.
    std::size_t refused_in_a_row = 0;
    for (std::size_t first = 0; first < batch.size();) {
      std::size_t last = first;
      while (batch[last].with_next) ++last;
      std::vector<Recording> alone(
          std::make_move_iterator(batch.begin() + static_cast<long>(first)),
          std::make_move_iterator(batch.begin() + static_cast<long>(last) + 1));
      const bool was_alone = alone.size() == batch.size();
      first = last + 1;
      if (!was_alone && refused_in_a_row < kRefusedWhenAway && co_await record(alone)) {
        refused_in_a_row = 0;
        continue;
      }
      ++refused_in_a_row;
      for (Recording& recording : alone) not_recorded(recording, *store_trouble_);
    }
  }
  flushing_ = false;
  for (const auto& waiter : idle_waiters_) waiter->set(true);
  idle_waiters_.clear();
}

// Adds to each commit what people are told of it, in place of what an attempt before this one did.
// Returns what is to be called when the batch is on disk.
std::function<void()> Engine::Impl::tell(std::vector<Recording>& batch) const {
  if (!rules_.tell) return {};
  std::vector<TakenStep> steps;
  steps.reserve(batch.size());
  for (const Recording& r : batch)
    steps.push_back({r.entry->spec, *r.entry->plan, r.entry->state, r.step.state, r.commit.events,
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

// One transaction. True: it is on disk, and acted on; else nothing of it is, and store_trouble_
// says why.
awaitable<bool> Engine::Impl::record(std::vector<Recording>& batch) {
  const std::shared_ptr<void> telling = co_await take_turn(kTelling);
  const std::function<void()> told = tell(batch);
  std::vector<Commit> commits;
  commits.reserve(batch.size());
  for (const Recording& r : batch) commits.push_back(r.commit);
  std::vector<Recorded> at_commit;
  const SteadyTime begun = clock_.steady();
  bool on_disk = false;
  try {
    at_commit = co_await store_.record(std::move(commits), 0);
    store_trouble_.reset();
    on_disk = true;
  } catch (const StoreError& error) {
    store_trouble_ = error.what();
  }
  if (hooks_.committed) hooks_.committed(clock_.steady() - begun);
  if (on_disk && told) told();
  if (on_disk)
    for (std::size_t i = 0; i < batch.size(); ++i) recorded(batch[i], at_commit[i]);
  co_return on_disk;
}

// The step is on disk: only now is it what the rollout is, and only now is it acted on.
void Engine::Impl::recorded(Recording& r, const Recorded& at_commit) {
  const EntryPtr& entry = r.entry;
  const bool moved = r.commit.state.has_value();
  entry->recording = entry->beginning = false;
  if (moved) entry->state = std::move(r.step.state);

  std::vector<std::string> withdrawn;
  std::vector<std::string> closed;
  for (const DeliveryUpdate& update : r.commit.delivery_updates) {
    if (update.state == DeliveryState::kWithdrawn && !update.attempt)
      withdrawn.push_back(update.id);
    if (!is_open(update.state)) closed.push_back(update.id);
  }
  for (std::size_t i = 0; i < r.commit.deliveries.size(); ++i) {
    Delivery& delivery = r.commit.deliveries[i];
    delivery.fence = at_commit.fences[i];
    if (delivery.cls == DeliveryClass::kOrder)
      entry->fence = std::max(entry->fence, delivery.fence);
    const bool closed_already =
        std::find(closed.begin(), closed.end(), delivery.id) != closed.end();
    if (!closed_already && hooks_.deliver) hooks_.deliver(delivery, entry->spec);
  }
  if (hooks_.withdraw)
    for (const std::string& id : withdrawn) hooks_.withdraw(id);
  if (hooks_.settled) {
    for (const DeliveryUpdate& update : r.commit.delivery_updates) {
      const bool known = std::any_of(r.works.begin(), r.works.end(), [&update](const Work& work) {
        return work.by_outbox && work.delivery && work.delivery->id == update.id &&
               work.delivery->state == update.state;
      });
      if (!known && !is_open(update.state) && update.state != DeliveryState::kWithdrawn)
        hooks_.settled(update.id, update.state);
    }
  }
  if (hooks_.event)
    for (std::size_t i = 0; i < r.commit.events.size(); ++i)
      hooks_.event({at_commit.event_seqs[i], entry->spec.id, r.commit.events[i]}, entry->spec);
  if (hooks_.evaluated)
    for (const Evaluation& e : r.step.evaluations)
      hooks_.evaluated(entry->plan->conditions[e.condition].datasource, e.judgement.outcome,
                       static_cast<std::uint32_t>(e.last_slot - e.slot + 1), e.judgement.cause);
  if (hooks_.decided)
    for (const Decision& decision : r.step.decisions) hooks_.decided(decision);
  if (moved && hooks_.changed) hooks_.changed(entry->view(source_));

  for (std::size_t i = 0; i < r.works.size(); ++i) {
    if (r.works[i].again && r.results[i].end == WorkEnd::kRecorded && hooks_.deliver)
      hooks_.deliver(*r.works[i].again, entry->spec);
    if (r.works[i].done) r.works[i].done(r.results[i]);
  }
  if (moved) wake_waiters(entry->spec.id);
  after_step(entry);
}

// Nothing of the step is on disk, so none of it happened. Callers are told; slots become
// missed(store) when the store is back; the rest of the mailbox waits.
void Engine::Impl::not_recorded(Recording& r, const std::string& why) {
  const EntryPtr& entry = r.entry;
  entry->recording = entry->beginning = false;
  if (hooks_.not_recorded) hooks_.not_recorded(entry->spec, why);
  std::deque<Work> again;
  for (Work& work : r.works) {
    if (work.done) work.done({WorkEnd::kStoreAway, why, DeliveryState::kPending});
    if (must_be_kept(work)) again.push_back(std::move(work));
  }
  entry->mailbox.insert(entry->mailbox.begin(), std::make_move_iterator(again.begin()),
                        std::make_move_iterator(again.end()));
  entry->store_was_away = true;
  spawn(executor_, "engine store retry",
        [weak = weak_from_this(), &clock = clock_, entry]() -> awaitable<void> {
          co_await clock.sleep(kStoreRetry);
          const auto self = weak.lock();
          if (!self || self->stopping_) co_return;
          entry->store_was_away = false;
          if (is_watching(entry->state))
            self->mark_missed(entry, clock.wall(), Cause::kMissedStore);
          self->after_step(entry);
        });
}

void Engine::Impl::after_step(const EntryPtr& entry) {
  // Before more work of this one: it might always have some by the time that a step is on disk.
  for (const auto& weak : std::exchange(entry->waiting_for_idle, {}))
    if (const EntryPtr other = weak.lock())
      net::post(executor_, [self = shared_from_this(), other] { self->pump(other); });
  if (is_final(entry->state.state) && !is_rolling_back(entry->state))
    free_place(entry);
  else
    entry->place_is_free = false;  // again, for one whose rollback is sent again
  if (is_over(entry->state)) {
    ended(entry);
  } else {
    keep_freeze(entry);
    if (entry->state.state == State::kWaiting && entry->mailbox.empty() && wants_to_begin(entry))
      put(entry, Work{Begin{}});
    if (!entry->mailbox.empty()) {
      net::post(executor_, [self = shared_from_this(), entry] { self->pump(entry); });
    }
    schedule(entry);
    tell_neighbours(entry);
  }
}

void Engine::Impl::ended(const EntryPtr& entry) {
  if (active_.erase(entry->spec.id) == 0) return;
  unpin(*entry->document);
  auto& place = places_[entry->place()];
  std::erase(place, entry);
  // Work that came too late is told so.
  for (Work& work : entry->mailbox)
    if (work.done) work.done({WorkEnd::kEnded, "", DeliveryState::kPending});
  entry->mailbox.clear();
  if (place.empty()) places_.erase(entry->place());
}

}  // namespace rollwatch
