#include "analysis/advance.h"

#include <algorithm>
#include <type_traits>

#include "analysis/alerts.h"
#include "analysis/compare/count.h"
#include "analysis/judge.h"
#include "analysis/mover.h"
#include "analysis/render.h"
#include "analysis/silence.h"
#include "analysis/slots.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

void begin_if_nothing_stands_before(Mover& m, const std::string& by) {
  const RolloutState& s = m.state();
  if (may_begin(m.fixed, s) && !s.waits_for_predecessor) m.begin(by);
}

void on_predecessor(Mover& m, const PredecessorRollingBack& input) {
  RolloutState& s = m.state();
  if (s.state != State::kWaiting || s.waits_for_predecessor == input.rolling_back) return;
  s.waits_for_predecessor = input.rolling_back;
  keep_ready_clock(m);
  m.tell(EventType::kNote, input.rolling_back
                               ? "waits for an earlier rollout of this target to be rolled back"
                               : "the earlier rollout's rollback is over");
}

void on_newer_waits(Mover& m, const NewerWaits& input) {
  RolloutState& s = m.state();
  if (is_final(s.state) || s.newer_waits == input.waits) return;
  s.newer_waits = input.waits;
  const std::string text(input.waits ? kNewerWaits : "no newer rollout waits any more");
  m.tell(EventType::kNote, text);
  if (s.reason == kNewerWaits) s.reason = text;
  m.take_up(text);
}

void on_older_active(Mover& m, const OlderActive& input) {
  RolloutState& s = m.state();
  if (s.begun || is_final(s.state) || s.older_active == input.active) return;
  s.older_active = input.active;
  m.tell(EventType::kNote, input.active
                               ? "an older rollout of this target is under way: until this one "
                                 "begins, no order is sent for it"
                               : "no older rollout of this target is under way any more");
}

// A later order was given for its place, and says where the traffic goes by now.
void no_more_reminders(Mover& m, const std::string& by) {
  m.withdraw_order();
  m.tell(EventType::kNote, by + " decides over the traffic now: the rollback that failed is not "
                                "sent again, and nobody is reminded of it");
}

void on_superseded(Mover& m, const SupersededBy& input) {
  RolloutState& s = m.state();
  if (s.recovery) return end_recovery(m, "a newer rollout began");
  const std::string by = "a newer rollout (" + input.candidate + ", " + input.rollout + ")";
  if (awaits_somebody(s)) return no_more_reminders(m, by);
  if (is_final(s.state) || s.state == State::kRollingBack) return;
  if (s.state == State::kSoaking)
    m.end(State::kPromoted, EventType::kPromoted,
          "promoted; the soak ended early, superseded by " + by);
  else
    m.end(State::kSuperseded, EventType::kSuperseded, "superseded by " + by);
}

// From registration to the promote order, also one that a person gave and that did not take effect
// yet.
bool has_deadline(const RolloutState& s) {
  const bool runs = s.state == State::kAnalyzing || (s.state == State::kWaiting && !s.question);
  return runs && !s.conditions_only_observe && !s.freeze;
}

