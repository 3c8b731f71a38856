#include "analysis/mover.h"

#include <algorithm>

#include "analysis/compare/see.h"
#include "analysis/judge.h"
#include "analysis/text.h"

namespace rollwatch {
Event& Mover::tell(EventType type, std::string summary) {
  Event event;
  event.type = type;
  event.at = now;
  event.state = state().state;
  event.step = state().step;
  event.weight = step_weight(fixed.plan, state());
  event.summary = cut(summary, kLongestSentence);
  event.by = kEngine;
  event.verdict = state().verdict;
  out.events.push_back(std::move(event));
  return out.events.back();
}

Decision& Mover::decide(DecisionKind kind, const std::string& by, std::string reason,
                        std::optional<std::size_t> by_condition) {
  Decision decision;
  decision.number = ++state().decisions_made;
  decision.kind = kind;
  decision.by = by;
  decision.reason = cut(reason, kLongestSentence);
  decision.condition = by_condition;
  decision.at = now;
  out.decisions.push_back(std::move(decision));

  Decision& made = out.decisions.back();
  Event& event = tell(EventType::kDecided, std::string(name_of(kind)) + ": " + made.reason);
  event.by = by;
  event.kind = kind;
  event.decision = made.number;
  if (by_condition) {
    const ConditionState& c = state().conditions[*by_condition];
    event.condition = condition(*by_condition).name;
    if (c.last) {
      event.value = c.last->value;
      event.rule = rule_text(*c.last, condition(*by_condition));
    }
  }
  return made;
}

void Mover::withdraw_order() {
  RolloutState& s = state();
  if (s.order) {
    // One that was given in this very step never becomes a delivery.
    const unsigned number = s.order->number;
    const auto given = std::find_if(out.orders.begin(), out.orders.end(),
                                    [number](const Order& o) { return o.number == number; });
    if (given != out.orders.end())
      out.orders.erase(given);
    else
      out.withdrawn.push_back(number);
  }
  s.order.reset();
  s.lapsed.reset();
}

void Mover::give_order(DecisionKind kind, double weight) {
  if (!told()) return;
  withdraw_order();
  OpenOrder order;
  order.kind = kind;
  order.number = ++state().orders_given;
  order.weight = weight;
  order.at = now;
  order.by_person = out.decisions.back().by != kEngine;
  out.orders.push_back({order.number, state().decisions_made, kind, weight});
  state().order = order;
}

void Mover::forget(ConditionState& c) {
  c.recent.clear();
  c.fails_of_all = c.answers_of_all = 0;
  forget_evidence(c);
  c.failed = false;
  c.silent_since.reset();
  c.inconclusive_since.reset();
}

// It failed, and a person goes on all the same: what speaks against the candidate by then is not
// held against it again.
void Mover::forget_evidence(ConditionState& c) {
  if (!c.failed) return;
  if (const statistics::ComparisonState* state = c.memory.comparison())
    c.memory = ConditionMemory(begun_afresh(*state));
  if (const statistics::CountState* state = c.memory.count())
    c.memory = ConditionMemory(statistics::CountState{state->table, 0, state->since});
}

void Mover::watch(SysTime since, bool all_anew, bool first_step) {
  if (first_step && fixed.plan.alerts) state().alerts.made().since = since;
  for (std::size_t i = 0; i < fixed.plan.conditions.size(); ++i) {
    const ConditionPlan& plan = condition(i);
    ConditionState& c = state().conditions[i];
    c.passes_in_step = 0;
    if (plan.is_readiness) continue;  // watched already, whatever step it is
    if (!applies_now(i)) {
      c.watched_from.reset();
      c.silent_since.reset();
      c.inconclusive_since.reset();
      continue;
    }
    if (all_anew || !c.watched_from) {
      // Not in the past, when a step is reported late: those slots were never due. And no earlier
      // than before: a yes does not cut an initial delay short.
      const Millis delay = first_step ? plan.initial_delay : Millis{0};
      c.watched_from =
          std::max({now, since + first_slot_after(plan) + delay, c.watched_from.value_or(now)});
    }
  }
}

void Mover::reached_step(int index, SysTime since) {
  RolloutState& s = state();
  const bool first = s.step < 0;
  since = std::min(since, now);
  s.step = index;
  s.step_since = s.hold_since = since;
  s.extension = Millis{0};
  watch(since, false, first);
  const StepPlan& step = step_at(fixed.plan, index);
  if (step.weight) s.reached_weight = *step.weight;
  if (s.state == State::kAnalyzing && !progress_is_ordered())
    s.reason = step.weight ? "watching" + where() : "watching";
  tell(EventType::kStepBegan, "step " + std::to_string(index + 1) + " of " +
                                  std::to_string(fixed.plan.steps.size()) + " began" + where());
}

void Mover::begin_step_afresh() {
  RolloutState& s = state();
  if (AlertsState* alerts = s.alerts.touched()) alerts->failed = false;
  for (ConditionState& c : s.conditions) {
    forget(c);
    c.passes_in_step = 0;
  }
  if (s.step < 0) return;
  s.step_since = s.hold_since = now;
  watch(now, true, false);
}

void Mover::begin_patience_again() {
  for (ConditionState& c : state().conditions) {
    c.silent_since.reset();
    c.inconclusive_since.reset();
  }
}

void Mover::forget_failures() {
  if (AlertsState* alerts = state().alerts.touched()) alerts->failed = false;
  for (ConditionState& c : state().conditions) {
    if (!c.failed) continue;
    forget_evidence(c);
    c.failed = false;
    c.recent.clear();
    c.fails_of_all = c.answers_of_all = 0;
  }
}

void Mover::ask_about_failed() {
  if (state().state != State::kAnalyzing) return;
  for (std::size_t i = 0; i < state().conditions.size(); ++i) {
    if (!can_stop(i) || !state().conditions[i].failed) continue;
    if (condition(i).is_readiness)
      return pause(QuestionKind::kReadyLost, kEngine, "readiness was lost before", i);
    return pause(QuestionKind::kConditionFailed, kEngine, condition(i).name + " failed before", i);
  }
  ask_about_alerts(*this);
}

void Mover::resume(const std::string& by, const std::string& reason) {
  RolloutState& s = state();
  const std::string datasource = s.question ? s.question->datasource : "";
  s.question.reset();
  s.state = State::kAnalyzing;
  decide(DecisionKind::kResume, by, reason);
  s.reason = out.decisions.back().reason;
  give_order(DecisionKind::kResume, s.reached_weight);
  Event& event = tell(EventType::kResumed, "goes on: " + s.reason);
  event.by = by;
  event.datasource = datasource;
}

void Mover::resume_for_answers(SysTime evaluated_at) {
  // How long nobody answered is not held against the release.
  state().deadline_at += std::max(now - state().question->since, Millis{0});
  resume(kEngine, "every condition passes again");
  state().hold_since = evaluated_at;
}

// It begins with the next Begin: as soon as nothing else stands before it.
void Mover::approve_start(const std::string& by, const std::string& reason) {
  RolloutState& s = state();
  s.question.reset();
  decide(DecisionKind::kResume, by, reason);
  s.reason = out.decisions.back().reason;
  tell(EventType::kResumed, "approved: " + s.reason).by = by;
  wait_for_ready();
}

void Mover::begin(const std::string& by) {
  RolloutState& s = state();
  s.begun = true;
  s.waits_for.clear();
  s.question.reset();
  s.extension = Millis{0};
  if (ReadyState* ready = s.ready.touched()) {
    ready->ends_at.reset();
    ready->retry_at.reset();
  }
  // What kept it waiting is not readiness lost.
  if (const auto ready = readiness_of(fixed.plan)) forget(s.conditions[*ready]);
  if (fixed.spec.observe) {
    s.conditions_only_observe = true;
    s.state = State::kAnalyzing;
    tell(EventType::kStarted, "started: goes to 100 % at once, the conditions only observe");
    promote(by, "registered to be observed only");
    return;
  }
  s.state = State::kAnalyzing;
  s.reason = "started";
  tell(EventType::kStarted, "started");
  if (!weighted())
    reached_step(0, now);
  else if (told())
    order_step(0, by, "begins with " + percent(*fixed.plan.steps.front().weight));
  else
    s.reason = "waits for the deployer to report " + percent(*fixed.plan.steps.front().weight);
}

void Mover::order_step(int index, const std::string& by, const std::string& reason) {
  RolloutState& s = state();
  s.question.reset();
  s.state = State::kAnalyzing;
  decide(DecisionKind::kAdvance, by, reason);
  s.reason = out.decisions.back().reason;
  give_order(DecisionKind::kAdvance, *step_at(fixed.plan, index).weight);
}

void Mover::take_up(const std::string& gone) {
  const RolloutState& s = state();
  if (s.state != State::kAnalyzing || s.step >= 0 || is_held() || progress_is_ordered()) return;
  if (told() && weighted())
    order_step(0, kEngine, gone + ": begins with " + percent(*fixed.plan.steps.front().weight));
}

void Mover::go_on(const std::string& by, const std::string& reason) {
  if (has_next_step()) {
    const double weight = *step_at(fixed.plan, state().step + 1).weight;
    order_step(state().step + 1, by, reason + ": on to " + percent(weight));
  } else {
    promote(by, reason);
  }
}

void Mover::promote(const std::string& by, const std::string& reason) {
  RolloutState& s = state();
  s.question.reset();
  s.state = State::kPromoting;
  decide(DecisionKind::kPromote, by, reason);
  s.reason = out.decisions.back().reason;
  if (told())
    give_order(DecisionKind::kPromote, 100);
  else
    reached_everything(now);
}

void Mover::reached_everything(SysTime since) {
  RolloutState& s = state();
  since = std::min(since, now);
  s.reached_weight = 100;
  s.question.reset();
  const int last = static_cast<int>(fixed.plan.steps.size()) - 1;
  if (fixed.plan.soak == Millis{0}) {
    s.step = last;
    end(State::kPromoted, EventType::kPromoted, "promoted: " + s.reason);
    return;
  }
  const bool first = s.step < 0;
  s.step = last;
  s.state = State::kSoaking;
  s.soak_since = s.step_since = s.hold_since = since;
  s.extension = Millis{0};
  watch(since, false, first);
  s.reason = "promoted, watched for another " + format_duration(fixed.plan.soak);
  tell(EventType::kSoaking, s.reason);
}

void Mover::roll_back(const std::string& by, const std::string& reason,
                      std::optional<std::size_t> by_condition) {
  RolloutState& s = state();
  s.question.reset();
  s.waits_for.clear();
  s.state = State::kRollingBack;
  for (ConditionState& c : s.conditions) c.watched_from.reset();
  decide(DecisionKind::kRollback, by, reason, by_condition);
  s.reason = out.decisions.back().reason;
  if (!told()) {
    s.reached_weight = 0;
    rolled_back(s.reason);
  } else if (s.older_active && !s.begun) {
    // It never had any traffic, and an order would take the older one's: "any other version gets
    // none".
    rolled_back("rolled back, and nothing sent: it had no traffic, an older rollout has; " +
                s.reason);
  } else {
    give_order(DecisionKind::kRollback, 0);
  }
}

void Mover::pause(QuestionKind kind, const std::string& by, const std::string& text,
                  std::optional<std::size_t> by_condition, const std::string& datasource) {
  RolloutState& s = state();
  s.state = State::kPaused;
  decide(DecisionKind::kPause, by, text, by_condition);
  s.reason = out.decisions.back().reason;
  OpenQuestion question;
  question.kind = kind;
  question.number = ++s.questions_asked;
  question.since = question.reminded_at = now;
  question.text = s.reason;
  question.datasource = datasource;
  s.question = question;
  // Whoever refused an order, or cannot be reached, is not sent another one about it: then a late
  // acknowledgement of that order still counts.
  const Rare<OpenOrder> lapsed = s.lapsed;
  if (kind == QuestionKind::kOrderRefused || kind == QuestionKind::kOrderExpired) {
    withdraw_order();
    s.lapsed = lapsed;
  } else if (s.begun) {  // before that the orchestrator has not heard of it
    give_order(DecisionKind::kPause, s.reached_weight);
  }
  Event& event = tell(EventType::kPaused, "paused: " + s.reason);
  event.by = by;
  event.question = question_id(question);
  event.datasource = datasource;
  if (by_condition) event.condition = condition(*by_condition).name;
}

void Mover::end(State final_state, EventType type, const std::string& reason) {
  RolloutState& s = state();
  withdraw_order();
  s.question.reset();
  s.waits_for.clear();
  s.state = final_state;
  s.ended_at = now;
  s.reason = cut(reason, kLongestSentence);
  for (ConditionState& c : s.conditions) c.watched_from.reset();
  tell(type, s.reason);
}

void Mover::order_took_effect() {
  if (!state().order) return;
  out.settled.push_back(state().order->number);
  state().order.reset();
}

void Mover::refuse(const std::string& why) { out.refusal = cut(why, kLongestSentence); }

Transition Mover::finish() {
  RolloutState& s = state();
  if (out.refusal) {
    Transition refused;
    refused.refusal = std::move(out.refusal);
    return refused;
  }
  if (s.state == State::kWaiting) {
    const std::string what = waits_for(*this);
    const std::string now_for = what.empty() ? "it begins at once" : cut(what, kLongestSentence);
    if (!what.empty() || s.waits_for == s.reason) s.reason = now_for;
    s.waits_for = now_for;
  }
  // What a rollout that has ended amounts to stays, whatever is still watched.
  const Verdict verdict = had_ended_ ? s.verdict : verdict_of(fixed, s);
  if (verdict != s.verdict) {
    const Verdict before = s.verdict;
    s.verdict = verdict;
    if (!is_final(s.state))
      tell(EventType::kVerdict,
           std::string(name_of(before)) + " → " + std::string(name_of(verdict)) + where());
  }
  for (Event& event : out.events) event.verdict = verdict;
  s.evaluations += static_cast<unsigned>(out.evaluations.size());
  if (out.changed()) {
    ++s.revision;
    s.updated_at = now;
  }
  return std::move(out);
}

}  // namespace rollwatch
