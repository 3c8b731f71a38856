#include "daemon/app/assembly.h"

#include <set>
#include <stdexcept>

#include "config/plan_decoder.h"
#include "daemon/app/wiring.h"
#include "daemon/delivery/request_driver.h"

namespace rollwatch {
namespace {

// The configuration has been checked when it was read: what is wrong here is a mistake of ours.
template <class Made>
auto checked(const std::string& orchestrator, Made made) {
  if (!made)
    throw std::runtime_error("orchestrator " + orchestrator + ": " + made.error().key + ": " +
                             made.error().message);
  return std::move(*made);
}

RequestTarget request_target_of(const std::string& name, const OrchestratorSettings& from) {
  RequestTarget to;
  for (const auto& [kind, shape] : from.requests)
    to.requests.emplace(kind, checked(name, OrderRequest::make(shape)));
  if (from.look) to.look = checked(name, TargetLook::make(*from.look));
  to.bearer_token_file = from.bearer_token_file;
  to.tls = tls_of(from.tls);
  to.timeout = from.timeout;
  return to;
}

}  // namespace

TlsOptions tls_of(const TlsSettings& settings) {
  return {settings.ca_file, settings.cert_file, settings.key_file, settings.insecure_skip_verify};
}

std::vector<SigningKey> keys_of(const std::string& whose, const Secret& current,
                                const std::optional<Secret>& old) {
  std::vector<SigningKey> keys;
  for (const Secret* secret : {&current, old ? &*old : nullptr}) {
    if (secret == nullptr) continue;
    auto key = parse_signing_key(*secret);
    if (!key) throw std::runtime_error(whose + ": " + key.error());
    keys.push_back(std::move(key).value());
  }
  return keys;
}

HttpSend guarded(const HttpSend& http, const std::vector<std::string>& allowed) {
  return [http, allowed](HttpRequest request) {
    request.allow_addresses = allowed;
    return http(std::move(request));
  };
}

std::map<std::string, Datasource> datasources_of(const Settings& settings, std::size_t nodes) {
  std::map<std::string, Datasource> all;
  for (const auto& [name, from] : settings.datasources) {
    Datasource to;
    to.url = from.url;
    to.timeout = from.timeout;
    to.max_concurrency = std::max(1, from.max_concurrency / static_cast<int>(nodes));
    to.ingestion_delay = from.ingestion_delay;
    to.headers = from.headers;
    if (from.bearer_token) to.bearer_token = *from.bearer_token;
    if (from.basic_auth) {
      to.basic_username = from.basic_auth->username;
      to.basic_password = from.basic_auth->password;
    }
    to.tls = tls_of(from.tls);
    all.emplace(name, std::move(to));
  }
  return all;
}

std::set<std::string> measured_datasources_of(const Settings& settings) {
  std::set<std::string> names;
  for (const auto& [name, datasource] : settings.datasources)
    if (datasource.measures_ingestion_delay) names.insert(name);
  return names;
}

Outbox::Drivers drivers_of(const Settings& settings, const HttpSend& http, Clock& clock,
                           const Originator& originator) {
  Outbox::Drivers drivers;
  for (const auto& [name, orchestrator] : settings.orchestrators) {
    const HttpSend send = guarded(http, orchestrator.allow_addresses);
    if (orchestrator.preset == "request") {
      drivers.emplace(name, std::make_shared<RequestDriver>(
                                send, clock, request_target_of(name, orchestrator), originator));
      continue;
    }
    WebhookTarget target;
    target.url = orchestrator.url;
    target.keys = keys_of("orchestrator " + name, orchestrator.secret, orchestrator.old_secret);
    target.timeout = orchestrator.timeout;
    if (orchestrator.cloud_events) target.format = OrderFormat::kCloudEvents;
    drivers.emplace(name,
                    std::make_shared<WebhookDriver>(send, clock, std::move(target), originator));
  }
  return drivers;
}

std::vector<std::string> targets_of(const Settings& settings) {
  std::vector<std::string> names;
  for (const auto& [name, orchestrator] : settings.orchestrators) names.push_back(name);
  for (const auto& [name, notifier] : settings.notifiers) names.push_back(name);
  return names;
}

std::shared_ptr<const Plan> plan_of(const PlanDocument& document) {
  const auto value = value_from_json(document.analysis);
  if (!value)
    throw std::runtime_error("a pinned analysis cannot be read: " + value.error().message);
  auto plan = decode_plan(*value);
  if (!plan)
    throw std::runtime_error("a pinned analysis cannot be read: " + plan.error().front().text());
  return std::make_shared<const Plan>(std::move(plan).value());
}

std::vector<std::string> obstacles(const Settings& before, const Settings& after,
                                   const std::vector<RolloutView>& active) {
  std::set<std::string> found;
  if (after.server.listen != before.server.listen)
    found.insert("server.listen changed: restart rollwatchd to listen on " + after.server.listen);
  if (after.server.tls.has_value() != before.server.tls.has_value())
    found.insert("server.tls came or went: restart rollwatchd to change to or from TLS");
  if (after.store.path != before.store.path ||
      after.store.postgres.reveal() != before.store.postgres.reveal())
    found.insert("store.url changed: restart rollwatchd to use " + after.store.shown);
  if (after.store.lease != before.store.lease)
    found.insert("store.lease changed: restart rollwatchd to use it");
  for (const RolloutView& rollout : active) {
    if (!rollout.spec.orchestrator.empty() &&
        !after.orchestrators.contains(rollout.spec.orchestrator))
      found.insert("orchestrator " + rollout.spec.orchestrator + " is in use by rollout " +
                   rollout.spec.id);
    for (const ConditionPlan& condition : rollout.plan->conditions)
      if (!after.datasources.contains(condition.datasource))
        found.insert("datasource " + condition.datasource + " is in use by rollout " +
                     rollout.spec.id);
    for (const std::string& notifier : rollout.spec.notify)
      if (!after.notifiers.contains(notifier))
        found.insert("notifier " + notifier + " is in use by rollout " + rollout.spec.id);
  }
  return {found.begin(), found.end()};
}

std::string without_credentials(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t start = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", start), url.size());
  const std::size_t at = url.rfind('@', end);
  if (at == std::string::npos || at < start || at >= end) return url;
  return url.substr(0, start) + url.substr(at + 1);
}

}  // namespace rollwatch