// A clock that was put back: what lies in the future now would stand still until the old time comes
// again, so everything goes on from now instead.
void go_on_from_now(Mover& m) {
  RolloutState& s = m.state();
  const auto not_after = [](SysTime& time, SysTime latest) { time = std::min(time, latest); };
  const auto if_any_not_after = [](auto& time, SysTime latest) {
    if (time) *time = std::min(*time, latest);
  };
  for (std::size_t i = 0; i < s.conditions.size(); ++i) {
    const ConditionPlan& plan = m.condition(i);
    ConditionState& c = s.conditions[i];
    const std::int64_t latest = grid_of(plan, c).last_at_or_before(m.now);
    const bool put_back = c.last_slot > latest;
    c.last_slot = std::min(c.last_slot, latest);
    const Millis first = plan.is_readiness ? Millis{0} : first_slot_after(plan);
    const bool seen = c.watched_from && c.last_evaluated_at >= *c.watched_from;
    if_any_not_after(c.watched_from, m.now + first + plan.initial_delay);
    c.memory = counting_anew(c.memory, m.now);
    if (c.watched_from && !seen)  // and not by being put back either
      not_after(c.last_evaluated_at, *c.watched_from - Millis{1});
    // By this clock nothing was looked at yet, so everything is new again.
    if (put_back) not_after(c.last_evaluated_at, seen ? *c.watched_from : SysTime{});
  }
  for (ConditionState& c : s.conditions) if_any_not_after(c.answered_for, m.now);
  if_any_not_after(s.step_since, m.now);
  if_any_not_after(s.hold_since, m.now);
  if_any_not_after(s.soak_since, m.now);
  if (AlertsState* alerts = s.alerts.touched()) if_any_not_after(alerts->since, m.now);
  if (ReadyState* ready = s.ready.touched()) {
    if_any_not_after(ready->stopped_at, m.now);
    if (const auto& plan = m.fixed.plan.ready) {
      if_any_not_after(ready->ends_at, m.now + plan->timeout);
      if_any_not_after(ready->retry_at, m.now + plan->retry_after);
    }
  }
  if (s.freeze) not_after(s.freeze->since, m.now);
  if (s.recovery) not_after(s.recovery->until, m.now + recovery_span(m));
  if (s.question) not_after(s.question->reminded_at, m.now);
  if (s.order) {
    not_after(s.order->at, m.now);
    not_after(s.order->reminded_at, m.now);
  }
  if (s.lapsed) {
    not_after(s.lapsed->at, m.now);
    not_after(s.lapsed->reminded_at, m.now);
  }
}

// Patience starts again, and nothing advances before a new pass.
void on_watch_resumed(Mover& m, const WatchResumed& input) {
  RolloutState& s = m.state();
  if (is_over(s)) return;
  // Nothing was watched, and nothing that is timed was noted in what is the future now.
  if (!is_watching(s) && m.now >= s.updated_at) return;
  for (std::size_t i = 0; i < s.conditions.size() && is_watching(s); ++i) {
    ConditionState& c = s.conditions[i];
    c.silent_since.reset();
    c.inconclusive_since.reset();
    c.passes_in_step = 0;
  }
  go_on_from_now(m);
  // Time that nobody watched is not held against the release: it is looked at first.
  if (is_watching(s) && has_deadline(s))
    s.deadline_at = std::max(s.deadline_at, m.now + m.fixed.plan.patience);
  m.tell(EventType::kWatchResumed, input.cause == Cause::kMissedClockJump
                                       ? "the clock jumped: patience starts again"
                                       : "rollwatchd was started again: patience starts again");
}

bool hold_is_timed(const Position& m) {
  const RolloutState& s = m.state();
  return s.state == State::kAnalyzing && s.step >= 0 && !m.progress_is_ordered() && !m.is_held() &&
         !m.any_gates() && !alerts_hold(m) && (m.told() || !m.weighted() || !m.has_next_step());
}

// What was seen of a soak that has ended in time.
std::string soaked(const Mover& m) {
  const RolloutState& s = m.state();
  std::string unseen;
  bool all_unseen = true;
  for (std::size_t i = 0; i < s.conditions.size(); ++i) {
    const ConditionState& c = s.conditions[i];
    if (!c.watched_from || m.condition(i).is_readiness) continue;
    if (c.answered_for && *c.answered_for > *s.soak_since)
      all_unseen = false;
    else
      unseen += (unseen.empty() ? "" : ", ") + m.condition(i).name;
  }
  const std::string span = format_duration(m.soak_end() - *s.soak_since);
  if (unseen.empty()) return "promoted, and watched for " + span + " after it";
  if (all_unseen) return "promoted; in the " + span + " after it no condition gave an answer";
  return "promoted, and watched for " + span + " after it, but there was no answer for " + unseen;
}

