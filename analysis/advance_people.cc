// What people and the orchestrator's own reports do to a rollout. A person outranks the engine;
// what is not possible now is refused with a sentence, and nothing changes.
#include <algorithm>

#include "analysis/mover.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

std::string said(const PersonDecided& input) {
  std::string text = std::string(name_of(input.kind)) + " by " + input.by;
  return input.reason.empty() ? text : text + ": " + input.reason;
}

// A person who sends the rollout on after its deadline means it: it gets another one.
void renew_deadline(Mover& m) {
  RolloutState& s = m.state();
  if (m.now >= s.deadline_at) s.deadline_at = m.now + m.fixed.plan.deadline;
}

bool refused_as_frozen(Mover& m, DecisionKind kind) {
  const RolloutState& s = m.state();
  if (!s.freeze) return false;
  m.refuse("no " + std::string(name_of(kind)) + " while it is frozen (" + s.freeze->text +
           "): lift the freeze first");
  return true;
}

bool has_not_begun(const RolloutState& s) {
  return !s.begun && (s.state == State::kWaiting || s.state == State::kPaused);
}

// It begins although it is not ready, as soon as nothing else stands before it.
void begin_unready(Mover& m, const PersonDecided& input) {
  RolloutState& s = m.state();
  if (s.question && s.question->kind == QuestionKind::kApproveStart)
    return m.refuse(s.question->text + ": resume it, which gives the approval");
  if (!m.fixed.plan.ready || s.ready->overruled)
    return m.refuse("it has not begun: " + (s.question ? s.question->text : s.waits_for.text()));
  renew_deadline(m);
  s.question.reset();
  s.state = State::kWaiting;
  s.ready.made().overruled = true;
  m.decide(DecisionKind::kAdvance, input.by, said(input) + ": begins without being ready");
}

void advance_by_person(Mover& m, const PersonDecided& input) {
  const RolloutState& s = m.state();
  if (has_not_begun(s)) return begin_unready(m, input);
  if (s.state != State::kAnalyzing && s.state != State::kPaused)
    return m.refuse("only a rollout that is analyzing or paused can advance; this one is " +
                    std::string(name_of(s.state)));
  if (!m.weighted())
    return m.refuse("this rollout has one step without a weight: promote it instead");
  if (!m.told())
    return m.refuse(
        "this rollout has no orchestrator: its steps move by what is reported to /progress");
  if (s.state == State::kAnalyzing && m.progress_is_ordered())
    return m.refuse("an order to " + std::string(name_of(s.order->kind)) + " to " +
                    percent(s.order->weight) + " is out already");
  if (refused_as_frozen(m, input.kind)) return;
  renew_deadline(m);
  m.forget_failures();
  m.begin_patience_again();
  m.go_on(input.by, said(input));
}

void promote_by_person(Mover& m, const PersonDecided& input) {
  RolloutState& s = m.state();
  if (has_not_begun(s))
    return m.refuse("it has not begun: " + (s.question ? s.question->text : s.waits_for.text()));
  switch (s.state) {
    case State::kAnalyzing:
    case State::kPaused:
      if (refused_as_frozen(m, input.kind)) return;
      s.conditions_only_observe = true;
      return m.promote(input.by, said(input));
    case State::kPromoting:
      // The order is out already; from now on the conditions only observe.
      s.conditions_only_observe = true;
      m.decide(DecisionKind::kPromote, input.by, said(input));
      return;
    default:
      return m.refuse("it is " + std::string(name_of(s.state)) + ": nothing to promote");
  }
}

void pause_by_person(Mover& m, const PersonDecided& input) {
  const RolloutState& s = m.state();
  const bool lifts = s.state == State::kPaused && lifts_itself(*s.question);
  if (s.state == State::kAnalyzing || s.state == State::kPromoting || lifts)
    return m.pause(QuestionKind::kPersonPaused, input.by, said(input));
  if (s.state == State::kPaused) return m.refuse("it is paused already: " + s.question->text);
  m.refuse("it is " + std::string(name_of(s.state)) + ": nothing to pause");
}

// A yes to these ends the step.
bool goes_on_at_a_yes(QuestionKind kind) {
  return kind == QuestionKind::kApproveStep || kind == QuestionKind::kApprovePromote ||
         kind == QuestionKind::kNothingMeasured;
}

