// What must hold over a whole run of a rollout and cannot be seen from one step: the run is
// followed from outside, by what was evaluated, decided, ordered and told, and compared with what
// the state claims to remember.
//
//   RunInvariants run({spec, plan});
//   run.expect_kept(before, input, step);   // after every step, also a refused one
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "analysis/alerts.h"
#include "analysis/state_codec.h"
#include "test/analysis/rollout_invariants.h"

namespace rollwatch {

class RunInvariants {
 public:
  explicit RunInvariants(Fixed fixed) : fixed_(fixed), seen_(fixed.plan.conditions.size()) {}

  // How often each rule had something to say: a rule that never does proves nothing.
  struct Applied {
    int steps_ended = 0;     // by the engine, with conditions that gate
    int silences_ended = 0;  // patience was used up, and the rollout stopped
    int told_reasons = 0;    // people's own words, found again in the record

    void operator+=(const Applied& other) {
      steps_ended += other.steps_ended;
      silences_ended += other.silences_ended;
      told_reasons += other.told_reasons;
    }
  };
  const Applied& applied() const { return applied_; }

  void expect_kept(const RolloutState& before, const Input& input, const Transition& step) {
    expect_rules_kept(fixed_, before, step);
    if (step.refusal) return;
    if (!step.changed()) {
      EXPECT_EQ(encode_state(step.state), encode_state(before)) << "changed, and nobody is told";
    }
    const bool a_person = std::holds_alternative<PersonDecided>(input);
    expect_each_slot_has_one_end(before, input, step);
    for (const Evaluation& e : step.evaluations) note(before, e);
    expect_evidence(before, step);
    expect_silence_stops(before, input, step);
    expect_blame(step);
    expect_failures_stay(before, step, a_person);
    expect_orders_move_forward(before, input, step);
    expect_people_outrank(before, input, step);
    expect_their_words_are_kept(input, step);
    if (std::holds_alternative<WatchResumed>(input)) forget_passes();
  }

 private:
  // What was seen of a condition, from outside.
  struct OfCondition {
    int passes = 0;                       // in the step
    std::optional<Outcome> latest;        // of its latest slot
    std::optional<SysTime> silent_since;  // no answer since, and nothing that starts patience again
    std::int64_t recorded = 0;            // slots with an end
  };

  void forget_passes() {
    for (OfCondition& c : seen_) c.passes = 0;
  }

