// Who orders and notifications go to, and whether they take them.
#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/json_values.h"

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

awaitable<ServerResponse> list_targets(const ApiContext& context, Call& call) {
  check_query(call, {});
  Json items = Json::array();
  for (const TargetView& target : context.targets()) items.push_back(target_json(target));
  co_return json_response(200, {{"items", std::move(items)}});
}

}  // namespace rollwatch
