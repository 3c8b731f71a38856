// Simulated rollouts, judged by all of the product that judges: a plan with one condition, whose
// slots are answered in virtual time as a metrics server would, and whatever follows is read off
// the transitions. No formula is called from here.
//
// An order is carried out at once. Slot 1 is the first whose requests are compared: of counters,
// the slot in which the step begins only remembers. There is no warm-up.
#pragma once

#include <functional>
#include <vector>

#include "analysis/advance.h"
#include "test/bench/simulated_rollout.h"

namespace rollwatch::bench {

inline constexpr int kNever = 0;

// In which slot, from 1 on, or never.
struct Outcomes {
  int rolled_back = kNever;
  int promoted = kNever;
};

// ---- Plans, each with a step for each of a world's weights and the whole of it sixty slots long

ConditionPlan threshold_condition(double limit, int in_a_row);
ConditionPlan comparing_condition(CompareRules rules, double alpha, bool early_promote = false);

// ---- Playing them

// What the condition is answered in this slot (0: that in which the first step begins) at this
// step.
using Answers = std::function<SlotAnswered(int slot, int step)>;

Outcomes played(const ConditionPlan& condition, const World& world, const Answers& answers,
                std::vector<HistorySlot> history = {});

// The share of bad requests of the candidate, slot by slot.
Outcomes played_by_threshold(const ConditionPlan& condition, const SimulatedRollout& rollout);
// The counters of all pods, after thirty slots of stable's history.
Outcomes played_by_counters(const ConditionPlan& condition, const SimulatedRollout& rollout);
// The share of bad requests of each version, slot by slot.
Outcomes played_by_shares(const ConditionPlan& condition, const SimulatedRollout& rollout);

Answer one_number(double value);

}  // namespace rollwatch::bench
