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

// Whether anything may still become of the order: it is out, or it was taken back or expired and
// its late effect counts. An attempt that failed is none.
bool is_awaited(const RolloutState& s, const OrderEnded& ended, const Work& work) {
  const auto is = [&ended](const Rare<OpenOrder>& order) {
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

// Whether it says the same, and by whose token.
bool tells(const Work& work, const FreezeChanged& freeze) {
  const auto* said = std::get_if<FreezeChanged>(&work.input);
  return said != nullptr && said->text == freeze.text;
}

// Of the call that the event's decision came with; "": of none.
std::string trace_of(const Event& event, const std::vector<Decision>& decisions) {
  if (event.type != EventType::kDecided || !event.decision) return "";
  const auto found = std::ranges::find(decisions, *event.decision, &Decision::number);
  return found == decisions.end() ? "" : found->traceparent;
}

// What comes with every slot, and nobody waits for.
bool is_quiet(const Work& work) {
  return !work.only_delivery && (std::holds_alternative<SlotAnswered>(work.input) ||
                                 std::holds_alternative<SlotsMissed>(work.input) ||
                                 std::holds_alternative<TimePassed>(work.input));
}

// What was answered is in the step by now; only what came of it waits for the disk.
void forget_answers(Work& work) {
  work.asked.reset();
  if (auto* slot = std::get_if<SlotAnswered>(&work.input)) {
    slot->value = {};
    slot->evidence.reset();
    slot->arms.clear();
  }
}

}  // namespace

// ---- The mailbox: one step at a time

void Engine::Impl::put(const EntryPtr& entry, Work work) {
  if (entry->tenure->over) return tell_gone(work);
  if (!is_quiet(work)) start_flush();  // its rollout may be in what waits for others
  entry->mailbox.push_back(std::move(work));
  // Not at once: what arrives in the same turn of the loop becomes one commit.
  net::post(executor_, [self = shared_from_this(), entry] { self->pump(entry); });
}

void Engine::Impl::pump(const EntryPtr& entry) {
  if (entry->recording || entry->store_was_away || entry->mailbox.empty()) return;
  if (!may_move(*entry)) return;
  if (std::holds_alternative<Begin>(entry->mailbox.front().input) &&
      !entry->mailbox.front().only_delivery) {
    if (begin(entry)) entry->mailbox.pop_front();
    return;
  }
  Recording recording;
  recording.entry = entry;
  const SysTime now = clock_.wall();
  auto freeze = freeze_due(*entry);
  if (freeze && !tells(entry->mailbox.front(), *freeze))
    apply_work(recording, Work{std::move(*freeze)}, now);
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
  const unsigned rows_before = recording.after().evaluations;
  Transition step = advance(recording.entry->fixed(), recording.after(), work.input, now);
  if (step.refusal) {
    result.end = WorkEnd::kRefused;
    result.why = *step.refusal;
  } else if (step.changed()) {
    result.end = WorkEnd::kRecorded;
    Commit more =
        commit_of(*recording.entry, rows_before, step, work.asked, {rules_, source_, now});
    const auto append = [](auto& to, auto& from) {
      if (to.empty()) return to.swap(from);  // nearly always
      to.insert(to.end(), std::make_move_iterator(from.begin()),
                std::make_move_iterator(from.end()));
    };
    append(recording.commit.evaluations, more.evaluations);
    append(recording.commit.events, more.events);
    append(recording.commit.deliveries, more.deliveries);
    append(recording.commit.delivery_updates, more.delivery_updates);
    append(recording.commit.explains, more.explains);
    append(recording.step.evaluations, step.evaluations);
    append(recording.step.decisions, step.decisions);
    recording.step.state = std::move(step.state);
    recording.moves = true;
  }
  return result;
}

// Adds one piece of work to the step, on top of those before it.
void Engine::Impl::apply_work(Recording& recording, Work work, SysTime now) {
  WorkResult result;
  const auto* ended_order = std::get_if<OrderEnded>(&work.input);
  if (ended_order != nullptr && work.delivery &&
      !is_awaited(recording.after(), *ended_order, work)) {
    // Ended or withdrawn since this was put here: what its delivery is by now must not be
    // overwritten.
    result.end = WorkEnd::kStale;
    result.why = "the order is no longer the rollout's latest: nothing changes";
    recording.works.push_back(std::move(work));
    recording.results.push_back(std::move(result));
    return;
  }
  if (is_over(recording.after()) && !work.delivery) {
    result.end = WorkEnd::kEnded;
    recording.works.push_back(std::move(work));
    recording.results.push_back(std::move(result));
    return;
  }
  if (work.revision && *work.revision != recording.after().revision) {
    result.end = WorkEnd::kChanged;
    recording.works.push_back(std::move(work));
    recording.results.push_back(std::move(result));
    return;
  }
  if (!work.only_delivery) result = add_step(recording, work, now);
  forget_answers(work);
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
void Engine::Impl::close_slots(Recording& recording) {
  const Entry& entry = *recording.entry;
  if (!recording.moves || is_watching(recording.step.state)) return;
  const SysTime now = clock_.wall();
  for (std::size_t i = 0; i < entry.asking.size(); ++i) {
    const ConditionPlan& plan = entry.plan->conditions[i];
    const Grid grid = grid_of(plan, entry.state.conditions[i]);
    const Millis delay = source_.ingestion_delay(plan.datasource);
    auto first = next_slot(plan, entry.state.conditions[i], delay);
    std::int64_t last = grid.last_at_or_before(now);
    if (const auto& out = entry.asking[i].out) {
      first = first ? std::min(*first, out->slot) : out->slot;
      last = std::max(last, out->slot);
    }
    if (!first || *first > last) continue;
    add_step(recording,
             Work{SlotsMissed{i, *first, last, grid.at(last) - delay, Cause::kMissedEnded}}, now);
  }
}

void Engine::Impl::hand_over(Recording recording) {
  close_slots(recording);
  const bool nothing = !recording.moves && recording.commit.delivery_updates.empty();
  if (nothing) {
    for (std::size_t i = 0; i < recording.works.size(); ++i)
      if (recording.works[i].done) recording.works[i].done(recording.results[i]);
    after_step(recording.entry);
    return;
  }
  recording.commit.rollout = recording.entry->spec.id;
  recording.commit.epoch = recording.entry->tenure->epoch;
  recording.entry->recording = true;
  recording.entry->recording_quietly = can_linger(recording);
  hurry_ = hurry_ || stopping_ || rules_.linger == Millis{0} || !recording.entry->recording_quietly;
  batch_.push_back(std::move(recording));
  if (hurry_)
    start_flush();
  else
    flush_later();
}

// Nothing is told, ordered or answered when it is on disk: an ordinary answer to an ordinary slot.
bool Engine::Impl::can_linger(const Recording& recording) {
  const Commit& commit = recording.commit;
  return commit.events.empty() && commit.deliveries.empty() && commit.delivery_updates.empty() &&
         commit.explains.empty() && !recording.with_next && recording.entry->tenure->is_settled() &&
         std::ranges::all_of(recording.works, is_quiet);
}

void Engine::Impl::start_flush() {
  if (flushing_ || batch_.empty()) return;
  flushing_ = true;
  // Not at once: what is handed over in the same turn of the loop goes together, and what belongs
  // together must.
  net::post(executor_, [self = shared_from_this()] {
    spawn(self->executor_, "engine commit", [self] { return self->flush(); });
  });
}

void Engine::Impl::flush_later() {
  if (flushing_ || std::exchange(lingering_, true)) return;
  spawn(executor_, "engine linger",
        [weak = weak_from_this(), &clock = clock_, span = rules_.linger]() -> awaitable<void> {
          co_await clock.sleep(span);
          const auto self = weak.lock();
          if (!self) co_return;
          self->lingering_ = false;
          self->start_flush();
        });
}

// The step is on disk: only now is it what the rollout is, and only now is it acted on.
void Engine::Impl::recorded(Recording& r, const Recorded& at_commit) {
  const EntryPtr& entry = r.entry;
  if (entry->tenure->over) return;  // whoever has it now has read it
  const bool moved = r.moves;
  const Verdict before = entry->state.verdict;
  entry->recording = entry->beginning = false;
  // Copied, and not moved there: so a rollout's memory stays where it is, and what a step takes is
  // given back while it is still in the processor's cache, for the next one to take.
  if (moved) entry->state = r.step.state;

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
      hooks_.event({at_commit.event_seqs[i], entry->spec.id, r.commit.events[i]}, entry->spec,
                   trace_of(r.commit.events[i], r.step.decisions));
  if (hooks_.evaluated)
    for (const Evaluation& e : r.step.evaluations)
      hooks_.evaluated(entry->spec, entry->plan->conditions[e.condition], e.judgement.outcome,
                       static_cast<std::uint32_t>(e.last_slot - e.slot + 1), e.judgement.cause);
  if (hooks_.decided)
    for (const Decision& decision : r.step.decisions) hooks_.decided(decision, before);
  if (moved && hooks_.ended && is_final(entry->state.state)) hooks_.ended(entry->view(source_));

  for (std::size_t i = 0; i < r.works.size(); ++i) {
    if (r.works[i].again && r.results[i].end == WorkEnd::kRecorded && hooks_.deliver)
      hooks_.deliver(*r.works[i].again, entry->spec);
    if (r.works[i].done) r.works[i].done(r.results[i]);
  }
  if (moved) wake_waiters(entry->spec.id, Woken::kChanged);
  after_step(entry);
}

// Nothing of the step is on disk, so none of it happened. Callers are told; slots become
// missed(store) when the store is back; the rest of the mailbox waits.
void Engine::Impl::not_recorded(Recording& r, const std::string& why) {
  const EntryPtr& entry = r.entry;
  if (entry->tenure->over) return;
  entry->recording = entry->beginning = false;
  if (hooks_.not_recorded) hooks_.not_recorded(entry->spec, why);
  std::list<Work> again;
  for (Work& work : r.works) {
    if (work.done) work.done({WorkEnd::kStoreAway, why, DeliveryState::kPending});
    if (must_be_kept(work)) again.push_back(std::move(work));
  }
  // Slots that were answered meanwhile are of the same time: they are missed(store) as well.
  std::erase_if(entry->mailbox, [&why](Work& work) {
    if (!is_quiet(work) || must_be_kept(work)) return false;
    if (work.done) work.done({WorkEnd::kStoreAway, why, DeliveryState::kPending});
    return true;
  });
  entry->mailbox.splice(entry->mailbox.begin(), std::move(again));
  entry->store_was_away = true;
  spawn(executor_, "engine store retry",
        [weak = weak_from_this(), &clock = clock_, entry]() -> awaitable<void> {
          co_await clock.sleep(kStoreRetry);
          const auto self = weak.lock();
          if (!self || self->stopping_ || entry->tenure->over) co_return;
          entry->store_was_away = false;
          if (is_watching(entry->state) && entry->tenure->is_settled())
            self->mark_missed(entry, clock.wall(), Cause::kMissedStore);
          self->after_step(entry);
        });
  see_idle(entry->tenure);
}

void Engine::Impl::after_step(const EntryPtr& entry) {
  const TenurePtr tenure = entry->tenure;
  if (tenure->over) return;
  // Before more work of this one: it might always have some by the time that a step is on disk.
  if (const auto waiting = std::exchange(entry->waiting_for_idle, {}))
    for (const auto& weak : *waiting)
      if (const EntryPtr other = weak.lock())
        net::post(executor_, [self = shared_from_this(), other] { self->pump(other); });
  if (!tenure->is_settled()) {
    if (is_over(entry->state)) ended(entry);
    if (!entry->mailbox.empty())
      net::post(executor_, [self = shared_from_this(), entry] { self->pump(entry); });
    return see_idle(tenure);
  }
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
    read_histories(entry);
    tell_neighbours(entry);
  }
}

void Engine::Impl::ended(const EntryPtr& entry) {
  if (active_.erase(entry) == 0) return;
  unpin(*entry->document);
  due_.remove(entry);
  const TenurePtr tenure = entry->tenure;
  std::erase(tenure->entries, entry);
  // Work that came too late is told so.
  for (Work& work : entry->mailbox)
    if (work.done) work.done({WorkEnd::kEnded, "", DeliveryState::kPending});
  entry->mailbox.clear();
  drop_if_empty(tenure);
}

}  // namespace rollwatch
