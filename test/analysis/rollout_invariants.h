// What must hold after every step of every rollout, whatever happens to it: the rules that are
// never broken, as far as one transition shows them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "analysis/advance.h"

namespace rollwatch {

// A sentence for people: not empty, short, one line.
inline bool is_sentence(const std::string& text) {
  if (text.size() > 300) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) return false;
  }
  return true;
}

inline bool is_the_engines(const Decision& decision) { return decision.by == "engine"; }

// Passing slots of this step are asked of every gating condition that has an answer, and of one at
// least. What was there before, and the slot of this very step.
inline bool has_evidence(Fixed fixed, const RolloutState& before, const Transition& step) {
  bool gated = false;
  bool any = false;
  bool ever = false;
  for (std::size_t i = 0; i < fixed.plan.conditions.size(); ++i) {
    const ConditionPlan& condition = fixed.plan.conditions[i];
    const ConditionState& c = before.conditions[i];
    Outcome last = c.last ? c.last->outcome : Outcome::kMissed;
    std::uint32_t passes = c.passes_in_step;
    for (const Evaluation& e : step.evaluations) {
      if (e.condition != i) continue;
      last = e.judgement.outcome;
      passes += last == Outcome::kPass ? 1 : 0;
    }
    ever = ever || c.passes > 0 || passes > 0;
    if (condition.on_fail == OnFail::kObserve || before.conditions_only_observe) continue;
    if (!applies(condition, step_weight(fixed.plan, before))) continue;
    gated = true;
    any = any || passes > 0;
    const bool ignored = (last == Outcome::kNoData && condition.on_no_data == OnMissing::kIgnore) ||
                         (last == Outcome::kError && condition.on_error == OnMissing::kIgnore);
    const bool passing =
        last == Outcome::kPass && passes >= static_cast<std::uint32_t>(condition.min_passes);
    if (c.failed || !(ignored || passing)) return false;
  }
  const bool leaves_a_step = before.step + 1 < static_cast<int>(fixed.plan.steps.size());
  return gated ? any : (ever || leaves_a_step);
}

inline void expect_rules_kept(Fixed fixed, const RolloutState& before, const Transition& step) {
  if (step.refusal) {
    EXPECT_TRUE(is_sentence(*step.refusal)) << *step.refusal;
    EXPECT_FALSE(step.refusal->empty());
    EXPECT_TRUE(step.events.empty() && step.decisions.empty() && step.orders.empty() &&
                step.evaluations.empty());
    return;
  }
  const RolloutState& after = step.state;

  // Ended is ended.
  EXPECT_EQ(is_final(after.state), after.ended_at.has_value());
  if (is_final(before.state)) {
    EXPECT_EQ(after.state, before.state);
    EXPECT_TRUE(step.decisions.empty() && step.orders.empty() && step.withdrawn.empty());
    EXPECT_EQ(after.verdict, before.verdict);
    EXPECT_TRUE(before.recovery || !step.changed()) << "it had ended, and nothing was watched";
  }
  if (is_final(after.state)) {
    EXPECT_FALSE(after.order || after.question || after.lapsed);
  }

  // Questions belong to rollouts that wait for somebody.
  EXPECT_EQ(after.question.has_value(),
            after.state == State::kPaused || (after.state == State::kWaiting && after.question));
  EXPECT_EQ(after.soak_since.has_value() && after.state == State::kSoaking,
            after.state == State::kSoaking);

  // One order at a time, in numbers that grow; what was replaced is withdrawn or settled.
  EXPECT_LE(step.orders.size(), 1U);
  EXPECT_GE(after.orders_given, before.orders_given);
  for (const Order& order : step.orders) {
    EXPECT_GT(order.number, before.orders_given);
    EXPECT_EQ(order.number, after.orders_given);
    if (after.order) {
      EXPECT_EQ(after.order->number, order.number);
    }
    EXPECT_FALSE(fixed.spec.orchestrator.empty());
  }
  if (step.orders.empty() && after.order) {
    ASSERT_TRUE(before.order);
    EXPECT_EQ(after.order->number, before.order->number);
  }
  if (after.state == State::kRollingBack) {
    ASSERT_TRUE(after.order);
    EXPECT_EQ(after.order->kind, DecisionKind::kRollback);
  }

  // A rollback, once decided, is final.
  if (before.state == State::kRollingBack) {
    EXPECT_TRUE(after.state == State::kRollingBack || after.state == State::kRolledBack ||
                after.state == State::kRollbackFailed);
    EXPECT_TRUE(step.decisions.empty());
    EXPECT_TRUE(step.orders.empty());
    EXPECT_TRUE(step.withdrawn.empty());
  }
  unsigned number = before.decisions_made;
  bool rolled_back = false;
  for (const Decision& decision : step.decisions) {
    EXPECT_EQ(decision.number, ++number);
    EXPECT_FALSE(rolled_back) << "a decision after the rollback";
    rolled_back = decision.kind == DecisionKind::kRollback && !decision.would_have;
    EXPECT_TRUE(is_sentence(decision.reason)) << decision.reason;
    EXPECT_FALSE(decision.reason.empty());
    // No evidence, no promotion. The first step needs none, nor what is promoted to be observed
    // only.
    const bool goes_on = decision.kind == DecisionKind::kPromote ||
                         (decision.kind == DecisionKind::kAdvance && before.step >= 0);
    if (goes_on && is_the_engines(decision) && before.state != State::kWaiting) {
      EXPECT_TRUE(has_evidence(fixed, before, step)) << decision.reason;
    }
    // A person's promotion is not undone by the engine.
    if (before.conditions_only_observe && is_the_engines(decision) && !decision.would_have) {
      EXPECT_NE(decision.kind, DecisionKind::kRollback);
    }
  }
  EXPECT_EQ(after.decisions_made, number);

  // Slots have one end each.
  for (const Evaluation& e : step.evaluations) {
    EXPECT_GT(e.slot, before.conditions[e.condition].last_slot);
    EXPECT_GE(e.last_slot, e.slot);
    EXPECT_EQ(after.conditions[e.condition].last_slot, e.last_slot);
    EXPECT_TRUE(is_watching(before));
  }

  // What people read is one short line, and what changed is told.
  for (const Event& event : step.events) {
    EXPECT_TRUE(is_sentence(event.summary)) << event.summary;
    EXPECT_FALSE(event.summary.empty());
  }
  EXPECT_TRUE(is_sentence(after.reason)) << after.reason;
  EXPECT_TRUE(is_sentence(after.waits_for)) << after.waits_for;
  if (after.question) {
    EXPECT_TRUE(is_sentence(after.question->text)) << after.question->text;
  }
  if (before.state != after.state) {
    EXPECT_FALSE(step.events.empty());
  }
  EXPECT_EQ(after.revision, before.revision + (step.changed() ? 1 : 0));
}

}  // namespace rollwatch
