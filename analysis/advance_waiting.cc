// What stands before a rollout: an approval, the readiness gate, a freeze, an earlier rollout that
// is being rolled back. The clock of the readiness gate stands still behind the last two.
#include <algorithm>

#include "analysis/comparison.h"
#include "analysis/mover.h"
#include "analysis/silence.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

// A question that was out when the attempt began is answered after that, for a time before it.
bool is_of_this_attempt(const ConditionState& c) {
  return c.last && c.watched_from && c.last_evaluated_at >= *c.watched_from;
}

bool is_ready(const Plan& plan, const RolloutState& s) {
  const auto i = readiness_of(plan);
  if (!i || s.ready->overruled) return true;
  const ConditionState& c = s.conditions[*i];
  return is_of_this_attempt(c) && c.last->outcome == Outcome::kPass;
}

bool is_answer(const std::optional<Judgement>& last) {
  return last && (last->outcome == Outcome::kPass || last->outcome == Outcome::kFail);
}

void begin_attempt(Mover& m) {
  RolloutState& s = m.state();
  ConditionState& c = s.conditions[*readiness_of(m.fixed.plan)];
  ReadyState& ready = s.ready.made();
  ++ready.attempt;
  ready.ends_at = m.now + m.fixed.plan.ready->timeout;
  ready.retry_at.reset();
  if (ready.stopped_at) ready.stopped_at = m.now;
  c.watched_from = m.now;
  c.last.reset();
}

std::string attempts_so_far(const Mover& m) {
  const int all = m.fixed.plan.ready->attempts;
  if (all == 1) return "";
  return " (attempt " + std::to_string(m.state().ready->attempt) + " of " + std::to_string(all) +
         ")";
}

std::string waits_for_readiness(const Mover& m) {
  const RolloutState& s = m.state();
  const ConditionState& c = s.conditions[*readiness_of(m.fixed.plan)];
  if (s.ready->retry_at)
    return "was not ready in time" + attempts_so_far(m) + "; looks again " +
           format_duration(m.fixed.plan.ready->retry_after) + " after that";
  return "waits until it is ready: " + readiness(*m.fixed.plan.ready, c) + attempts_so_far(m);
}

// The time of an attempt is up.
void not_ready_in_time(Mover& m) {
  RolloutState& s = m.state();
  const ReadyPlan& ready = *m.fixed.plan.ready;
  const std::size_t i = *readiness_of(m.fixed.plan);
  ConditionState& c = s.conditions[i];
  const std::string what = readiness(ready, c);
  const std::string span = format_duration(ready.timeout + s.extension);
  if (s.ready->attempt < static_cast<unsigned>(ready.attempts)) {
    Event& event =
        m.tell(EventType::kReady, "not ready within " + span + ": " + what + attempts_so_far(m) +
                                      "; looks again in " + format_duration(ready.retry_after));
    event.condition = m.condition(i).name;
    event.is_news = true;
    s.ready.made().ends_at.reset();
    s.ready.made().retry_at = m.now + ready.retry_after;
    s.extension = Millis{0};
    c.watched_from.reset();
    return;
  }
  s.ready.made().ends_at.reset();
  if (is_of_this_attempt(c) && is_answer(c.last))
    return m.roll_back(kEngine, "not ready within " + span + ": " + what + attempts_so_far(m), i);
  m.pause(QuestionKind::kNotReady, kEngine,
          "whether it is ready is not known after " + span + ": " + what + attempts_so_far(m), i,
          is_of_this_attempt(c) ? silent_datasource(m.condition(i), *c.last) : "");
}

}  // namespace

std::string readiness(const ReadyPlan& ready, const ConditionState& state) {
  if (!state.last) return "no answer yet";
  if (is_answer(state.last) && state.last->value)
    return format_number(*state.last->value) + " of " + format_number(ready.at_least);
  return describe(*state.last);
}

