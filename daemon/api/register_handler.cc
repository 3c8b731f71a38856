// POST /rollouts: from a body to a registration, and from the engine's answer to a response.
#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "daemon/api/analysis_of_request.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

constexpr std::size_t kMostLinks = 16;
constexpr TextRule kUrl{2048};

std::string sha256_of(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  for (const unsigned char byte : digest) hex += fmt::format("{:02x}", byte);
  return hex;
}

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  keys.reserve(map.size());
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

std::string unknown_name(const char* what, const std::string& name,
                         const std::vector<std::string>& known) {
  return fmt::format("there is no {} \"{}\" in the configuration{}", what, name,
                     suggestion(name, known, "there are", "; there is none at all"));
}

// What the requests of its orders are made from: found missing now, not when it must roll back.
void check_order_variables(const RolloutSpec& spec, const OrchestratorSettings& orchestrator,
                           BodyReader& body) {
  for (const std::string& name : missing_variables(spec, orchestrator.variables)) {
    const std::size_t dot = name.find('.');
    const std::string field = dot == std::string::npos ? "/" + name
                                                       : "/" + name.substr(0, dot) + "/" +
                                                             pointer_token(name.substr(dot + 1));
    body.wrong_at(field, fmt::format("is needed by the requests of the orchestrator \"{}\" "
                                     "({{{{{}}}}}); send it with the registration",
                                     spec.orchestrator, name));
  }
}

void check_names(const RolloutSpec& spec, const Settings& settings, BodyReader& body) {
  if (!spec.orchestrator.empty() && !settings.orchestrators.contains(spec.orchestrator))
    body.wrong("orchestrator",
               unknown_name("orchestrator", spec.orchestrator, keys_of(settings.orchestrators)));
  else if (!spec.orchestrator.empty())
    check_order_variables(spec, settings.orchestrators.at(spec.orchestrator), body);
  for (std::size_t i = 0; i < spec.notify.size(); ++i)
    if (!settings.notifiers.contains(spec.notify[i]))
      body.wrong_at(fmt::format("/notify/{}", i),
                    unknown_name("notifier", spec.notify[i], keys_of(settings.notifiers)));
}

// They become links in messages and pages.
void check_links(const RolloutSpec& spec, BodyReader& body) {
  for (const auto& [name, url] : spec.links) {
    const std::string pointer = "/links/" + pointer_token(name);
    if (!url.starts_with("https://") && !url.starts_with("http://"))
      body.wrong_at(pointer, "must be an http:// or https:// address");
    else if (url.find(' ') != std::string::npos)
      body.wrong_at(pointer, "must not contain a space: in an address it is written %20");
  }
}

// Everything but the analysis and the names that must be configured.
Registration read_registration(BodyReader& body, const Caller& caller) {
  Registration registration;
  RolloutSpec& spec = registration.spec;
  read_subject(body, spec);
  spec.links = body.pairs("links", kMostLinks, kUrl);
  spec.orchestrator = body.text("orchestrator").value_or("");
  spec.notify = body.texts("notify", kMostNames);
  spec.by = body.text("by").value_or(caller.name);
  registration.via = caller.via();
  if (body.is_given("observe")) spec.observe = body.table().boolean("observe").value_or(false);
  if (body.is_given("attempt")) {
    const auto attempt = body.table().integer("attempt", 1, std::numeric_limits<int>::max());
    if (attempt) registration.attempt = static_cast<int>(*attempt);
  }
  check_links(spec, body);
  return registration;
}

std::optional<std::string> idempotency_key(const Call& call) {
  const auto key = call.request.header("idempotency-key");
  if (!key) return std::nullopt;
  if (auto problem = text_problem(*key, kName)) throw Refusal{{422, "Idempotency-Key " + *problem}};
  return std::string(*key);
}

// As it is kept: each namespace has keys of its own, for no tenant may meet another's. Neither of
// the two can have a line break.
std::string key_within(const std::string& ns, const std::string& key) { return ns + "\n" + key; }

