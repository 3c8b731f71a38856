#include "analysis/plan.h"

#include <algorithm>

namespace rollwatch {

bool applies(const ConditionPlan& condition, std::optional<double> weight) {
  // At 100 % stable serves nobody, or only what is left of it: there is nothing to compare with.
  if (condition.steps.empty()) return comparison_of(condition) == nullptr || weight != 100.0;
  return weight && std::find(condition.steps.begin(), condition.steps.end(), *weight) !=
                       condition.steps.end();
}

const StepPlan& step_at(const Plan& plan, int index) {
  return plan.steps[static_cast<std::size_t>(index)];
}

int step_for(const Plan& plan, double weight) {
  int index = 0;
  while (index + 1 < static_cast<int>(plan.steps.size()) && *step_at(plan, index).weight < weight)
    ++index;
  return index;
}

std::optional<std::size_t> readiness_of(const Plan& plan) {
  const auto found = std::find_if(plan.conditions.begin(), plan.conditions.end(),
                                  [](const ConditionPlan& c) { return c.is_readiness; });
  if (found == plan.conditions.end()) return std::nullopt;
  return static_cast<std::size_t>(found - plan.conditions.begin());
}

const CompareCondition* comparison_of(const ConditionPlan& condition) {
  return std::get_if<CompareCondition>(&condition.kind);
}

const ThresholdCondition* count_of(const ConditionPlan& condition) {
  const auto* threshold = std::get_if<ThresholdCondition>(&condition.kind);
  return threshold != nullptr && threshold->counts ? threshold : nullptr;
}

std::vector<PlannedQuestion> questions_of(const ConditionPlan& condition) {
  if (const auto* threshold = std::get_if<ThresholdCondition>(&condition.kind)) {
    if (!threshold->evidence) return {{&threshold->query}};
    return {{&threshold->query}, {.query = &*threshold->evidence, .is_evidence = true}};
  }
  const auto& compares = std::get<CompareCondition>(condition.kind);
  std::vector<PlannedQuestion> questions;
  for (const Arm arm : {Arm::kCandidate, Arm::kStable}) {
    questions.push_back({&compares.counted, arm});
    if (compares.bad) questions.push_back({.query = &*compares.bad, .arm = arm, .is_bad = true});
  }
  return questions;
}

Millis lookback(const ConditionPlan& condition) {
  const auto* threshold = std::get_if<ThresholdCondition>(&condition.kind);
  if (threshold == nullptr) return Millis{0};
  const bool windowed = threshold->query.uses("window") ||
                        (threshold->evidence && threshold->evidence->uses("window"));
  return windowed ? condition.window : Millis{0};
}

Millis first_slot_after(const ConditionPlan& condition) {
  // Where differences count, the first slot only remembers: the sooner the better.
  if (comparison_of(condition) != nullptr || count_of(condition) != nullptr) return Millis{0};
  const Millis window = lookback(condition);
  return window > Millis{0} ? window : condition.interval;
}

}  // namespace rollwatch
