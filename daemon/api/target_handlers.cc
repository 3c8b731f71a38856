// Who orders and notifications go to, whether they take them, and what is sent to them again.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/json_values.h"
#include "daemon/api/status_view.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

Json target_json(const TargetView& target) {
  return {{"name", target.name},
          {"kind", target.kind},
          {"breaker",
           {{"state", target.breaker},
            {"since", time_json(target.since)},
            {"next_probe", time_json(target.next_probe)}}},
          {"consecutive_failures", target.failures},
          {"last_error", text_json(target.last_error)},
          {"open_deliveries", target.open_deliveries}};
}

}  // namespace

Json targets_json(const ApiContext& context) {
  Json items = Json::array();
  for (const TargetView& target : context.targets()) items.push_back(target_json(target));
  return items;
}

awaitable<ServerResponse> redeliver_delivery(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, true);
  BodyReader body(object);
  std::string by = body.text("by").value_or(call.caller.name);
  std::string reason = body.text("reason", kSentence).value_or("");
  body.finish();
  const std::string& id = call.parameter("id");
  co_await check_delivery(context, call);
  Via via = call.caller.via();
  const RedeliverResult result =
      co_await context.service.redeliver(id, std::move(by), std::move(reason), std::move(via));
  if (result.end == DecideEnd::kNotFound)
    throw Refusal{{404, fmt::format("there is no delivery \"{}\"", id)}};
  if (result.end == DecideEnd::kConflict) throw Refusal{{409, result.why}};
  co_return json_response(200, delivery_json(*result.delivery));
}

awaitable<ServerResponse> list_targets(const ApiContext& context, Call& call) {
  check_query(call, {});
  co_return json_response(200, {{"items", targets_json(context)}});
}

}  // namespace rollwatch
