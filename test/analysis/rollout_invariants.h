// What must hold after every step of every rollout, whatever happens to it: the rules that are
// never broken, as far as one transition shows them. What only a whole run shows is in
// run_invariants.h.
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
    EXPECT_TRUE(step.decisions.empty() && step.orders.empty());
    EXPECT_TRUE(step.withdrawn.empty() || awaits_somebody(before));
    EXPECT_EQ(after.verdict, before.verdict);
    const bool was_out =
        !step.evaluations.empty() && step.evaluations[0].judgement.cause == Cause::kMissedEnded;
    EXPECT_TRUE(before.recovery || awaits_somebody(before) || was_out || !step.changed())
        << "it had ended, nothing was watched and nobody waited for";
    EXPECT_TRUE(awaits_somebody(before) || !awaits_somebody(after));
  }
  if (is_final(after.state)) {
    EXPECT_FALSE(after.question);
    EXPECT_TRUE(awaits_somebody(after) || (!after.order && !after.lapsed));
    EXPECT_FALSE(after.order && after.lapsed);
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
    const auto& same = awaits_somebody(before) && !before.order ? before.lapsed : before.order;
    ASSERT_TRUE(same);
    EXPECT_EQ(after.order->number, same->number);
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
    EXPECT_TRUE(is_watching(before) || e.judgement.cause == Cause::kMissedEnded);
  }

  // What people read is one short line, and what changed is told.
  for (const Event& event : step.events) {
    EXPECT_TRUE(is_sentence(event.summary)) << event.summary;
    EXPECT_FALSE(event.summary.empty());
  }
  EXPECT_TRUE(is_sentence(after.reason)) << after.reason;
  EXPECT_TRUE(is_sentence(after.waits_for)) << after.waits_for.text();
  if (after.question) {
    EXPECT_TRUE(is_sentence(after.question->text)) << after.question->text;
  }
  if (before.state != after.state) {
    EXPECT_FALSE(step.events.empty());
  }
  EXPECT_EQ(after.revision, before.revision + (step.changed() ? 1 : 0));
}

}  // namespace rollwatch
