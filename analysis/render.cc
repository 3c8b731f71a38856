#include "analysis/render.h"

#include <algorithm>

#include "analysis/comparison.h"
#include "analysis/slots.h"

namespace rollwatch {
namespace {

std::optional<std::string> look_up(const std::map<std::string, std::string>& values,
                                   std::string_view name) {
  const auto found = values.find(std::string(name));
  if (found == values.end()) return std::nullopt;
  return found->second;
}

}  // namespace

std::optional<std::string> variable_of_rollout(const RolloutSpec& spec, std::string_view name) {
  if (name == "service") return spec.service;
  if (name == "namespace") return spec.ns;
  if (name == "target") return spec.target;
  if (name == "candidate") return spec.candidate;
  if (name == "stable") return spec.stable;
  if (name == "id") return spec.id;
  constexpr std::string_view kLabels = "labels.";
  constexpr std::string_view kArgs = "args.";
  if (name.starts_with(kLabels)) return look_up(spec.labels, name.substr(kLabels.size()));
  if (name.starts_with(kArgs)) return look_up(spec.args, name.substr(kArgs.size()));
  return std::nullopt;
}

std::optional<std::string> variable(const RolloutSpec& spec, const ConditionPlan& condition,
                                    int step, std::optional<double> weight, std::string_view name) {
  if (name == "window") return format_duration(condition.window);
  if (name == "step") return std::to_string(std::max(step, 0));
  if (name == "weight") return weight ? std::optional(format_exact(*weight)) : std::nullopt;
  return variable_of_rollout(spec, name);
}

Expected<std::string, promql::RenderError> render_query(const promql::QueryTemplate& query,
                                                        const RolloutSpec& spec,
                                                        const ConditionPlan& condition, int step,
                                                        std::optional<double> weight) {
  return promql::render(
      query, [&](std::string_view name) { return variable(spec, condition, step, weight, name); });
}

Expected<std::string, promql::RenderError> render_question(const PlannedQuestion& question,
                                                           const RolloutSpec& spec,
                                                           const ConditionPlan& condition, int step,
                                                           std::optional<double> weight) {
  if (!question.arm) return render_query(*question.query, spec, condition, step, weight);
  const std::string& version = *question.arm == Arm::kCandidate ? spec.candidate : spec.stable;
  return promql::render(*question.query, [&](std::string_view name) -> std::optional<std::string> {
    if (name == "version") return version;
    return variable(spec, condition, step, weight, name);
  });
}

Expected<std::string, promql::RenderError> render_select(const SelectLabel& label,
                                                         const RolloutSpec& spec) {
  return promql::render(label.value,
                        [&spec](std::string_view name) { return variable_of_rollout(spec, name); });
}

Expected<std::string, promql::RenderError> render_joined(const promql::JoinedQuery& joined,
                                                         const ConditionPlan& condition) {
  return promql::render(joined.query, [&condition](std::string_view) -> std::optional<std::string> {
    return format_duration(condition.window);
  });
}

std::vector<Label> picks_of(const promql::JoinedQuery& joined, const RolloutSpec& spec) {
  std::vector<Label> labels;
  for (const auto& pick : joined.picks)
    labels.push_back({pick.label, variable_of_rollout(spec, pick.variable).value_or("")});
  return labels;
}

Millis pinned_phase(const RolloutSpec& spec, const ConditionPlan& condition) {
  PlannedQuestion first = questions_of(condition).front();
  const auto* threshold = std::get_if<ThresholdCondition>(&condition.kind);
  if (threshold != nullptr && threshold->joined) first.query = &threshold->joined->query;
  const auto rendered = render_question(first, spec, condition, 0, 0);
  return phase_of(condition.datasource, rendered ? *rendered : first.query->text(),
                  condition.interval);
}

}  // namespace rollwatch
