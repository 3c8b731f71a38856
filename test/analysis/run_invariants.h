// What must hold over a whole run of a rollout and cannot be seen from one step: the run is
// followed from outside, by what was evaluated, decided, ordered and told, and compared with what
// the state claims to remember.
//
//   RunInvariants run({spec, plan});
//   run.expect_kept(before, input, step);   // after every step, also a refused one
#pragma once

#include <gtest/gtest.h>

#include <set>

#include "analysis/alerts.h"
#include "analysis/state_codec.h"
#include "test/analysis/rollout_invariants.h"

namespace rollwatch {

class RunInvariants {
 public:
  explicit RunInvariants(Fixed fixed) : fixed_(fixed), passes_(fixed.plan.conditions.size()) {}

  void expect_kept(const RolloutState& before, const Input& input, const Transition& step) {
    expect_rules_kept(fixed_, before, step);
    if (step.refusal) return;
    if (!step.changed()) {
      EXPECT_EQ(encode_state(step.state), encode_state(before)) << "changed, and nobody is told";
    }
    const bool a_person = std::holds_alternative<PersonDecided>(input);
    expect_each_slot_has_one_end(input, step);
    count_passes(before, step);
    expect_evidence(before, step);
    expect_blame(step);
    expect_failures_stay(before, step, a_person);
    expect_orders_move_forward(before, input, step);
    expect_people_outrank(before, input, step);
    if (std::holds_alternative<WatchResumed>(input)) forget_passes();
  }

 private:
  void forget_passes() { passes_.assign(passes_.size(), 0); }

  // Nothing is lost: what was asked while it was watched has one record, with an outcome.
  void expect_each_slot_has_one_end(const Input& input, const Transition& step) {
    const auto* answered = std::get_if<SlotAnswered>(&input);
    const auto* missed = std::get_if<SlotsMissed>(&input);
    if (answered == nullptr && missed == nullptr) {
      EXPECT_TRUE(step.evaluations.empty());
      return;
    }
    EXPECT_LE(step.evaluations.size(), 1U);
    for (const Evaluation& e : step.evaluations) {
      EXPECT_EQ(e.condition, answered != nullptr ? answered->condition : missed->condition);
      EXPECT_EQ(e.last_slot, answered != nullptr ? answered->slot : missed->last);
      EXPECT_EQ(e.judgement.outcome == Outcome::kMissed, missed != nullptr);
    }
  }

  // Of windows that lie wholly in the step, recorded since it began.
  void count_passes(const RolloutState& before, const Transition& step) {
    for (const Evaluation& e : step.evaluations) {
      if (e.judgement.outcome != Outcome::kPass || !before.step_since) continue;
      const Millis window = lookback(fixed_.plan.conditions[e.condition]);
      const bool of_the_step = e.evaluated_at - window >= *before.step_since;
      EXPECT_TRUE(of_the_step || before.recovery || is_readiness(e.condition));
      if (of_the_step && !is_readiness(e.condition)) {
        ++passes_[e.condition];
        ever_passed_ = true;
      }
    }
  }

  // No evidence, no promotion, and no next step either: counted here, not in the state.
  void expect_evidence(const RolloutState& before, const Transition& step) {
    for (const Decision& d : step.decisions) {
      const bool goes_on = d.kind == DecisionKind::kPromote || d.kind == DecisionKind::kAdvance;
      if (!goes_on || !is_the_engines(d) || before.step < 0 || before.conditions_only_observe)
        continue;
      // What a person had decided before a freeze is ordered again after it.
      if (before.freeze && !step.state.freeze && before.lapsed && before.lapsed->by_person)
        continue;
      bool gated = false;
      bool any = false;
      for (std::size_t i = 0; i < passes_.size(); ++i) {
        const ConditionPlan& c = fixed_.plan.conditions[i];
        const bool gates = c.on_fail != OnFail::kObserve && !c.is_readiness &&
                           applies(c, step_weight(fixed_.plan, before));
        if (!gates) continue;
        gated = true;
        any = any || passes_[i] > 0;
        const bool may_be_ignored =
            c.on_no_data == OnMissing::kIgnore || c.on_error == OnMissing::kIgnore;
        EXPECT_TRUE(passes_[i] >= c.min_passes || may_be_ignored) << c.name << ": " << d.reason;
      }
      EXPECT_TRUE(any || !gated) << d.reason;
      EXPECT_TRUE(gated || ever_passed_ || d.kind == DecisionKind::kAdvance) << d.reason;
    }
    if (step.state.step_since != before.step_since || step.state.step != before.step ||
        step.state.soak_since != before.soak_since)
      forget_passes();
  }