// Before the beginning a yes means: wait on, from the first attempt.
void wait_again(Mover& m, const PersonDecided& input) {
  RolloutState& s = m.state();
  s.question.reset();
  s.state = State::kWaiting;
  renew_deadline(m);
  m.decide(DecisionKind::kResume, input.by, said(input));
  s.reason = m.out.decisions.back().reason;
  m.wait_for_ready();
  m.tell(EventType::kResumed, "waits on: " + s.reason).by = input.by;
}

// Yes to the open question. Most yeses begin the step afresh; those that end a step go on.
void resume_by_person(Mover& m, const PersonDecided& input) {
  RolloutState& s = m.state();
  if (!s.question)
    return m.refuse("it is " + std::string(name_of(s.state)) + ": nothing to resume");
  const QuestionKind kind = s.question->kind;
  if (kind == QuestionKind::kApproveStart) {
    renew_deadline(m);
    return m.approve_start(input.by, said(input));
  }
  if (!s.begun) return wait_again(m, input);
  if (goes_on_at_a_yes(kind) && refused_as_frozen(m, DecisionKind::kAdvance)) return;
  m.resume(input.by, said(input));
  renew_deadline(m);
  // On the way to 100 % at a person's word: what stopped it is answered, so it goes there.
  if (s.conditions_only_observe && !s.freeze) return m.promote(input.by, said(input));
  if (goes_on_at_a_yes(kind)) {
    m.begin_patience_again();
    // It may have been asked before the last step (an early promotion).
    if (kind == QuestionKind::kApprovePromote) return m.promote(input.by, said(input));
    return m.go_on(input.by, said(input));
  }
  m.begin_step_afresh();
  if (s.step < 0 && m.weighted() && m.told() && !s.freeze) m.order_step(0, input.by, said(input));
}

void roll_back_by_person(Mover& m, const PersonDecided& input) {
  const RolloutState& s = m.state();
  if (awaits_somebody(s))
    return m.refuse(
        "it is rollback_failed: have that order sent again (redeliver), or register the way back "
        "as "
        "a rollout");
  if (is_final(s.state))
    return m.refuse("it is " + std::string(name_of(s.state)) +
                    ": register the way back as a rollout");
  m.roll_back(input.by, said(input));
}

void cancel_by_person(Mover& m, const PersonDecided& input) {
  const RolloutState& s = m.state();
  if (is_final(s.state)) return m.refuse("it is " + std::string(name_of(s.state)) + " already");
  Decision& decision = m.decide(DecisionKind::kCancel, input.by, said(input));
  // Without weights only none and all are known.
  const bool known = m.weighted() || s.reached_weight == 100 || !s.begun;
  const std::string weight =
      known ? ", with " + percent(s.reached_weight) + " on " + m.fixed.spec.candidate : "";
  m.end(State::kCancelled, EventType::kCancelled,
        decision.reason + "; traffic stays as it is" + weight);
}

// More time for what is timed now: the wait for readiness, the step's hold or the soak; and as much
// for the deadline.
void extend_by_person(Mover& m, const PersonDecided& input) {
  RolloutState& s = m.state();
  const bool has_time = s.state == State::kWaiting || s.state == State::kPaused ||
                        s.state == State::kSoaking ||
                        (s.state == State::kAnalyzing && !m.progress_is_ordered());
  if (s.state == State::kAnalyzing && !has_time)
    return m.refuse("an order to " + std::string(name_of(s.order->kind)) + " to " +
                    percent(s.order->weight) + " is out already: nothing to extend");
  if (!has_time) return m.refuse("it is " + std::string(name_of(s.state)) + ": nothing to extend");
  const std::string what = s.state == State::kSoaking ? "the soak"
                           : !s.begun                 ? "the wait to begin"
                                                      : "this step";
  s.extension += input.span;
  if (s.state != State::kSoaking) s.deadline_at += input.span;
  m.decide(DecisionKind::kExtend, input.by, said(input));
  const std::string text = what + " lasts " + format_duration(input.span) + " longer";
  // A hold that was over is not any more.
  if (s.state == State::kAnalyzing && s.step >= 0 && !m.is_held()) s.reason = text;
  m.tell(EventType::kExtended, text).by = input.by;
}

}  // namespace

