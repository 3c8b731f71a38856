#include "config/compare_warnings.h"

#include <algorithm>
#include <optional>

#include "analysis/comparison.h"

namespace rollwatch {
namespace {

using statistics::GaugeMode;
using statistics::GaugeRules;

bool gates(const ConditionPlan& condition) {
  return !condition.is_readiness && condition.on_fail != OnFail::kObserve;
}

std::string in_quotes(const ConditionPlan& condition) { return '"' + condition.name + '"'; }

// ---- An early promotion that never comes: the rules of Mover::may_promote_early

// Every comparison that gates must be shown to be within its margin.
std::optional<std::string> blocked_by_another(const Plan& plan) {
  for (const ConditionPlan& other : plan.conditions) {
    const CompareCondition* compares = comparison_of(other);
    if (compares == nullptr || !gates(other) || compares->early_promote) continue;
    if (compares->kind() == CompareKind::kMannWhitney)
      return in_quotes(other) +
             " gates as well, and its test proves no candidate good; give that on_fail = "
             "\"observe\", compare it as a gauge, or leave early_promote out";
    return in_quotes(other) +
           " compares and gates as well, and has no early_promote; give that early_promote = true, "
           "or on_fail = \"observe\"";
  }
  return std::nullopt;
}

bool all_compare_at(const Plan& plan, std::size_t step) {
  return std::ranges::all_of(plan.conditions, [&](const ConditionPlan& condition) {
    return comparison_of(condition) == nullptr || !gates(condition) ||
           applies(condition, plan.steps[step].weight);
  });
}

bool asks_from(const Plan& plan, std::size_t step) {
  return std::any_of(plan.steps.begin() + static_cast<std::ptrdiff_t>(step), plan.steps.end(),
                     [](const StepPlan& one) { return one.approve; });
}

// One that would be passed over: it is asked for the first time in a step to come.
const ConditionPlan* asked_first_after(const Plan& plan, std::size_t step) {
  const auto first = [&](const ConditionPlan& condition) {
    std::size_t at = 0;
    while (at < plan.steps.size() && !applies(condition, plan.steps[at].weight)) ++at;
    return at;
  };
  for (const ConditionPlan& condition : plan.conditions) {
    const std::size_t at = gates(condition) ? first(condition) : 0;
    if (at > step && at < plan.steps.size()) return &condition;
  }
  return nullptr;
}

// There must be a step in which all of it can be so.
std::optional<std::string> blocked_in_every_step(const Plan& plan) {
  bool compares_somewhere = false, asks_everywhere = true;
  const ConditionPlan* guard = nullptr;
  for (std::size_t step = 0; step < plan.steps.size(); ++step) {
    if (!all_compare_at(plan, step)) continue;
    compares_somewhere = true;
    if (asks_from(plan, step)) continue;
    asks_everywhere = false;
    guard = asked_first_after(plan, step);
    if (guard == nullptr) return std::nullopt;
  }
  if (!compares_somewhere)
    return "in no step are all comparisons that gate asked at once; let their `steps` have one in "
           "common, or give one of them on_fail = \"observe\"";
  if (asks_everywhere)
    return "a step that asks for an approval is never passed over, and wherever it could act there "
           "is one to come; leave approve out of the later steps, or use approve = \"promote\" of "
           "the policy";
  return in_quotes(*guard) +
         " is asked in a later step for the first time, which is never passed over; let it be "
         "asked in an earlier step as well, or let the comparisons be asked in that one";
}

// What it takes in any case, where nothing else is known of the plan's length.
std::optional<std::string> over_before(const Plan& plan, const ConditionPlan& condition) {
  const bool is_gauge = comparison_of(condition)->kind() == CompareKind::kGauge;
  const auto least = static_cast<std::int64_t>(is_gauge ? kLeastGaugeSlots : kLeastSlots);
  Millis held{0};
  for (const StepPlan& step : plan.steps) held += step.hold;
  if (least * condition.interval <= held) return std::nullopt;
  return "it takes " + std::to_string(least) + " compared slots, one every " +
         format_duration(condition.interval) + ", and all steps are held for " +
         format_duration(held) + " together; hold them for longer, or shorten interval";
}

std::optional<std::string> early_promote_warning(const Plan& plan, const ConditionPlan& condition) {
  if (!comparison_of(condition)->early_promote) return std::nullopt;
  if (!gates(condition))
    return "early_promote does nothing where on_fail = \"observe\"; leave it out";
  std::optional<std::string> why = blocked_by_another(plan);
  if (!why && !plan.steps.empty()) why = blocked_in_every_step(plan);
  if (!why && !plan.steps.empty()) why = over_before(plan, condition);
  if (!why) return std::nullopt;
  return "early_promote never acts: " + *why;
}

// ---- Parts and differences

// A number alone beside a difference is a difference as well, where one might expect a part.
std::optional<std::string> mismatch_warning(const ConditionPlan& condition, const Value& table) {
  const auto* rules = std::get_if<GaugeRules>(&comparison_of(condition)->rules);
  if (rules == nullptr || rules->mode != GaugeMode::kDifference) return std::nullopt;
  for (const std::string key : {"tolerance", "promote_margin"}) {
    const Value* value = table.find(key);
    const auto number = value == nullptr ? std::nullopt : value->as_number();
    if (!number) continue;
    const std::string other = key == "tolerance" ? "promote_margin" : "tolerance";
    return key + " = " + format_exact(*number) + " is taken for a difference of " +
           format_exact(*number) + ", as " + other + " is one; write " + key +
           " = { difference = " + format_exact(*number) +
           " }, or give both as parts of stable's "
           "value, such as 0.1";
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> compare_warnings(const Plan& plan, std::size_t i, const Value& table) {
  const ConditionPlan& condition = plan.conditions[i];
  std::vector<std::string> warnings;
  for (auto& warning : {early_promote_warning(plan, condition), mismatch_warning(condition, table)})
    if (warning) warnings.push_back(*warning);
  return warnings;
}

}  // namespace rollwatch
