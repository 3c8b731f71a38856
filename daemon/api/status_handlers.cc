// Who asks, and how the daemon itself is.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "analysis/freezes.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/json_values.h"
#include "daemon/api/status_view.h"
#include "daemon/api/views.h"
#include "daemon/page/page.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// What was said of the configuration names rollouts and services of any namespace.
Json configuration_json(const Settings& settings, const DaemonView& daemon, bool sees_all) {
  Json last = nullptr;
  if (const auto& reload = daemon.last_reload)
    last = {{"at", format_time(reload->at)},
            {"ok", reload->done},
            {"lines", sees_all ? Json(reload->lines) : Json::array()}};
  return {{"file", settings.file},
          {"loaded_at", format_time(daemon.loaded_at)},
          {"last_reload", std::move(last)},
          {"warnings", sees_all ? Json(settings.warnings) : Json::array()},
          {"policies", settings.policies.size()},
          {"services", settings.services.size()},
          {"tokens", settings.server.tokens.size()}};
}

Json store_json(const Settings& settings, const DaemonView& daemon) {
  const auto& thin_after = settings.store.thin_after;
  return {{"kind", daemon.store_kind},
          {"retention", format_duration(settings.store.retention)},
          {"thin_after", thin_after ? Json(format_duration(*thin_after)) : Json(nullptr)},
          {"trouble", daemon.store_trouble ? Json(*daemon.store_trouble) : Json(nullptr)}};
}

Json datasource_json(const DatasourceView& source) {
  return {{"name", source.name},
          {"url", source.url},
          {"up", source.up ? Json(*source.up) : Json(nullptr)},
          {"since", time_json(source.since)},
          {"last_answer_at", time_json(source.last_answer_at)},
          {"last_error", text_json(source.last_error)},
          {"last_error_at", time_json(source.last_error_at)},
          {"ingestion_delay", format_duration(source.ingestion_delay)},
          {"measured", source.measured},
          {"max_concurrency", source.max_concurrency},
          {"in_flight", source.in_flight},
          {"waiting", source.waiting},
          {"queries", source.queries},
          {"failures", source.failures}};
}

}  // namespace

Json me_json(const Caller& caller) {
  Json scopes = Json::array();
  for (const Scope scope : caller.scopes) scopes.push_back(scope_name(scope));
  return {{"name", caller.name},
          {"token", text_json(caller.token)},
          {"scopes", std::move(scopes)},
          {"namespaces", caller.namespaces}};
}

awaitable<ServerResponse> get_me(const ApiContext&, Call& call) {
  check_query(call, {});
  co_return json_response(200, me_json(call.caller));
}

awaitable<ServerResponse> get_status(const ApiContext& context, Call& call) {
  check_query(call, {});
  const auto settings = context.settings();
  const DaemonView daemon = context.daemon();
  const SysTime now = context.clock.wall();
  const auto not_ready = context.not_ready();

  Json datasources = Json::array();
  for (const DatasourceView& source : context.datasources())
    datasources.push_back(datasource_json(source));
  Json freezes = Json::array();
  for (const FreezeRecord& freeze : co_await context.service.all_freezes())
    if (holds(freeze, now) && (freeze.ns.empty() || call.caller.sees(freeze.ns)))
      freezes.push_back(freeze_json(freeze, now));
  Json rollouts = Json::object();
  for (int i = 0; !is_final(static_cast<State>(i)); ++i) {
    RolloutSearch search;
    search.filter.visible = call.caller.namespaces;
    search.filter.states = {static_cast<State>(i)};
    const std::size_t count = co_await context.service.count_found(std::move(search));
    rollouts[std::string(name_of(static_cast<State>(i)))] = count;
  }
  Json nodes = co_await nodes_json(context);
  const Json body{
      {"version", context.version},
      {"build", {{"compiler", daemon.compiler}, {"page", page_is_built()}}},
      {"started_at", format_time(daemon.started_at)},
      {"ready", !not_ready},
      {"not_ready", not_ready ? Json(*not_ready) : Json(nullptr)},
      {"external_url", context.external_url()},
      {"configuration", configuration_json(*settings, daemon, call.caller.namespaces.empty())},
      {"store", store_json(*settings, daemon)},
      {"datasources", std::move(datasources)},
      {"targets", targets_json(context)},
      {"nodes", std::move(nodes)},
      {"freezes", std::move(freezes)},
      {"rollouts", std::move(rollouts)},
      {"event_stream_clients", daemon.stream_clients}};
  co_return tagged_response(call, body);
}

}  // namespace rollwatch
