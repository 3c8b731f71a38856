#include "daemon/cli/requests.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

nlohmann::json field_value(const Invocation& call, const Flag& flag) {
  switch (flag.kind) {
    case FlagKind::kSwitch:
      return true;
    case FlagKind::kNumber:
      return *call.number(flag.name);
    case FlagKind::kObject:
      return nlohmann::json::parse(*call.text(flag.name));
    case FlagKind::kPairs: {
      nlohmann::json object = nlohmann::json::object();
      for (const std::string& pair : call.list(flag.name)) {
        auto [name, value] = split_pair(pair);
        object[name] = std::move(value);
      }
      return object;
    }
    case FlagKind::kList: {
      const auto values = call.list(flag.name);
      // A lone policy is written as in the documentation's example.
      if (values.size() == 1 && flag.field == "policy") return values.front();
      return values;
    }
    case FlagKind::kText:
    case FlagKind::kDuration:
      break;
  }
  return *call.text(flag.name);
}

nlohmann::json body_of(const Invocation& call) {
  nlohmann::json body = nlohmann::json::object();
  for (const Flag& flag : call.verb->flags) {
    if (!flag.field.empty() && call.has(flag.name)) {
      body[std::string(flag.field)] = field_value(call, flag);
    }
  }
  return body;
}

std::string as_body(const nlohmann::json& body) {
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void add_parameter(std::string& target, std::string_view name, std::string_view value) {
  target += target.find('?') == std::string::npos ? '?' : '&';
  target += fmt::format("{}={}", percent_encoded(name), percent_encoded(value));
}

}  // namespace

Request start_request(const Invocation& call, const std::string& who) {
  nlohmann::json body = body_of(call);
  if (!body.contains("by")) body["by"] = who;
  Request request{
      .method = "POST", .target = "/rollouts", .body = as_body(body), .repeatable = false};
  if (const auto key = call.text("idempotency-key")) {
    request.headers.emplace_back("Idempotency-Key", *key);
    request.repeatable = true;
  }
  return request;
}

Request list_request(const Invocation& call, long limit, const std::string& cursor) {
  Request request{.target = "/rollouts"};
  for (const Flag& flag : call.verb->flags) {
    if (flag.field.empty()) continue;
    for (const std::string& value : call.list(flag.name)) {
      if (flag.kind == FlagKind::kPairs) {
        const auto [name, wanted] = split_pair(value);
        add_parameter(request.target, fmt::format("{}.{}", flag.field, name), wanted);
      } else {
        add_parameter(request.target, flag.field, value);
      }
    }
  }
  add_parameter(request.target, "limit", std::to_string(limit));
  if (!cursor.empty()) add_parameter(request.target, "cursor", cursor);
  return request;
}

Request rollout_request(const std::string& id, const std::string& below) {
  return Request{.target = fmt::format("/rollouts/{}{}", percent_encoded(id), below)};
}

Request page_request(const std::string& id, const std::string& below, const std::string& cursor,
                     std::optional<long> limit) {
  Request request = rollout_request(id, below);
  if (limit) add_parameter(request.target, "limit", std::to_string(*limit));
  if (!cursor.empty()) add_parameter(request.target, "cursor", cursor);
  return request;
}

Request verdict_request(const std::string& id, const std::string& etag, std::chrono::seconds wait) {
  Request request = rollout_request(id, "/verdict");
  if (etag.empty()) return request;
  add_parameter(request.target, "wait", fmt::format("{}s", wait.count()));
  request.headers.emplace_back("If-None-Match", etag);
  request.timeout += wait;
  return request;
}

Request explain_request(const Invocation& call) {
  Request request = rollout_request(call.positional, "/explain");
  if (const auto decision = call.text("decision"))
    add_parameter(request.target, "decision", *decision);
  return request;
}

Request decision_request(const Invocation& call, const std::string& reason,
                         const std::string& who) {
  nlohmann::json body = body_of(call);
  if (!reason.empty()) body["reason"] = reason;
  if (!body.contains("by")) body["by"] = who;
  Request request = rollout_request(call.positional, fmt::format("/{}", call.verb->name));
  request.method = "POST";
  request.body = as_body(body);
  request.repeatable = false;
  return request;
}

Request orchestrator_test_request(const Invocation& call) {
  return Request{.method = "POST",
                 .target = fmt::format("/orchestrators/{}/test", percent_encoded(call.positional)),
                 .body = as_body(body_of(call))};
}

Request notify_test_request(const Invocation& call, const std::string& who) {
  nlohmann::json body = body_of(call);
  if (!body.contains("by")) body["by"] = who;
  Request request{.method = "POST",
                  .target = fmt::format("/notifiers/{}/test", percent_encoded(call.positional)),
                  .body = as_body(body)};
  // The notifier may take its time, 10m at most; and nobody wants a second message.
  request.timeout += std::chrono::minutes(10);
  request.repeatable = false;
  return request;
}

