#include "notifiers/notification.h"

#include <nlohmann/json.hpp>

#include "notifiers/json_number.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<double> number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

}  // namespace

std::string service_name(const RolloutSpec& spec) {
  return spec.ns == "default" ? spec.service : spec.ns + "/" + spec.service;
}

Notice notice_of(const RolloutSpec& spec, const Event& event) {
  Notice notice;
  notice.event = event.type;
  notice.at = event.at;
  notice.state = name_of(event.state);
  notice.step = event.step;
  notice.weight = event.weight;
  notice.summary = event.summary;
  notice.by = event.by;
  notice.reason = event.reason;
  notice.condition = event.condition;
  notice.value = event.value;
  notice.rule = event.rule;
  if (event.kind) notice.kind = name_of(*event.kind);
  if (event.decision) notice.decision = decision_id(spec, *event.decision);
  notice.question = event.question;
  notice.datasource = event.datasource;
  notice.is_news = event.is_news;
  return notice;
}

std::string to_payload(const Notice& notice) {
  Json json;
  json["event"] = name_of(notice.event);
  json["at"] = format_time(notice.at);
  json["state"] = notice.state;
  json["step"] = notice.step;
  json["weight"] = json_number(notice.weight);
  json["summary"] = notice.summary;
  json["by"] = notice.by;
  json["reason"] = notice.reason;
  json["condition"] = notice.condition;
  json["value"] = json_number(notice.value);
  json["rule"] = notice.rule;
  json["kind"] = notice.kind;
  json["decision"] = notice.decision;
  json["question"] = notice.question;
  json["subject"] = notice.subject;
  json["datasource"] = notice.datasource;
  if (!notice.notifier.empty()) json["notifier"] = notice.notifier;
  if (notice.is_news) json["news"] = true;
  if (notice.is_test) json["test"] = true;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<Notice> from_payload(std::string_view payload) {
  const Json json = Json::parse(payload, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto event = event_type(text(json, "event"));
  const auto at = parse_time(text(json, "at"));
  if (!event || !at) return std::nullopt;
  Notice notice;
  notice.event = *event;
  notice.at = *at;
  notice.state = text(json, "state");
  notice.step = static_cast<int>(number(json, "step").value_or(-1));
  notice.weight = number(json, "weight");
  notice.summary = text(json, "summary");
  notice.by = text(json, "by");
  notice.reason = text(json, "reason");
  notice.condition = text(json, "condition");
  notice.value = number(json, "value");
  notice.rule = text(json, "rule");
  notice.kind = text(json, "kind");
  notice.decision = text(json, "decision");
  notice.question = text(json, "question");
  notice.subject = text(json, "subject");
  notice.datasource = text(json, "datasource");
  notice.notifier = text(json, "notifier");
  notice.is_news = json.contains("news");
  notice.is_test = json.contains("test");
  return notice;
}

std::optional<EventType> event_type(std::string_view name) {
  for (auto type = EventType::kRegistered;;
       type = static_cast<EventType>(static_cast<int>(type) + 1)) {
    if (name_of(type) == name) return type;
    if (type == kLastEventType) return std::nullopt;
  }
}

bool is_event_name(std::string_view name) {
  return name == "rolling_back" || event_type(name).has_value();
}

}  // namespace rollwatch