  // Nothing is lost: what was asked while it was watched has one record, with an outcome, and what
  // was not watched has none.
  void expect_each_slot_has_one_end(const RolloutState& before, const Input& input,
                                    const Transition& step) {
    const auto* answered = std::get_if<SlotAnswered>(&input);
    const auto* missed = std::get_if<SlotsMissed>(&input);
    if (answered == nullptr && missed == nullptr) {
      EXPECT_TRUE(step.evaluations.empty());
      return;
    }
    const std::size_t i = answered != nullptr ? answered->condition : missed->condition;
    const std::int64_t last = answered != nullptr ? answered->slot : missed->last;
    const std::int64_t known = before.conditions[i].last_slot;
    const bool late = missed != nullptr && missed->cause == Cause::kMissedEnded;
    const bool is_new = last > known && (is_watching(before) || late);
    ASSERT_EQ(step.evaluations.size(), is_new ? 1U : 0U);
    if (is_new) {
      const Evaluation& e = step.evaluations[0];
      EXPECT_EQ(e.condition, i);
      EXPECT_EQ(e.last_slot, last);
      const bool follows = known != ConditionState::kNoSlot && missed != nullptr;
      EXPECT_EQ(e.slot, answered != nullptr ? last
                        : follows           ? std::max(missed->first, known + 1)
                                            : missed->first);
      const bool not_sent = e.judgement.cause == Cause::kMissedOverload;
      EXPECT_EQ(e.judgement.outcome == Outcome::kMissed, missed != nullptr || not_sent);
      seen_[i].recorded += e.last_slot - e.slot + 1;
    }
    const auto& counts = step.state.conditions[i].counts;
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), seen_[i].recorded)
        << "the counts are not those of the history";
  }

  void note(const RolloutState& before, const Evaluation& e) {
    OfCondition& c = seen_[e.condition];
    const ConditionPlan& plan = fixed_.plan.conditions[e.condition];
    const Judgement& j = e.judgement;
    if (j.cause == Cause::kMissedEnded) return;
    c.latest = j.outcome;
    note_silence(before, e);
    if (j.outcome != Outcome::kPass) return;
    const auto& threshold = std::get<ThresholdCondition>(plan.kind);
    if (threshold.evidence) {
      EXPECT_TRUE(j.evidence && *j.evidence >= threshold.min_evidence)
          << plan.name << " passes on " << j.evidence.value_or(0) << " events";
    }
    // Of windows that lie wholly in the step, recorded since it began.
    if (!before.step_since) return;
    const bool of_the_step = e.evaluated_at - lookback(plan) >= *before.step_since;
    EXPECT_TRUE(of_the_step || before.recovery || plan.is_readiness);
    if (!of_the_step || plan.is_readiness) return;
    ++c.passes;
    ever_passed_ = true;
  }

  // Counted from the last slot of a run of missed ones, so rather too short than too long.
  void note_silence(const RolloutState& before, const Evaluation& e) {
    OfCondition& c = seen_[e.condition];
    const auto& from = before.conditions[e.condition].watched_from;
    if (!from || e.evaluated_at < *from) return;  // asked for what was before
    const Cause cause = e.judgement.cause;
    const bool nobody_looked = cause == Cause::kMissedDowntime ||
                               cause == Cause::kMissedClockJump || cause == Cause::kMissedStore;
    if (nobody_looked || has_answer(e) || is_ignored(e.condition))
      c.silent_since.reset();
    else if (!c.silent_since)
      c.silent_since = e.evaluated_at;
  }

  bool has_answer(const Evaluation& e) const {
    const ConditionPlan& c = fixed_.plan.conditions[e.condition];
    const Outcome outcome = e.judgement.outcome;
    return outcome == Outcome::kPass || outcome == Outcome::kFail ||
           outcome == Outcome::kInconclusive ||
           (outcome == Outcome::kNoData && c.on_no_data == OnMissing::kFail) ||
           (outcome == Outcome::kError && c.on_error == OnMissing::kFail);
  }

  // It gates nothing while its latest slot is one that the plan ignores; only then.
  bool is_ignored(std::size_t i) const {
    const ConditionPlan& c = fixed_.plan.conditions[i];
    return (seen_[i].latest == Outcome::kNoData && c.on_no_data == OnMissing::kIgnore) ||
           (seen_[i].latest == Outcome::kError && c.on_error == OnMissing::kIgnore);
  }

  bool gates(const RolloutState& state, std::size_t i) const {
    const ConditionPlan& c = fixed_.plan.conditions[i];
    return c.on_fail != OnFail::kObserve && !c.is_readiness && !state.conditions_only_observe &&
           applies(c, step_weight(fixed_.plan, state));
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
      for (std::size_t i = 0; i < seen_.size(); ++i) {
        if (!gates(before, i)) continue;
        const ConditionPlan& c = fixed_.plan.conditions[i];
        gated = true;
        any = any || seen_[i].passes > 0;
        if (is_ignored(i)) continue;
        EXPECT_GE(seen_[i].passes, c.min_passes) << c.name << ": " << d.reason;
        EXPECT_TRUE(seen_[i].latest == Outcome::kPass)
            << c.name << "'s latest slot does not pass: " << d.reason;
      }
      EXPECT_TRUE(any || !gated) << d.reason;
      EXPECT_TRUE(gated || ever_passed_ || d.kind == DecisionKind::kAdvance) << d.reason;
      applied_.steps_ended += gated ? 1 : 0;
    }
    if (step.state.step_since != before.step_since || step.state.step != before.step ||
        step.state.soak_since != before.soak_since)
      forget_passes();
  }

  // Nothing waits in silence: a gate without an answer for `patience` stops the rollout. Whatever
  // may start patience again starts this count again.
  void expect_silence_stops(const RolloutState& before, const Input& input,
                            const Transition& step) {
    for (const Evaluation& e : step.evaluations) {
      const auto& since = seen_[e.condition].silent_since;
      const bool used_up = since && e.evaluated_at - *since >= fixed_.plan.patience;
      if (!used_up || before.state != State::kAnalyzing || !gates(before, e.condition)) continue;
      EXPECT_NE(step.state.state, State::kAnalyzing)
          << fixed_.plan.conditions[e.condition].name << " gave no answer for too long";
      ++applied_.silences_ended;
    }
    const bool starts_again =
        std::holds_alternative<PersonDecided>(input) ||
        std::holds_alternative<WatchResumed>(input) || std::holds_alternative<Begin>(input) ||
        step.state.step != before.step || step.state.soak_since != before.soak_since ||
        !is_watching(step.state);
    if (!starts_again) return;
    for (OfCondition& c : seen_) c.silent_since.reset();
  }

  // The engine rolls back for an answer that says so, or because the plan says so in so many words.
  void expect_blame(const Transition& step) {
    for (const Decision& d : step.decisions) {
      if (d.kind != DecisionKind::kRollback || !is_the_engines(d) || d.would_have) continue;
      if (d.by_alerts) {
        EXPECT_EQ(fixed_.plan.alerts.value().on_fire, OnFail::kRollback) << d.reason;
        EXPECT_TRUE(any_alert_counts(*step.state.alerts)) << d.reason;
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
    if (std::holds_alternative<RollbackSentAgain>(input) && !step.refusal)
      open_.insert(step.state.order->number);
    for (const unsigned number : step.withdrawn) end(number, "withdrawn");
    for (const unsigned number : step.settled) end(number, "settled");
    // A rollback is replaced by nothing; one that is sent again only by a newer rollout's orders.
    const bool superseded = std::holds_alternative<SupersededBy>(input) && is_final(before.state);
    if (before.order && before.order->kind == DecisionKind::kRollback && !superseded) {
      EXPECT_TRUE(step.withdrawn.empty());
    }
    if (before.older_active && !before.begun) {
      EXPECT_TRUE(step.state.begun || step.orders.empty()) << "that would be the older one's share";
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

  // What people decided is in the record with their names and their own words.
  void expect_their_words_are_kept(const Input& input, const Transition& step) {
    const auto* person = std::get_if<PersonDecided>(&input);
    const auto* freeze = std::get_if<FreezeChanged>(&input);
    if (const auto* again = std::get_if<RollbackSentAgain>(&input)) {
      EXPECT_TRUE(std::any_of(step.events.begin(), step.events.end(), [again](const Event& e) {
        return e.by == again->by && e.reason == again->reason && e.order;
      }));
    }
    for (const Event& event : step.events) {
      const bool about_it = event.type == EventType::kFrozen || event.type == EventType::kThawed;
      if (person != nullptr && event.type == EventType::kDecided && event.by != "engine") {
        EXPECT_EQ(event.by, person->by);
        EXPECT_EQ(event.reason, person->reason);
        ++applied_.told_reasons;
      }
      if (freeze == nullptr || !about_it) continue;
      EXPECT_EQ(event.by, freeze->by.empty() ? "engine" : freeze->by);
      EXPECT_EQ(event.reason, freeze->reason);
    }
    if (person == nullptr) return;
    const auto is_theirs = [](const Event& e) {
      return e.type == EventType::kDecided && e.by != "engine";
    };
    EXPECT_TRUE(std::any_of(step.events.begin(), step.events.end(), is_theirs))
        << "a person decided, and it is not in the record";
  }

  Fixed fixed_;
  std::vector<OfCondition> seen_;  // by condition
  Applied applied_;
  bool ever_passed_ = false;
  std::set<unsigned> open_;  // orders that are out
  unsigned newest_ = 0;
};

// Over many runs.
inline void expect_often(const RunInvariants::Applied& applied) {
  EXPECT_GT(applied.steps_ended, 100);
  EXPECT_GT(applied.silences_ended, 20);
  EXPECT_GT(applied.told_reasons, 100);
}

}  // namespace rollwatch
