#include <algorithm>
#include <nlohmann/json.hpp>

#include "analysis/judge.h"
#include "daemon/api/json_values.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

void put_text(Json& data, const char* name, const std::string& text) {
  if (!text.empty()) data[name] = text;
}

Json attempt_json(const Attempt& attempt) {
  return {{"at", format_time(attempt.at)},
          {"status", attempt.status ? Json(*attempt.status) : Json(nullptr)},
          {"error", text_json(attempt.error)},
          {"duration_ms", attempt.duration.count()},
          {"answer", attempt.answer}};
}

}  // namespace

Json evaluation_json(const StoredEvaluation& evaluation, const Plan& plan) {
  const Judgement& judged = evaluation.judgement;
  const auto condition =
      std::ranges::find(plan.conditions, evaluation.condition, &ConditionPlan::name);
  const bool known = condition != plan.conditions.end();
  Json json{{"number", evaluation.number},
            {"condition", evaluation.condition},
            {"slot", format_time(evaluation.slot)},
            {"evaluated_at", format_time(evaluation.evaluated_at)},
            {"outcome", name_of(judged.outcome)},
            {"cause", name_of(judged.cause)},
            {"value", number_json(judged.value)},
            {"rule", known ? text_json(rule_text(judged, *condition)) : Json(nullptr)},
            {"series", text_json(judged.series)},
            {"evidence", number_json(judged.evidence)},
            {"detail", describe(judged)},
            {"duration_ms", evaluation.duration.count()},
            {"step", evaluation.step < 0 ? Json(nullptr) : Json(evaluation.step)}};
  if (evaluation.slots > 1) {
    json["last_slot"] = format_time(evaluation.last_slot);
    json["slots"] = evaluation.slots;
  }
  return json;
}

Json event_json(const StoredEvent& stored, const RolloutSpec& spec) {
  const Event& event = stored.event;
  Json data{{"state", name_of(event.state)},
            {"summary", event.summary},
            {"verdict", name_of(event.verdict)},
            {"by", event.by}};
  if (event.step >= 0) data["step"] = event.step;
  if (event.weight) data["weight"] = number_json(event.weight);
  put_text(data, "reason", event.reason);
  put_text(data, "token", event.via.token);
  put_text(data, "from", event.via.address);
  put_text(data, "condition", event.condition);
  if (event.value) data["value"] = number_json(event.value);
  put_text(data, "rule", event.rule);
  if (event.kind) data["kind"] = name_of(*event.kind);
  if (event.decision) data["decision"] = decision_id(spec, *event.decision);
  if (event.order) data["order"] = order_id(spec, *event.order);
  put_text(data, "question", event.question);
  return {{"seq", stored.seq},
          {"at", format_time(event.at)},
          {"type", name_of(event.type)},
          {"rollout", stored.rollout},
          {"data", std::move(data)}};
}

std::string event_line(const StreamedEvent& event) {
  RolloutSpec spec;  // ids of decisions and orders are made from the rollout's
  spec.id = event.stored.rollout;
  return dump(event_json(event.stored, spec));
}

Json delivery_json(const Delivery& delivery, const std::optional<std::string>& held_because) {
  const bool order = delivery.cls == DeliveryClass::kOrder;
  Json attempts = Json::array();
  for (const Attempt& attempt : delivery.attempts) attempts.push_back(attempt_json(attempt));
  Json json{{"id", delivery.id},
            {"class", order ? "order" : "notification"},
            {"kind", delivery.kind},
            {"rollout", delivery.rollout},
            {"target", delivery.target},
            {"state", name_of(delivery.state)},
            {"created_at", format_time(delivery.created_at)},
            {"expires_at", format_time(delivery.expires_at)},
            {"attempts", std::move(attempts)}};
  if (order) {
    json["weight"] = number_json(delivery.weight);
    json["fence"] = delivery.fence;
  }
  if (held_because) json["held_because"] = *held_because;
  return json;
}

}  // namespace rollwatch
