#include "notifiers/order_body.h"

#include <nlohmann/json.hpp>

#include "notifiers/json_number.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

Json member(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  if (found == object.end()) return nullptr;
  return *found;
}

Json number_member(const Json& object, const char* key) {
  const Json value = member(object, key);
  if (!value.is_number()) return nullptr;
  return json_number(value.get<double>());
}

// A rollback by hand has no condition: null says so better than "".
Json text_or_null(const Json& object, const char* key) {
  Json value = member(object, key);
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) return nullptr;
  return value;
}

Json data_of(const RolloutSpec& spec, const OrderFacts& order, const std::string& external_url) {
  const Json payload = Json::parse(order.payload, nullptr, false);
  const Json reason = member(payload, "reason");
  const Json decision = text_or_null(reason, "decision");

  Json data;
  data["order"] = {{"id", order.id},
                   {"kind", order.kind},
                   {"weight", json_number(order.weight)},
                   {"fence", order.fence},
                   {"attempt", order.attempt},
                   {"expires_at", format_time(order.expires_at)}};
  Json labels = Json::object();
  for (const auto& [name, value] : spec.labels) labels[name] = value;
  data["rollout"] = {{"id", spec.id},
                     {"namespace", spec.ns},
                     {"service", spec.service},
                     {"target", spec.target},
                     {"stable", spec.stable.empty() ? Json(nullptr) : Json(spec.stable)},
                     {"candidate", spec.candidate},
                     {"state", member(payload, "state")},
                     {"step", member(payload, "step")},
                     {"labels", std::move(labels)}};
  data["reason"] = {
      {"summary", member(reason, "summary")},
      {"condition", text_or_null(reason, "condition")},
      {"value", number_member(reason, "value")},
      {"rule", text_or_null(reason, "rule")},
      {"by", member(reason, "by")},
      {"explain_url",
       explain_url(external_url, spec.id, decision.is_null() ? "" : decision.get<std::string>())}};
  return data;
}

std::string text_of(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string path_segment(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kAsTheyAre = "-._~:@!$&'()*+,;=";
  std::string segment;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kAsTheyAre.find(c) != std::string_view::npos) {
      segment += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      segment += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return segment;
}

std::string cloud_event_source(std::string_view external_url) {
  const std::size_t scheme = external_url.find("://");
  if (scheme != std::string_view::npos) external_url.remove_prefix(scheme + 3);
  const std::string_view host = external_url.substr(0, external_url.find_first_of("/?#"));
  return "/rollwatch/" + (host.empty() ? "rollwatchd" : path_segment(host));
}

std::string explain_url(const std::string& external_url, const std::string& rollout,
                        const std::string& decision) {
  std::string url = external_url + "/api/v1/rollouts/" + rollout + "/explain";
  if (!decision.empty()) url += "?decision=" + decision;
  return url;
}

std::string traceparent_of(const std::string& payload) {
  const Json trace = text_or_null(Json::parse(payload, nullptr, false), "traceparent");
  return trace.is_null() ? "" : trace.get<std::string>();
}

std::string order_body(const RolloutSpec& spec, const OrderFacts& order,
                       const std::string& external_url) {
  Json body;
  body["type"] = "rollout." + order.kind;
  body["timestamp"] = format_time(order.attempted_at);
  body["data"] = data_of(spec, order, external_url);
  return text_of(body);
}

std::string order_cloud_event(const RolloutSpec& spec, const OrderFacts& order,
                              const std::string& external_url) {
  Json event;
  event["specversion"] = "1.0";
  event["id"] = order.id;
  event["source"] = cloud_event_source(external_url);
  event["type"] = "io.rollwatch.rollout." + order.kind + ".v1";
  event["time"] = format_time(order.decided_at);
  event["subject"] = spec.ns + "/" + spec.id;
  event["datacontenttype"] = "application/json";
  event["data"] = data_of(spec, order, external_url);
  return text_of(event);
}

}  // namespace rollwatch