void on_time_passed(Mover& m) {
  RolloutState& s = m.state();
  if (s.recovery) return on_recovery_time(m);
  if (awaits_somebody(s)) return remind(m);
  if (is_final(s.state)) return;
  if (s.state == State::kSoaking && m.now >= m.soak_over_at())
    return m.end(State::kPromoted, EventType::kPromoted, soaked(m));
  if (hold_is_timed(m) && m.now >= m.hold_end()) m.end_step_if_done(m.now);
  on_ready_time(m);
  if (has_deadline(s) && m.now >= s.deadline_at) {
    std::string text =
        "not promoted within " + format_duration(m.fixed.plan.deadline) + " of its registration";
    const auto silent = m.unanswered();
    // A sick metrics system rolls back nothing, not even late; nor does a newer rollout that holds
    // this one where it is.
    if (m.fixed.plan.on_deadline == OnDeadline::kRollback && !silent && !s.newer_waits)
      return m.roll_back(kEngine, text);
    if (silent)
      text += ", and " + m.condition(*silent).name + " gives no answer";
    else if (s.newer_waits)
      text += ", and a newer rollout waits to begin";
    m.pause(QuestionKind::kDeadline, kEngine, text);
  }
  remind(m);
}

}  // namespace

bool is_watching(const RolloutState& s) {
  switch (s.state) {
    case State::kWaiting:
      return s.ready->attempt > 0;
    case State::kAnalyzing:
    case State::kPaused:
    case State::kPromoting:
    case State::kSoaking:
      return true;
    default:
      return s.recovery.has_value();
  }
}

std::optional<double> step_weight(const Plan& plan, const RolloutState& state) {
  if (!plan.steps.front().weight) return std::nullopt;
  if (state.soak_since || state.state == State::kPromoted) return 100;
  if (state.step < 0) return std::nullopt;
  return step_at(plan, state.step).weight;
}

Transition registered(Fixed fixed, SysTime now, const FreezeChanged& frozen) {
  RolloutState fresh;
  fresh.deadline_at = now + fixed.plan.deadline;
  fresh.conditions.resize(fixed.plan.conditions.size());
  for (std::size_t i = 0; i < fresh.conditions.size(); ++i)
    fresh.conditions[i].phase_ms = pinned_phase(fixed.spec, fixed.plan.conditions[i]).count();

  Mover m(fixed, fresh, now);
  RolloutState& s = m.state();
  m.tell(EventType::kRegistered,
         "registered by " + (fixed.spec.by.empty() ? "nobody named" : fixed.spec.by))
      .by = fixed.spec.by;
  if (fixed.plan.approve_start && !fixed.spec.observe) {
    OpenQuestion question;
    question.kind = QuestionKind::kApproveStart;
    question.number = ++s.questions_asked;
    question.since = question.reminded_at = now;
    question.text = "waits for an approval to start";
    s.question = question;
    m.tell(EventType::kNote, question.text).question = question_id(question);
  }
  if (frozen.text) on_freeze_changed(m, frozen);
  if (!s.question) m.wait_for_ready();
  return m.finish();
}

namespace {

// Of what comes from a call; all that follows from it at once has come by it.
const Via* via_of(const Input& input) {
  return std::visit(
      [](const auto& happened) -> const Via* {
        if constexpr (requires { happened.via; })
          return &happened.via;
        else
          return nullptr;
      },
      input);
}

}  // namespace

Transition advance(Fixed fixed, const RolloutState& state, const Input& input, SysTime now) {
  Mover m(fixed, state, now);
  std::visit(
      [&](const auto& happened) {
        using T = std::decay_t<decltype(happened)>;
        if constexpr (std::is_same_v<T, Begin>) begin_if_nothing_stands_before(m, kEngine);
        if constexpr (std::is_same_v<T, SlotAnswered>) on_slot(m, happened);
        if constexpr (std::is_same_v<T, SlotsMissed>) on_slots_missed(m, happened);
        if constexpr (std::is_same_v<T, PersonDecided>) {
          on_person(m, happened);
          for (Decision& decision : m.out.decisions) decision.traceparent = happened.traceparent;
        }
        if constexpr (std::is_same_v<T, OrderEnded>) on_order_ended(m, happened);
        if constexpr (std::is_same_v<T, RollbackSentAgain>) on_rollback_sent_again(m, happened);
        if constexpr (std::is_same_v<T, WeightReported>) on_weight_reported(m, happened);
        if constexpr (std::is_same_v<T, SupersededBy>) on_superseded(m, happened);
        if constexpr (std::is_same_v<T, WatchResumed>) on_watch_resumed(m, happened);
        if constexpr (std::is_same_v<T, TimePassed>) on_time_passed(m);
        if constexpr (std::is_same_v<T, PredecessorRollingBack>) on_predecessor(m, happened);
        if constexpr (std::is_same_v<T, NewerWaits>) on_newer_waits(m, happened);
        if constexpr (std::is_same_v<T, OlderActive>) on_older_active(m, happened);
        if constexpr (std::is_same_v<T, FreezeChanged>) on_freeze_changed(m, happened);
        if constexpr (std::is_same_v<T, AlertChanged>) on_alert(m, happened);
        if constexpr (std::is_same_v<T, HistoryRead>) on_history(m, happened);
      },
      input);
  Transition step = m.finish();
  if (const Via* via = via_of(input)) {
    for (Event& event : step.events) event.via = *via;
    for (Decision& decision : step.decisions) decision.via = *via;
  }
  return step;
}