Expected<Request, std::string> freeze_request(const Invocation& call, const std::string& reason,
                                              const std::string& who, SysTime now) {
  const std::string& service = call.positional;
  const bool all = call.has("all");
  if (service.empty() && !all)
    return Unexpected(std::string("freeze needs a NAMESPACE/SERVICE, or --all for everything"));
  if (!service.empty() && all)
    return Unexpected(fmt::format("freeze takes '{}' or --all, not both", printable(service)));
  if (call.has("until") && call.has("for"))
    return Unexpected(std::string("freeze takes --until or --for, not both"));
  if (call.has("lift") && (call.has("until") || call.has("for")))
    return Unexpected(std::string("--lift ends it now: it takes neither --until nor --for"));

  nlohmann::json body = body_of(call);
  if (!reason.empty()) body["reason"] = reason;
  if (!body.contains("by")) body["by"] = who;
  if (const auto until = call.text("until")) {
    const auto at = parse_time(*until);
    if (!at)
      return Unexpected(fmt::format("--until needs a time such as 2026-01-02T18:00:00Z, not '{}'",
                                    printable(*until)));
    body["until"] = format_time(*at);
  }
  if (const auto span = call.duration("for")) body["until"] = format_time(now + *span);

  Request request{.target = "/freeze"};
  if (!all) {
    const std::size_t slash = service.find('/');
    const bool named = slash != std::string::npos;
    const std::string space = named ? service.substr(0, slash) : "default";
    const std::string name = named ? service.substr(slash + 1) : service;
    if (space.empty() || name.empty())
      return Unexpected(fmt::format("'{}' is no NAMESPACE/SERVICE", printable(service)));
    request.target =
        fmt::format("/services/{}/{}/freeze", percent_encoded(space), percent_encoded(name));
  }
  request.method = call.has("lift") ? "DELETE" : "PUT";
  request.body = as_body(body);
  request.repeatable = !call.has("lift");
  return request;
}

Request events_request(const Invocation& call, const std::string& last) {
  // The server says something every 15 seconds.
  constexpr auto kSilence = std::chrono::seconds(45);
  Request request{.target = "/events", .timeout = kSilence};
  if (call.positional.empty()) {
    for (const Flag& flag : call.verb->flags) {
      if (flag.field.empty()) continue;
      for (const std::string& value : call.list(flag.name))
        add_parameter(request.target, flag.field, value);
    }
  } else {
    add_parameter(request.target, "rollout", call.positional);
  }
  if (!last.empty()) request.headers.emplace_back("Last-Event-ID", last);
  return request;
}

Request label_request(const Invocation& call, const std::string& who) {
  nlohmann::json body = body_of(call);
  body["label"] = call.choice;
  if (!body.contains("by")) body["by"] = who;
  Request request = rollout_request(call.positional, "/label");
  request.method = "POST";
  request.body = as_body(body);
  request.repeatable = false;
  return request;
}

Request redeliver_request(const Invocation& call, const std::string& who) {
  nlohmann::json body = body_of(call);
  if (!body.contains("by")) body["by"] = who;
  return Request{
      .method = "POST",
      .target = fmt::format("/deliveries/{}/redeliver", percent_encoded(call.positional)),
      .body = as_body(body),
      .repeatable = false};
}

Request check_request(const Invocation& call) {
  // As long as slow datasources may take for many conditions.
  constexpr auto kPatience = std::chrono::minutes(5);
  return Request{
      .method = "POST", .target = "/check", .body = as_body(body_of(call)), .timeout = kPatience};
}

Request calibrate_request(const Invocation& call) {
  // A window's answers may be slow to come, each as slow as a datasource may be.
  constexpr auto kSilence = std::chrono::minutes(5);
  return Request{.method = "POST",
                 .target = "/calibrate",
                 .body = as_body(body_of(call)),
                 .timeout = kSilence};
}

Expected<Request, std::string> export_request(const Invocation& call, SysTime now) {
  constexpr auto kSilence = std::chrono::minutes(2);
  Request request{.target = "/export", .timeout = kSilence};
  if (const auto since = call.text("since")) {
    const auto span = parse_duration(*since);
    const auto at = span ? std::optional(now - *span) : parse_time(*since);
    if (!at)
      return Unexpected(
          fmt::format("--since needs a time such as 2026-01-02T18:00:00Z, or 30d, "
                      "not '{}'",
                      printable(*since)));
    add_parameter(request.target, "since", format_time(*at));
  }
  if (const auto space = call.text("namespace")) add_parameter(request.target, "namespace", *space);
  return request;
}

}  // namespace rollwatch
