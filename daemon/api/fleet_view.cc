// A rollout as one row among many.
#include <nlohmann/json.hpp>

#include "analysis/judge.h"
#include "analysis/position.h"
#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

Json recent_json(const std::vector<StoredEvaluation>& evaluations) {
  Json recent = Json::array();
  for (const StoredEvaluation& one : evaluations)
    recent.push_back({{"slot", format_time(one.slot)},
                      {"outcome", name_of(one.judgement.outcome)},
                      {"value", number_json(one.judgement.value)}});
  return recent;
}

Json worst_json(const RolloutView& view, const std::vector<StoredEvaluation>* recent) {
  const auto worst = worst_condition(view);
  if (!worst) return nullptr;
  const ConditionPlan& plan = view.plan->conditions[*worst];
  const ConditionState& state = view.state.conditions[*worst];
  const auto limit = failing_limit(plan, state);
  Json json{{"name", plan.name},
            {"kind", condition_kind(plan)},
            {"verdict", name_of(verdict_of({view.spec, *view.plan}, view.state, *worst))},
            {"on_fail", on_fail_name(plan.on_fail)},
            {"value", state.last ? number_json(state.last->value) : Json(nullptr)},
            {"rule", rule_text(plan)},
            {"limit", limit ? number_json(limit->limit) : Json(nullptr)},
            {"outcome", state.last ? Json(name_of(state.last->outcome)) : Json(nullptr)},
            {"detail", state.last ? Json(describe(*state.last)) : Json(nullptr)},
            {"failing", fails_in_window(plan, state)},
            {"fail_after", plan.fail_after}};
  if (recent != nullptr) json["recent"] = recent_json(*recent);
  return json;
}

}  // namespace

Json fleet_row_json(const RolloutView& view, const std::vector<StoredEvaluation>* recent) {
  const RolloutSpec& spec = view.spec;
  const RolloutState& state = view.state;
  return {{"id", spec.id},
          {"namespace", spec.ns},
          {"service", spec.service},
          {"target", spec.target},
          {"stable", text_json(spec.stable)},
          {"candidate", spec.candidate},
          {"attempt", spec.attempt},
          {"policy", spec.policy},
          {"observe", spec.observe},
          {"state", name_of(state.state)},
          {"verdict", name_of(state.verdict)},
          {"headline", headline(view)},
          {"reason", reason_of(state)},
          {"percent", percent_of(view)},
          {"step", step_json(view)},
          {"weight", number_json(state.reached_weight)},
          {"question", question_json(view)},
          {"freeze", held_by_json(state)},
          {"worst", worst_json(view, recent)},
          {"next_slot", next_slot_json(view)},
          {"by", spec.by},
          {"created_at", format_time(spec.created_at)},
          {"updated_at", format_time(state.updated_at)},
          {"ended_at", time_json(state.ended_at)}};
}

}  // namespace rollwatch