[[noreturn]] void refuse_reused_key() {
  throw Refusal{{422, "this Idempotency-Key was sent with another body in the last 24 hours"}};
}

// Of what a repeat must have in common with the first call: all but who sends it. A pipeline that
// is retried runs on another machine, and may well be somebody else.
std::string fingerprint_of(Value object) {
  object.remove("by");
  return sha256_of(to_json(object));
}

ServerResponse answer_with(const ApiContext& context, int status, const RolloutView& view,
                           const std::vector<std::string>& warnings) {
  nlohmann::ordered_json body = rollout_json(view);
  body["warnings"] = warnings;
  ServerResponse response = json_response(status, body);
  response.headers.emplace_back("ETag", etag_of(view));
  response.headers.emplace_back("Location",
                                context.external_url() + "/api/v1/rollouts/" + view.spec.id);
  return response;
}

[[noreturn]] void refuse_registration(const RegisterResult& result, const RolloutSpec& spec,
                                      const std::string& merged, const Value* analysis) {
  Problem problem{422, "the registration is refused"};
  for (const FieldProblem& field : result.problems) {
    const std::string pointer = pointer_into_request(field.pointer, merged, analysis);
    if (problem.errors.empty()) problem.detail = pointer + ": " + field.detail;
    problem.errors.emplace_back(pointer, field.detail);
  }
  if (result.end == RegisterEnd::kAttemptNeeded) {
    problem.status = 409;
    problem.detail =
        fmt::format("{} of {} was rolled back before; to try it again, send \"attempt\": {}",
                    spec.candidate, spec.service, result.attempt);
    problem.members.emplace_back("attempt", result.attempt);
  }
  throw Refusal{problem};
}

}  // namespace

awaitable<ServerResponse> register_rollout(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, false);
  const auto key = idempotency_key(call);
  BodyReader body(object);
  Registration registration = read_registration(body, call.caller);
  const std::string& ns = registration.spec.ns;
  const SysTime now = context.clock.wall();
  if (key)
    registration.idempotency = IdempotencyRecord{key_within(ns, *key), fingerprint_of(object), now};
  if (const auto& sent = registration.idempotency; sent && call.caller.sees(ns)) {
    // A repeat gets its rollout even if the configuration has changed since.
    const auto before = co_await context.service.idempotent(sent->key, now);
    if (before && before->body_sha256 != sent->body_sha256) refuse_reused_key();
    if (before) {
      const auto view = co_await context.service.find(before->rollout);
      if (view) co_return answer_with(context, 200, *view, {});
    }
  }

  const Value* analysis = body.is_given("analysis") ? body.table().table("analysis") : nullptr;
  const auto settings = context.settings();
  check_names(registration.spec, *settings, body);
  body.finish();
  std::vector<std::string> warnings =
      merge_into(registration, settings, *context.merged_analyses, analysis, body);
  body.refuse_errors();

  if (!call.caller.sees(ns))
    throw Refusal{{403, fmt::format("the token \"{}\" is not for the namespace \"{}\"",
                                    call.caller.name, ns)}};
  if (registration.spec.observe && !call.caller.may(Scope::kDecide))
    throw Refusal{{403, "\"observe\" promotes at once and needs the scope \"decide\""}};
  registration.spec.traceparent = call.traceparent();

  const RolloutSpec spec = registration.spec;
  const std::string merged = registration.document.analysis;
  RegisterResult result = co_await context.service.register_rollout(std::move(registration));
  if (result.end == RegisterEnd::kKeyReused) refuse_reused_key();
  if (!result.rollout || result.end == RegisterEnd::kRefused ||
      result.end == RegisterEnd::kAttemptNeeded)
    refuse_registration(result, spec, merged, analysis);
  std::ranges::move(result.warnings, std::back_inserter(warnings));
  co_return answer_with(context, result.end == RegisterEnd::kCreated ? 201 : 200, *result.rollout,
                        warnings);
}

}  // namespace rollwatch
