#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/judge.h"
#include "analysis/slots.h"
#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

Json document_json(const std::string& text) {
  Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_discarded() ? Json(nullptr) : parsed;
}

Json order_json(const RolloutView& view) {
  const auto& order = view.state.order;
  if (!order) return nullptr;
  return {{"id", order_id(view.spec, order->number)},
          {"kind", name_of(order->kind)},
          {"weight", number_json(order->weight)},
          {"accepted", order->accepted},
          {"since", format_time(order->at)}};
}

Json last_json(const ConditionPlan& plan, const ConditionState& state) {
  if (!state.last) return nullptr;
  return {{"slot", format_time(grid_of(plan, state).at(state.last_slot))},
          {"outcome", name_of(state.last->outcome)},
          {"detail", describe(*state.last)}};
}

Json label_json(const std::optional<DecisionLabel>& label) {
  if (!label) return nullptr;
  return {{"label", label->word()},
          {"reason", label->reason},
          {"by", label->by},
          {"at", format_time(label->at)}};
}

Json counts_json(const ConditionState& state) {
  Json counts = Json::object();
  for (std::size_t i = 0; i < kOutcomeCount; ++i)
    counts[std::string(name_of(static_cast<Outcome>(i)))] = state.counts[i];
  return counts;
}

Json condition_json(const RolloutView& view, std::size_t index) {
  const ConditionPlan& plan = view.plan->conditions[index];
  const ConditionState& state = view.state.conditions[index];
  const bool known = index < view.next_slots.size();
  return {{"name", plan.name},
          {"verdict", name_of(verdict_of({view.spec, *view.plan}, view.state, index))},
          {"on_fail", on_fail_name(plan.on_fail)},
          {"value", state.last ? number_json(state.last->value) : Json(nullptr)},
          {"rule", rule_text(plan)},
          {"last", last_json(plan, state)},
          {"counts", counts_json(state)},
          {"next_slot", known ? time_json(view.next_slots[index]) : Json(nullptr)}};
}

Json conditions_json(const RolloutView& view) {
  Json conditions = Json::array();
  const std::size_t count = std::min(view.plan->conditions.size(), view.state.conditions.size());
  for (std::size_t i = 0; i < count; ++i) conditions.push_back(condition_json(view, i));
  if (view.plan->alerts) conditions.push_back(alerts_json(view));
  return conditions;
}

// ---- The verdict call ----

// As it is now: a promotion that was taken back before it took effect (a freeze, a refusal, a
// person who pauses) is not decided any more, until it is again. One that took effect was carried
// out, also if nobody wants to watch it any longer.
bool promote_is_decided(const RolloutState& s) {
  const bool cancelled_in_the_soak = s.state == State::kCancelled && s.soak_since.has_value();
  return s.state == State::kPromoting || s.state == State::kSoaking ||
         s.state == State::kPromoted || cancelled_in_the_soak;
}

bool rollback_is_decided(State state) {
  return state == State::kRollingBack || state == State::kRolledBack ||
         state == State::kRollbackFailed;
}

std::string_view status_of(State state) {
  switch (state) {
    case State::kPromoted:
      return "SUCCEEDED";
    case State::kRolledBack:
    case State::kRollbackFailed:
      return "TERMINAL";
    case State::kCancelled:
    case State::kSuperseded:
      return "CANCELED";
    default:
      return "RUNNING";
  }
}

std::string progress_message(const RolloutView& view) {
  // How it ended is a whole sentence.
  if (is_final(view.state.state)) return reason_of(view.state);
  std::string message(name_of(view.state.state));
  if (view.state.state == State::kAnalyzing && view.state.step >= 0)
    message += ", step " + std::to_string(view.state.step + 1) + " of " +
               std::to_string(view.plan->steps.size());
  const std::string reason = reason_of(view.state);
  return reason.empty() ? message : message + ": " + reason;
}

}  // namespace

std::string etag_of(const RolloutView& view) {
  std::string tag = "r" + std::to_string(view.state.revision);
  // Given without a step.
  if (view.label) tag += "-" + std::to_string(view.label->at.time_since_epoch().count());
  return "\"" + tag + "\"";
}

Json rollout_json(const RolloutView& view) {
  const RolloutSpec& spec = view.spec;
  const RolloutState& state = view.state;
  Json json{{"id", spec.id},
            {"namespace", spec.ns},
            {"service", spec.service},
            {"target", spec.target},
            {"stable", text_json(spec.stable)},
            {"candidate", spec.candidate},
            {"attempt", spec.attempt},
            {"policy", spec.policy},
            {"state", name_of(state.state)},
            {"verdict", name_of(state.verdict)},
            {"reason", reason_of(state)},
            {"step", step_json(view)},
            {"weight", number_json(state.reached_weight)},
            {"conditions", conditions_json(view)},
            {"question", question_json(view)},
            {"freeze", held_by_json(state)},
            {"order", order_json(view)},
            {"fence", view.fence == 0 ? Json(nullptr) : Json(view.fence)},
            {"next_slot", next_slot_json(view)},
            {"orchestrator", text_json(spec.orchestrator)},
            {"notify", spec.notify},
            {"labels", spec.labels.map()},
            {"args", spec.args.map()},
            {"by", spec.by},
            {"links", spec.links.map()},
            {"observe", spec.observe},
            {"revision", state.revision},
            {"created_at", format_time(spec.created_at)},
            {"updated_at", format_time(state.updated_at)},
            {"ended_at", time_json(state.ended_at)},
            {"label", label_json(view.label)}};
  json["analysis"] = document_json(view.document->analysis);
  json["analysis_sources"] = document_json(view.document->sources);
  return json;
}

Json verdict_json(const RolloutView& view) {
  const RolloutState& state = view.state;
  return {{"id", view.spec.id},
          {"state", name_of(state.state)},
          {"verdict", name_of(state.verdict)},
          {"final", is_final(state.state)},
          {"pass", promote_is_decided(state)},
          {"fail", rollback_is_decided(state.state)},
          {"percent", percent_of(view)},
          {"status", status_of(state.state)},
          {"progress_message", progress_message(view)},
          {"reason", reason_of(state)},
          {"next_slot", next_slot_json(view)}};
}

}  // namespace rollwatch
