// Services: what is known of one, and freezing it, or everything.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

// Of its targets; the rest is in the list of rollouts.
constexpr std::size_t kMostTargets = 100;

struct Service {
  std::string ns, name;  // both empty: everything
  std::string text() const { return name.empty() ? "everything" : ns + "/" + name; }
};

// The service in the path; 404 for one in a namespace that the caller does not see.
Service service_of(const Call& call) {
  Service service{call.parameter("ns"), call.parameter("name")};
  for (const std::string& part : {service.ns, service.name})
    if (const auto problem = text_problem(part, kName))
      throw Refusal{{422, fmt::format("\"{}\" is no name: it {}", part, *problem)}};
  if (!call.caller.sees(service.ns))
    throw Refusal{{404, fmt::format("there is no service \"{}\"", service.text())}};
  return service;
}

// Who sees only some namespaces may not hold up the others.
Service everything(const Call& call) {
  if (!call.caller.namespaces.empty())
    throw Refusal{{403, fmt::format("the token \"{}\" is limited to namespaces: it may freeze "
                                    "their services, not everything",
                                    call.caller.name)}};
  return {};
}

awaitable<ServerResponse> freeze_response(const ApiContext& context, FreezeRecord freeze) {
  auto body = freeze_json(freeze, context.clock.wall());
  body["active_rollouts"] = co_await context.service.count_held_by(freeze.ns, freeze.service);
  co_return json_response(200, body);
}

Refusal not_frozen(const Service& service) {
  return Refusal{{404, fmt::format("{} is not frozen", service.text())}};
}

awaitable<ServerResponse> put_freeze(const ApiContext& context, Call& call, Service service) {
  check_query(call, {});
  const SysTime now = context.clock.wall();
  const Value object = body_object(call.request, false);
  BodyReader body(object);
  FreezeRecord wanted;
  wanted.ns = service.ns;
  wanted.service = service.name;
  wanted.reason = body.required_text("reason", kSentence);
  wanted.by = body.text("by").value_or(call.caller.name);
  wanted.via = call.caller.via();
  wanted.until = body.time("until");
  if (wanted.until && *wanted.until <= now)
    body.wrong("until", fmt::format("lies in the past: it is {} here", format_time(now)));
  body.finish();
  FreezeRecord freeze = co_await context.service.freeze(std::move(wanted));
  co_return co_await freeze_response(context, std::move(freeze));
}

awaitable<ServerResponse> get_freeze(const ApiContext& context, Call& call, Service service) {
  check_query(call, {});
  FreezeView view = context.service.freeze_of(service.ns, service.name);
  if (!view.in_force) throw not_frozen(service);
  co_return co_await freeze_response(context, std::move(*view.latest));
}

awaitable<ServerResponse> delete_freeze(const ApiContext& context, Call& call, Service service) {
  check_query(call, {});
  const Value object = body_object(call.request, true);
  BodyReader body(object);
  FreezeLift lift;
  lift.ns = service.ns;
  lift.service = service.name;
  lift.via = call.caller.via();
  lift.by = body.text("by").value_or(call.caller.name);
  lift.reason = body.text("reason", kSentence).value_or("");
  body.finish();
  auto lifted = co_await context.service.lift_freeze(std::move(lift));
  if (!lifted) throw not_frozen(service);
  co_return co_await freeze_response(context, std::move(*lifted));
}

}  // namespace

awaitable<ServerResponse> freeze_service(const ApiContext& context, Call& call) {
  return put_freeze(context, call, service_of(call));
}
awaitable<ServerResponse> get_service_freeze(const ApiContext& context, Call& call) {
  return get_freeze(context, call, service_of(call));
}
awaitable<ServerResponse> lift_service_freeze(const ApiContext& context, Call& call) {
  return delete_freeze(context, call, service_of(call));
}
awaitable<ServerResponse> freeze_everything(const ApiContext& context, Call& call) {
  return put_freeze(context, call, everything(call));
}
awaitable<ServerResponse> get_freeze_of_everything(const ApiContext& context, Call& call) {
  return get_freeze(context, call, {});
}
awaitable<ServerResponse> lift_freeze_of_everything(const ApiContext& context, Call& call) {
  return delete_freeze(context, call, everything(call));
}

awaitable<ServerResponse> get_service(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Service service = service_of(call);
  ServiceRecord record;
  record.ns = service.ns;
  record.service = service.name;
  record.freeze = context.service.freeze_of(service.ns, service.name);
  record.active_rollouts = co_await context.service.count_held_by(service.ns, service.name);
  record.rollouts =
      co_await context.service.latest_per_target(service.ns, service.name, kMostTargets);
  const std::shared_ptr<const Settings> settings = context.settings();
  const bool configured = settings->services.contains(service.text());
  if (const auto* defaults = settings->defaults.as_table(); defaults && !defaults->empty())
    record.layers.emplace_back("defaults");
  if (configured) record.layers.push_back("service." + service.text());
  if (!configured && !record.freeze.latest && record.rollouts.empty())
    throw Refusal{{404, fmt::format("nothing is known of a service \"{}\": no rollout, no "
                                    "configuration, no freeze",
                                    service.text())}};
  co_return json_response(200, service_json(record, context.clock.wall()));
}

}  // namespace rollwatch