std::string waits_for(const Mover& m) {
  const RolloutState& s = m.state();
  if (s.question) return s.question->text;
  if (s.freeze) return s.freeze->text;
  if (s.waits_for_predecessor)
    return "waits for an earlier rollout of this target to be rolled back";
  if (m.fixed.plan.ready && !m.fixed.spec.observe && !is_ready(m.fixed.plan, s))
    return waits_for_readiness(m);
  return "";
}

bool may_begin(Fixed fixed, const RolloutState& state) {
  return state.state == State::kWaiting && !state.question && !state.freeze &&
         (fixed.spec.observe || is_ready(fixed.plan, state));
}

void Mover::wait_for_ready() {
  RolloutState& s = state();
  if (!fixed.plan.ready || fixed.spec.observe || s.ready->overruled) return;
  s.ready.made().attempt = 0;
  begin_attempt(*this);
}

// A slot of the readiness gate, already noted. Before the beginning it may lift the pause for want
// of an answer; after it, readiness may be lost.
void on_readiness(Mover& m, std::size_t i) {
  RolloutState& s = m.state();
  ConditionState& c = s.conditions[i];
  const ConditionPlan& plan = m.condition(i);
  const std::string what = readiness(*m.fixed.plan.ready, c);
  if (!s.begun) {
    const bool passes = c.last->outcome == Outcome::kPass;
    const bool waited = s.state == State::kWaiting && s.ready->ends_at;
    const bool asked = s.state == State::kPaused && s.question->kind == QuestionKind::kNotReady;
    if (!passes || !(waited || asked)) return;
    if (asked) {
      const std::string datasource = s.question->datasource;
      s.question.reset();
      s.state = State::kWaiting;
      m.decide(DecisionKind::kResume, kEngine, "ready: " + what, i);
      m.tell(EventType::kResumed, "goes on: ready, " + what).datasource = datasource;
    }
    m.tell(EventType::kReady, "ready: " + what).condition = plan.name;
    return;
  }
  if (c.failed || plan.on_fail == OnFail::kObserve || !m.can_stop(i)) return;
  if (fails_in_window(plan, c) < static_cast<std::uint32_t>(plan.fail_after)) return;
  c.failed = true;
  const std::string sentence = "no longer ready: " + what + ", " +
                               std::to_string(fails_in_window(plan, c)) + " of the last " +
                               std::to_string(c.recent.size());
  Event& event = m.tell(EventType::kConditionFailed, sentence);
  event.condition = plan.name;
  event.value = c.last->value;
  if (plan.on_fail == OnFail::kRollback) return m.roll_back(kEngine, sentence, i);
  pause_for_failed(m, QuestionKind::kReadyLost, sentence, i);
}

void on_ready_time(Mover& m) {
  RolloutState& s = m.state();
  const auto at = ready_timer(m.fixed, s);
  if (!at || m.now < *at) return;
  if (s.ready->retry_at) {
    begin_attempt(m);
    m.tell(EventType::kReady, "looks again whether it is ready" + attempts_so_far(m));
  } else {
    not_ready_in_time(m);
  }
}

std::optional<SysTime> ready_timer(Fixed fixed, const RolloutState& s) {
  if (s.state != State::kWaiting || s.question || s.ready->stopped_at) return std::nullopt;
  if (is_ready(fixed.plan, s)) return std::nullopt;
  if (s.ready->retry_at) return s.ready->retry_at;
  if (s.ready->ends_at) return *s.ready->ends_at + s.extension;
  return std::nullopt;
}

void keep_ready_clock(Mover& m) {
  RolloutState& s = m.state();
  const bool stands_still = s.freeze || s.waits_for_predecessor;
  if (stands_still && !s.ready->stopped_at) s.ready.made().stopped_at = m.now;
  if (stands_still || !s.ready->stopped_at) return;
  ReadyState& ready = s.ready.made();
  const Millis span = std::max(m.now - *ready.stopped_at, Millis{0});
  ready.stopped_at.reset();
  if (ready.ends_at) *ready.ends_at += span;
  if (ready.retry_at) *ready.retry_at += span;
}

}  // namespace rollwatch
