// POST /hooks/alertmanager: what Alertmanager's webhook receiver sends, version 4 of its payload.
// It sends again after a 5xx, and for ever the same after a 4xx: so what no repeat would mend is a
// 4xx, a store that is away a 503, and 200 means that it is recorded.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

constexpr std::size_t kMostAlerts = 10'000;

[[noreturn]] void refuse_alerts(std::string pointer, std::string detail) {
  Problem problem{422, pointer + ": " + detail};
  problem.errors.emplace_back(std::move(pointer), std::move(detail));
  throw Refusal{problem};
}

const std::string& text_in(const Value& table, std::string_view key, const std::string& at) {
  const Value* value = table.find(key);
  const std::string* text = value == nullptr ? nullptr : value->as_string();
  if (text == nullptr) refuse_alerts(fmt::format("{}/{}", at, key), "must be a string");
  return *text;
}

std::map<std::string, std::string> texts_in(const Value& table, std::string_view key,
                                            const std::string& at) {
  const Value* value = table.find(key);
  if (value == nullptr || value->as_table() == nullptr)
    refuse_alerts(fmt::format("{}/{}", at, key), "must be an object of strings");
  std::map<std::string, std::string> texts;
  for (const Value::Member& member : *value->as_table()) {
    const std::string* text = member.value.as_string();
    if (text == nullptr)
      refuse_alerts(fmt::format("{}/{}/{}", at, key, pointer_token(member.key)),
                    "must be a string");
    texts.emplace(member.key, *text);
  }
  return texts;
}

SysTime time_in(const Value& table, std::string_view key, const std::string& at) {
  const auto time = parse_time(text_in(table, key, at));
  if (!time) refuse_alerts(fmt::format("{}/{}", at, key), "must be a time in RFC 3339");
  return *time;
}

// `instance="a", severity="page"`: all but the name.
std::string labels_text(const std::map<std::string, std::string>& labels) {
  std::string text;
  for (const auto& [name, value] : labels)
    if (name != "alertname")
      text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : ", ", name, value);
  return text;
}

ReceivedAlert read_alert(const Value& value, const std::string& at) {
  if (value.as_table() == nullptr) refuse_alerts(at, "must be an object");
  ReceivedAlert alert;
  alert.labels = texts_in(value, "labels", at);
  const std::string& status = text_in(value, "status", at);
  if (status != "firing" && status != "resolved")
    refuse_alerts(at + "/status", "must be \"firing\" or \"resolved\"");
  AlertChanged& change = alert.change;
  change.firing = status == "firing";
  change.fingerprint = text_in(value, "fingerprint", at);
  if (change.fingerprint.empty() || change.fingerprint.size() > 200)
    refuse_alerts(at + "/fingerprint", "must have 1 to 200 bytes");
  change.starts_at = time_in(value, "startsAt", at);
  if (!change.firing) change.ends_at = time_in(value, "endsAt", at);
  if (const auto name = alert.labels.find("alertname"); name != alert.labels.end())
    change.name = name->second;
  change.labels = labels_text(alert.labels);
  if (value.find("annotations") != nullptr) {
    const auto annotations = texts_in(value, "annotations", at);
    for (const char* key : {"description", "summary"})
      if (const auto found = annotations.find(key); found != annotations.end())
        change.summary = found->second;
  }
  if (value.find("generatorURL") != nullptr)
    change.generator_url = text_in(value, "generatorURL", at);
  return alert;
}

std::vector<ReceivedAlert> read_alerts(const Value& body) {
  if (text_in(body, "version", "") != "4")
    refuse_alerts("/version", "must be \"4\": this is for Alertmanager's webhook receiver");
  const Value* list = body.find("alerts");
  if (list == nullptr || list->as_array() == nullptr) refuse_alerts("/alerts", "must be a list");
  if (list->as_array()->size() > kMostAlerts)
    refuse_alerts("/alerts", fmt::format("must have at most {} entries; set max_alerts in the "
                                         "receiver, or group_by in the route",
                                         kMostAlerts));
  std::vector<ReceivedAlert> alerts;
  for (const Value& value : *list->as_array())
    alerts.push_back(read_alert(value, fmt::format("/alerts/{}", alerts.size())));
  return alerts;
}

void add(AlertsTaken& taken, const ServerResponse& other) {
  const auto answer = nlohmann::json::parse(other.body, nullptr, false);
  if (other.status != 200 || !answer.is_object())
    throw StoreError(fmt::format("another node answered {} to alerts", other.status));
  taken.matched += answer.value("matched", std::size_t{0});
  taken.recorded += answer.value("recorded", std::size_t{0});
}

}  // namespace

awaitable<ServerResponse> take_alertmanager_webhook(const ApiContext& context, Call& call) {
  const Value body = body_object(call.request, false);
  std::vector<ReceivedAlert> alerts = read_alerts(body);
  for (ReceivedAlert& alert : alerts) alert.change.via = call.caller.via();
  const Value* truncated = body.find("truncatedAlerts");
  const std::int64_t* left_out = truncated == nullptr ? nullptr : truncated->as_integer();
  const std::size_t count = alerts.size();
  AlertsTaken taken =
      co_await context.service.take_alerts(std::move(alerts), call.caller.namespaces);
  // Each node has rollouts that they can concern.
  if (!call.request.carried) {
    std::string failure;
    try {
      for (const ServerResponse& other : co_await context.ask_others(call.request))
        add(taken, other);
    } catch (const StoreError& error) {
      failure = error.what();
    }
    // Those of this node have recorded them by now.
    if (!failure.empty()) throw StoreError(failure, StoreError::Effect::kUnknown);
  }
  nlohmann::ordered_json answer{{"alerts", count},
                                {"truncated", left_out == nullptr ? 0 : *left_out},
                                {"matched", taken.matched},
                                {"recorded", taken.recorded}};
  co_return json_response(200, answer);
}

}  // namespace rollwatch
