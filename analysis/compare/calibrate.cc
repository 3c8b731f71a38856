#include "analysis/compare/calibrate.h"

#include <algorithm>
#include <utility>

#include "analysis/compare/standing.h"

namespace rollwatch {
namespace {

// Of a plan that holds nowhere.
constexpr int kSlotsWithoutHolds = 60;

bool counts_events(const CompareCondition& compares) {
  return compares.kind() == CompareKind::kRate || compares.kind() == CompareKind::kHistogram;
}

// "" if it can be played.
std::string why_not(const Plan& plan, std::size_t i, bool is_wanted) {
  const CompareCondition* compares = comparison_of(plan.conditions[i]);
  if (compares == nullptr)
    return "it compares nothing with stable: thresholds are guards, outside of the promise";
  if (!counts_events(*compares))
    return "it compares one number of each version, in which pods cannot be told apart";
  if (!is_wanted && !is_in_promise(plan, i))
    return "its failing rolls nothing back; name it as the condition to calibrate it by itself";
  return "";
}

// The hold, or the little that a step without one takes to pass for the first time.
Millis length_of(const Plan& plan, const StepPlan& step, const std::vector<std::size_t>& played) {
  Millis length = step.hold;
  for (const std::size_t i : played) {
    const ConditionPlan& condition = plan.conditions[i];
    if (applies(condition, step.weight))
      length = std::max(length, comparison_of(condition)->warmup + 2 * condition.interval);
  }
  return length;
}

std::vector<PretendedStep> steps_of(const Plan& plan, const std::vector<std::size_t>& played,
                                    Millis longest_interval) {
  Millis held{0};
  for (const StepPlan& step : plan.steps) held += step.hold;
  if (held == Millis{0}) {
    const auto weight = plan.steps.empty() ? std::nullopt : plan.steps.front().weight;
    return {{weight, kSlotsWithoutHolds * longest_interval}};
  }
  std::vector<PretendedStep> steps;
  for (const StepPlan& step : plan.steps)
    steps.push_back({step.weight, length_of(plan, step, played)});
  return steps;
}

}  // namespace

Expected<Calibration, std::string> calibration_of(const Plan& plan,
                                                  const std::optional<std::string>& wanted) {
  Calibration calibration;
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    const ConditionPlan& condition = plan.conditions[i];
    if (condition.is_readiness || (wanted && condition.name != *wanted)) continue;
    std::string why = why_not(plan, i, wanted.has_value());
    if (why.empty())
      calibration.conditions.push_back(i);
    else if (wanted)
      return Unexpected("\"" + condition.name + "\" cannot be calibrated: " + why);
    else
      calibration.left_out.push_back({condition.name, std::move(why)});
  }
  if (calibration.conditions.empty()) {
    std::string why =
        "no condition of it compares counters with stable (compare = \"rate\" or \"histogram\") "
        "and rolls back: there is no promise to be measured";
    for (const auto& left_out : calibration.left_out)
      why += "; " + left_out.condition + ": " + left_out.why;
    return Unexpected(std::move(why));
  }
  Millis longest{0}, shortest = Millis::max();
  for (const std::size_t i : calibration.conditions) {
    longest = std::max(longest, plan.conditions[i].interval);
    shortest = std::min(shortest, plan.conditions[i].interval);
  }
  calibration.alpha = comparison_of(plan.conditions[calibration.conditions.front()])->alpha;
  calibration.steps = steps_of(plan, calibration.conditions, longest);
  calibration.history = kHistorySlots * longest;
  for (const PretendedStep& step : calibration.steps) calibration.rollout += step.length;
  calibration.slots = static_cast<std::size_t>(calibration.rollout / shortest);
  return calibration;
}

PastWindows windows_of(const Calibration& calibration, SysTime from, SysTime to) {
  PastWindows windows;
  const Millis room = to - from - calibration.history;
  if (room < calibration.rollout) return windows;
  windows.possible = static_cast<std::size_t>(room / calibration.rollout);
  const std::size_t affordable = std::clamp<std::size_t>(
      kMostSlots / std::max<std::size_t>(calibration.slots, 1), 1, kMostWindows);
  const std::size_t chosen = std::min(windows.possible, affordable);
  for (std::size_t i = 0; i < chosen; ++i) {
    const auto place = static_cast<std::int64_t>(i * windows.possible / chosen);
    windows.begins.push_back(from + calibration.history + place * calibration.rollout);
  }
  return windows;
}

PastTimes times_of(const ConditionPlan& condition, const Calibration& calibration, SysTime begins) {
  return {begins - kHistorySlots * condition.interval,
          begins + calibration.rollout / condition.interval * condition.interval};
}

}  // namespace rollwatch
