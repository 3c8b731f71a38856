#include "analysis/compare/pretended_rollout.h"

#include <algorithm>
#include <utility>

#include "analysis/compare/see.h"
#include "analysis/compare/standing.h"
#include "analysis/compare/words.h"

namespace rollwatch {

PretendedRollout::PretendedRollout(const Plan& plan, const Calibration& calibration,
                                   const PastPods& pods, std::size_t pod)
    : plan_(plan),
      calibration_(calibration),
      pods_(pods),
      pod_(pod),
      states_(plan.conditions.size()) {
  for (std::size_t i = 0; i < calibration.conditions.size(); ++i) add_slots_of(i);
  std::ranges::stable_sort(due_, {}, &Due::at);
}

const ConditionPlan& PretendedRollout::plan_of(std::size_t condition) const {
  return plan_.conditions[calibration_.conditions[condition]];
}

// As a rollout has them: the first when it begins, which only remembers; warming up by the clock.
void PretendedRollout::add_slots_of(std::size_t condition) {
  const ConditionPlan& plan = plan_of(condition);
  const CompareCondition& compares = *comparison_of(plan);
  SysTime begins = pods_.begins();
  std::uint32_t step = 0;
  for (std::size_t slot = kHistorySlots; slot < pods_.slots(condition); ++slot) {
    const SysTime at =
        pods_.begins() + static_cast<std::int64_t>(slot - kHistorySlots) * plan.interval;
    while (step + 1 < calibration_.steps.size() && at > begins + calibration_.steps[step].length)
      begins += calibration_.steps[step++].length;
    if (!applies(plan, calibration_.steps[step].weight)) continue;
    due_.push_back({at, condition, slot, step, at - plan.interval < begins + compares.warmup});
  }
}

bool PretendedRollout::go_on() {
  if (histories_ < calibration_.conditions.size()) {
    read_history(histories_++);
    return true;
  }
  if (looked_ == due_.size() || end_.rolled_back) return false;
  look(due_[looked_++]);
  return true;
}

void PretendedRollout::read_history(std::size_t condition) {
  std::vector<HistorySlot> slots;
  const std::size_t many = std::min<std::size_t>(kHistorySlots + 1, pods_.slots(condition));
  for (std::size_t slot = 0; slot < many; ++slot)
    slots.push_back(pods_.without(condition, slot, pod_));
  states_[calibration_.conditions[condition]].memory =
      ConditionMemory(with_history(*comparison_of(plan_of(condition)), nullptr, slots));
}

void PretendedRollout::look(const Due& due) {
  const std::size_t i = calibration_.conditions[due.condition];
  const HistorySlot candidate = pods_.only(due.condition, due.slot, pod_);
  const HistorySlot stable = pods_.without(due.condition, due.slot, pod_);
  ComparedSlot slot;
  slot.evaluated_at = due.at;
  slot.candidate = {&candidate.counted, candidate.bad ? &*candidate.bad : nullptr};
  slot.stable = {&stable.counted, stable.bad ? &*stable.bad : nullptr};
  slot.step = due.step;
  slot.warms_up = due.warms_up;
  ConditionMemory& memory = states_[i].memory;
  memory =
      ConditionMemory(see(*comparison_of(plan_.conditions[i]), memory.comparison(), slot).state);
  const ComparisonStanding standing = standing_of(plan_, states_, i);
  if (!standing.rejects) return;
  end_.rolled_back = true;
  end_.at = due.at;
  end_.slot = due.slot - kHistorySlots + 1;
  end_.causes = standing.causes;
}

PretendedEnd PretendedRollout::end() const {
  PretendedEnd end = end_;
  end.counts = end.rolled_back;
  for (std::size_t i = 0; i < calibration_.conditions.size() && !end.counts; ++i) {
    const auto could = std::ranges::count_if(
        due_, [i](const Due& due) { return due.condition == i && !due.warms_up; });
    const auto* memory = states_[calibration_.conditions[i]].memory.comparison();
    const auto fed = memory == nullptr ? 0 : static_cast<std::ptrdiff_t>(slots_of(*memory));
    end.counts = fed > 0 && 2 * fed >= could;
  }
  return end;
}

}  // namespace rollwatch