  // The engine rolls back for an answer that says so, or because the plan says so in so many words.
  void expect_blame(const Transition& step) {
    for (const Decision& d : step.decisions) {
      if (d.kind != DecisionKind::kRollback || !is_the_engines(d) || d.would_have) continue;
      if (d.by_alerts) {
        EXPECT_EQ(fixed_.plan.alerts.value().on_fire, OnFail::kRollback) << d.reason;
        EXPECT_TRUE(any_alert_counts(step.state.alerts)) << d.reason;
        continue;
      }
      if (!d.condition) {
        EXPECT_EQ(fixed_.plan.on_deadline, OnDeadline::kRollback) << d.reason;
        continue;
      }
      const ConditionPlan& c = fixed_.plan.conditions[*d.condition];
      if (step.evaluations.empty()) {
        EXPECT_TRUE(c.is_readiness) << d.reason;  // its time was up
        continue;
      }
      const Outcome outcome = step.evaluations[0].judgement.outcome;
      EXPECT_EQ(step.evaluations[0].condition, *d.condition);
      EXPECT_TRUE(outcome == Outcome::kFail ||
                  (outcome == Outcome::kNoData && c.on_no_data == OnMissing::kFail) ||
                  (outcome == Outcome::kError && c.on_error == OnMissing::kFail) ||
                  (outcome == Outcome::kInconclusive &&
                   fixed_.plan.on_inconclusive == OnInconclusive::kRollback))
          << d.reason;
    }
  }

  // A failed verdict is never undone by what is measured later, only by a person who goes on.
  void expect_failures_stay(const RolloutState& before, const Transition& step, bool a_person) {
    for (std::size_t i = 0; i < before.conditions.size(); ++i) {
      if (before.conditions[i].failed) {
        EXPECT_TRUE(step.state.conditions[i].failed || a_person) << fixed_.plan.conditions[i].name;
      }
    }
    const bool rolls_back = before.state == State::kRollingBack || is_final(before.state);
    if (rolls_back && before.verdict == Verdict::kFailed) {
      EXPECT_EQ(step.state.verdict, Verdict::kFailed);
    }
  }

  // Every order ends once, in the order of its number, and a rollback is never taken back.
  void expect_orders_move_forward(const RolloutState& before, const Input& input,
                                  const Transition& step) {
    const auto end = [this](unsigned number, const char* how) {
      EXPECT_EQ(open_.erase(number), 1U) << "order " << number << " is not out, but " << how;
    };
    const auto* ended = std::get_if<OrderEnded>(&input);
    const bool answered = ended != nullptr && before.order &&
                          ended->number == before.order->number &&
                          ended->end != OrderEnd::kAccepted;
    if (answered) end(ended->number, "ended");
    for (const unsigned number : step.withdrawn) end(number, "withdrawn");
    for (const unsigned number : step.settled) end(number, "settled");
    if (before.order && before.order->kind == DecisionKind::kRollback) {
      EXPECT_TRUE(step.withdrawn.empty());
    }
    for (const Order& order : step.orders) {
      EXPECT_GT(order.number, newest_) << "its fence would be behind";
      newest_ = order.number;
      open_.insert(order.number);
      bool decided = false;
      for (const Decision& d : step.decisions)
        decided = decided || (d.number == order.decision && d.kind == order.kind && !d.would_have);
      EXPECT_TRUE(decided) << "an order that nobody decided";
      const bool goes_on =
          order.kind == DecisionKind::kAdvance || order.kind == DecisionKind::kPromote;
      EXPECT_FALSE(goes_on && step.state.freeze) << "an order to go on while it is frozen";
    }
    const std::set<unsigned> out =
        step.state.order ? std::set<unsigned>{step.state.order->number} : std::set<unsigned>{};
    EXPECT_EQ(open_, out) << "an order ended and nobody was told";
  }

  // What a person decided is never undone by the engine; what waits for a person is not answered by
  // it.
  void expect_people_outrank(const RolloutState& before, const Input& input,
                             const Transition& step) {
    EXPECT_TRUE(step.state.conditions_only_observe || !before.conditions_only_observe);
    for (const Decision& d : step.decisions) {
      const auto* person = std::get_if<PersonDecided>(&input);
      if (!is_the_engines(d) && !d.would_have) {
        EXPECT_TRUE(person != nullptr && d.by == person->by);
      }
    }
    const bool waits = before.state == State::kPaused && step.state.state != State::kPaused;
    if (!waits || std::holds_alternative<PersonDecided>(input)) return;
    const QuestionKind kind = before.question->kind;
    const bool lifts_itself = kind == QuestionKind::kNoAnswers || kind == QuestionKind::kNotReady;
    const bool told_otherwise = std::holds_alternative<WeightReported>(input) ||
                                std::holds_alternative<SupersededBy>(input) ||
                                std::holds_alternative<OrderEnded>(input);
    const bool rolls_back =
        step.state.state == State::kRollingBack || step.state.state == State::kRolledBack;
    EXPECT_TRUE(lifts_itself || told_otherwise || rolls_back) << name_of(kind);
  }

  bool is_readiness(std::size_t i) const { return fixed_.plan.conditions[i].is_readiness; }

  Fixed fixed_;
  std::vector<int> passes_;  // of the step, by condition
  bool ever_passed_ = false;
  std::set<unsigned> open_;  // orders that are out
  unsigned newest_ = 0;
};

}  // namespace rollwatch
