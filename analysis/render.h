// A rollout's values put into a condition's query.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/answer.h"
#include "analysis/plan.h"
#include "analysis/spec.h"
#include "analysis/state.h"

namespace rollwatch {

// What is the same all through a rollout: service namespace target candidate stable id, labels.NAME
// and args.NAME. nullopt: there is no such variable for this rollout.
std::optional<std::string> variable_of_rollout(const RolloutSpec& spec, std::string_view name);

// What a query can ask for: service namespace target candidate stable window step weight id,
// labels.NAME and args.NAME. nullopt: there is no such variable for this rollout.
std::optional<std::string> variable(const RolloutSpec& spec, const ConditionPlan& condition,
                                    int step, std::optional<double> weight, std::string_view name);

Expected<std::string, promql::RenderError> render_query(const promql::QueryTemplate& query,
                                                        const RolloutSpec& spec,
                                                        const ConditionPlan& condition, int step,
                                                        std::optional<double> weight);

// What one of a condition's questions is; {{version}} is that of its arm.
Expected<std::string, promql::RenderError> render_question(const PlannedQuestion& question,
                                                           const RolloutSpec& spec,
                                                           const ConditionPlan& condition, int step,
                                                           std::optional<double> weight);

// One label's value of a condition's `select`.
Expected<std::string, promql::RenderError> render_select(const SelectLabel& label,
                                                         const RolloutSpec& spec);

// The query that several rollouts ask together, and the labels of this one's series in its answer.
// The rollout's own query must be one that can be rendered: then its labels have values as well.
Expected<std::string, promql::RenderError> render_joined(const promql::JoinedQuery& joined,
                                                         const ConditionPlan& condition);
std::vector<Label> picks_of(const promql::JoinedQuery& joined, const RolloutSpec& spec);

// The grid phase of this rollout's condition: equal for equal rendered questions, so that they can
// be asked once; where it can ask together with others, equal for what they ask. `step` and
// `weight` are left out of it: a grid stays where it is from step to step.
Millis pinned_phase(const RolloutSpec& spec, const ConditionPlan& condition);

}  // namespace rollwatch