void on_person(Mover& m, const PersonDecided& input) {
  const RolloutState& s = m.state();
  if (s.state == State::kRollingBack)
    return m.refuse("it is rolling back, which is final: " + s.reason);
  if (input.question && (!s.question || question_id(*s.question) != *input.question))
    return m.refuse("question " + *input.question + " is no longer open" +
                    (s.question ? "; the open one is " + question_id(*s.question) : ""));
  const std::size_t told_before = m.out.events.size();
  switch (input.kind) {
    case DecisionKind::kAdvance:
      advance_by_person(m, input);
      break;
    case DecisionKind::kPromote:
      promote_by_person(m, input);
      break;
    case DecisionKind::kPause:
      pause_by_person(m, input);
      break;
    case DecisionKind::kResume:
      resume_by_person(m, input);
      break;
    case DecisionKind::kRollback:
      roll_back_by_person(m, input);
      break;
    case DecisionKind::kCancel:
      cancel_by_person(m, input);
      break;
    case DecisionKind::kExtend:
      extend_by_person(m, input);
      break;
  }
  for (std::size_t i = told_before; i < m.out.events.size(); ++i)
    m.out.events[i].reason = input.reason;
}

namespace {

// Whether the question is about leaving the step that was left now, or about the order that did it.
bool is_answered_by_moving(QuestionKind kind) {
  return kind == QuestionKind::kApproveStep || kind == QuestionKind::kApprovePromote ||
         kind == QuestionKind::kNothingMeasured || kind == QuestionKind::kOrderRefused ||
         kind == QuestionKind::kOrderExpired;
}

// An order that is out goes further than what is reported: it is on its way there.
bool is_on_its_way(const Mover& m, double weight) {
  const RolloutState& s = m.state();
  return m.progress_is_ordered() && weight >= s.reached_weight && weight < s.order->weight;
}

void move_to(Mover& m, int index, const WeightReported& input, const std::string& reported) {
  RolloutState& s = m.state();
  if (is_on_its_way(m, input.weight)) return m.reached_step(index, input.since);
  const double weight = *step_at(m.fixed.plan, index).weight;
  if (s.order && m.progress_is_ordered() && s.order->weight == weight) m.order_took_effect();
  if (m.progress_is_ordered()) m.withdraw_order();
  s.lapsed.reset();
  if (s.question && is_answered_by_moving(s.question->kind)) {
    m.withdraw_order();
    s.question.reset();
    s.state = State::kAnalyzing;
    m.tell(EventType::kResumed, "goes on: " + reported).by = input.by;
  }
  if (s.state == State::kPromoting || s.state == State::kSoaking) s.state = State::kAnalyzing;
  s.soak_since.reset();
  m.reached_step(index, input.since);
}

}  // namespace

// A reported weight is always believed: its step is the current one, whatever had been ordered.
void on_weight_reported(Mover& m, const WeightReported& given) {
  RolloutState& s = m.state();
  // No step began before the one before it, or before the rollout.
  WeightReported input = given;
  input.since = std::max(given.since, s.step_since.value_or(m.fixed.spec.created_at));
  const auto& steps = m.fixed.plan.steps;
  if (!m.weighted())
    return m.refuse("this rollout has one step without a weight: there is no progress to report");
  if (is_final(s.state)) return m.refuse("it is " + std::string(name_of(s.state)) + " already");
  if (has_not_begun(s))
    return m.refuse("it has not begun: " + (s.question ? s.question->text : s.waits_for.text()));

  const double first = *steps.front().weight;
  const std::string reported =
      cut(percent(input.weight) + " reported by " + input.by, kLongestSentence);
  if (input.weight < first) {
    if (s.step < 0 && s.state != State::kRollingBack) {
      s.reached_weight = input.weight;
      m.tell(EventType::kNote, reported).by = input.by;
      return;
    }
    if (s.order && s.order->kind == DecisionKind::kRollback) m.order_took_effect();
    s.reached_weight = input.weight;
    return m.rolled_back((s.state == State::kRollingBack ? s.reason + "; " : "") + reported);
  }
  if (s.state == State::kRollingBack) {
    m.tell(EventType::kNote, reported + ", while rolling back").by = input.by;
    return;
  }
  m.tell(EventType::kNote, reported).by = input.by;
  if (input.weight >= 100) {
    if (s.state == State::kSoaking) return;
    if (s.order && s.order->kind == DecisionKind::kPromote) m.order_took_effect();
    m.withdraw_order();
    s.reason = reported;
    return m.reached_everything(input.since);
  }
  int index = 0;
  while (index + 1 < static_cast<int>(steps.size()) &&
         *step_at(m.fixed.plan, index + 1).weight <= input.weight)
    ++index;
  // Where it is already: an order to go on stays out, and an open question stays open.
  const bool moved = index != s.step || s.state == State::kSoaking;
  if (moved) move_to(m, index, input, reported);
  s.reached_weight = input.weight;
  if (moved) m.ask_about_failed();
}

}  // namespace rollwatch