std::optional<SysTime> next_timer(Fixed fixed, const RolloutState& state) {
  if (state.recovery) return state.recovery->until;
  if (awaits_somebody(state)) return reminder_at(state);
  if (is_final(state.state)) return std::nullopt;
  const Position m(fixed, state);
  std::optional<SysTime> next = reminder_at(state);
  const auto sooner = [&next](SysTime at) { next = next ? std::min(*next, at) : at; };
  if (state.state == State::kSoaking) sooner(m.soak_over_at());
  if (has_deadline(state)) sooner(state.deadline_at);
  if (hold_is_timed(m)) sooner(m.hold_end());
  if (const auto ready = ready_timer(fixed, state)) sooner(*ready);
  return next;
}

Verdict verdict_of(Fixed fixed, const RolloutState& state, std::size_t condition) {
  const ConditionState& c = state.conditions[condition];
  if (c.failed) return Verdict::kFailed;
  if (!c.last) return Verdict::kPending;
  switch (c.last->outcome) {
    case Outcome::kPass:
      if (state.state == State::kPromoted) return Verdict::kPassed;
      return c.passes_in_step >=
                     static_cast<std::uint32_t>(fixed.plan.conditions[condition].min_passes)
                 ? Verdict::kPassing
                 : Verdict::kPending;
    case Outcome::kFail:
      return Verdict::kFailing;
    case Outcome::kInconclusive:
      return Verdict::kPending;
    default:
      return Verdict::kUnknown;
  }
}

Verdict verdict_of(Fixed fixed, const RolloutState& state) {
  if (state.state == State::kPromoted) return Verdict::kPassed;
  const auto badness = [](Verdict v) {
    switch (v) {
      case Verdict::kFailed:
        return 5;
      case Verdict::kFailing:
        return 4;
      case Verdict::kUnknown:
        return 3;
      case Verdict::kPending:
        return 2;
      case Verdict::kPassing:
        return 1;
      case Verdict::kPassed:
        return 0;
    }
    return 0;
  };
  const Position m(fixed, state);
  std::optional<Verdict> worst;
  for (std::size_t i = 0; i < state.conditions.size(); ++i) {
    // While rolling back (and after), what failed still counts.
    if (fixed.plan.conditions[i].on_fail == OnFail::kObserve || state.conditions_only_observe)
      continue;
    // Readiness is about beginning; that it was lost stops a rollout, nothing else of it counts.
    if (fixed.plan.conditions[i].is_readiness && !state.conditions[i].failed) continue;
    if (!m.applies_now(i) && !state.conditions[i].failed) continue;
    if (!state.conditions[i].failed && m.is_ignored(i))
      continue;  // it gates nothing while it has no answer
    const Verdict v = verdict_of(fixed, state, i);
    if (!worst || badness(v) > badness(*worst)) worst = v;
  }
  // While no alert fires they add nothing: they are no evidence.
  const Verdict alerts = alerts_gate(fixed.plan, state) ? alerts_verdict(state) : Verdict::kPassing;
  if (alerts == Verdict::kFailed || alerts == Verdict::kFailing)
    if (!worst || badness(alerts) > badness(*worst)) worst = alerts;
  return worst.value_or(Verdict::kPending);
}

}  // namespace rollwatch
