#include "analysis/compare/calibrate.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "analysis/compare/samples.h"
#include "analysis/compare/standing.h"
#include "analysis/compare/words.h"

namespace rollwatch {
namespace {

// As of a real rollout: so many increments before it.
constexpr int kHistorySlots = 30;
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

PastWindows windows_of(const Calibration& calibration, SysTime from, SysTime to, std::size_t most) {
  PastWindows windows;
  const Millis room = to - from - calibration.history;
  if (room < calibration.rollout) return windows;
  windows.possible = static_cast<std::size_t>(room / calibration.rollout);
  const std::size_t chosen = std::min(windows.possible, most);
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

// ---- Pods

namespace {

// Series get short labels that tell them apart as their own do: there are many of them, and all are
// looked at once for every pod that is played.
class Namer {
 public:
  Series short_of(const Series& series, std::optional<std::size_t> pod) {
    std::vector<std::pair<std::string, std::string>> rest;
    Series named;
    named.value = series.value;
    if (pod) named.labels.push_back({"pod", std::to_string(*pod)});
    for (const Label& label : series.labels) {
      if (label.name == "le")
        named.labels.push_back(label);
      else
        rest.emplace_back(label.name, label.value);
    }
    std::ranges::sort(rest);
    const auto id = ids_.try_emplace(std::move(rest), ids_.size()).first->second;
    named.labels.push_back({"series", std::to_string(id)});
    return named;
  }

 private:
  std::map<std::vector<std::pair<std::string, std::string>>, std::size_t> ids_;
};

const SeriesList* series_of(const Answer& answer) {
  const auto* vector = std::get_if<Vector>(&answer.result);
  return vector == nullptr ? nullptr : &vector->series;
}

// Every series of the window.
template <class Each>
void each_answer(const PastWindow& window, const Each& each) {
  for (std::size_t i = 0; i < window.answers.size(); ++i) {
    for (const HistorySlot& slot : window.answers[i]) {
      if (const SeriesList* counted = series_of(slot.counted)) each(i, *counted);
      const SeriesList* bad = slot.bad ? series_of(*slot.bad) : nullptr;
      if (bad != nullptr) each(i, *bad);
    }
  }
}

std::string too_many(const std::string& condition, std::size_t series) {
  return condition + ": " + std::to_string(series) + " series of stable, at most " +
         std::to_string(kMostSeries) + " are counted; take the counters together with sum by (pod)";
}

std::string nobodys(const std::string& condition) {
  return condition +
         ": none of its series has a label \"pod\" or \"instance\", so no pod can be taken out of "
         "them; ask for counters that are not summed up, or with sum by (pod)";
}

}  // namespace

Expected<PastPods, std::string> PastPods::of(const Plan& plan, const Calibration& calibration,
                                             PastWindow window) {
  std::set<std::string> names;
  std::vector<bool> has_series(window.answers.size()), has_owner(window.answers.size());
  std::string trouble;
  const auto name_of_condition = [&](std::size_t i) {
    return plan.conditions[calibration.conditions[i]].name;
  };
  each_answer(window, [&](std::size_t i, const SeriesList& list) {
    if (list.size() > kMostSeries) trouble = too_many(name_of_condition(i), list.size());
    for (const Series& series : list) {
      has_series[i] = true;
      const std::string* owner = owner_of(series);
      has_owner[i] = has_owner[i] || owner != nullptr;
      if (owner != nullptr) names.insert(*owner);
    }
  });
  for (std::size_t i = 0; i < has_series.size() && trouble.empty(); ++i)
    if (has_series[i] && !has_owner[i]) trouble = nobodys(name_of_condition(i));
  if (!trouble.empty()) return Unexpected(std::move(trouble));

  PastPods pods;
  pods.begins_ = window.begins;
  pods.names_.assign(names.begin(), names.end());
  const auto pod_of = [&pods](const Series& series) -> std::optional<std::size_t> {
    const std::string* owner = owner_of(series);
    if (owner == nullptr) return std::nullopt;
    const auto found = std::ranges::lower_bound(pods.names_, *owner);
    return static_cast<std::size_t>(found - pods.names_.begin());
  };
  Namer namer;
  const auto owned = [&](const Answer& answer) {
    std::vector<OwnedSeries> all;
    const SeriesList* list = series_of(answer);
    if (list == nullptr) return all;
    all.reserve(list->size());
    for (const Series& series : *list) {
      const auto pod = pod_of(series);
      all.push_back({pod.value_or(kNobody), namer.short_of(series, pod)});
    }
    return all;
  };
  for (const std::vector<HistorySlot>& answers : window.answers) {
    std::vector<Slot>& slots = pods.conditions_.emplace_back();
    for (const HistorySlot& answer : answers) {
      Slot& slot = slots.emplace_back();
      slot.at = answer.at;
      slot.counted = owned(answer.counted);
      if (answer.bad) slot.bad = owned(*answer.bad);
    }
  }
  return pods;
}

std::vector<std::size_t> PastPods::played(std::size_t window) const {
  std::vector<std::size_t> pods;
  if (names_.size() < 2) return pods;  // there is nobody to hold it against
  const std::size_t many = std::min(names_.size(), kMostPlayed);
  for (std::size_t i = 0; i < many; ++i) pods.push_back((window * many + i) % names_.size());
  return pods;
}

template <class Wanted>
HistorySlot PastPods::chosen(const Slot& slot, const Wanted& wanted) const {
  const auto answer_of = [&wanted](const std::vector<OwnedSeries>& all) {
    std::vector<Series> series;
    for (const OwnedSeries& one : all)
      if (wanted(one.pod)) series.push_back(one.series);
    Answer answer;
    answer.result = Vector{SeriesList(std::move(series))};
    return answer;
  };
  HistorySlot found{slot.at, answer_of(slot.counted), std::nullopt};
  if (slot.bad) found.bad = answer_of(*slot.bad);
  return found;
}

HistorySlot PastPods::only(std::size_t condition, std::size_t slot, std::size_t pod) const {
  return chosen(conditions_[condition][slot], [pod](std::size_t owner) { return owner == pod; });
}

HistorySlot PastPods::without(std::size_t condition, std::size_t slot, std::size_t pod) const {
  return chosen(conditions_[condition][slot], [pod](std::size_t owner) { return owner != pod; });
}

// ---- The rollout

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
