// The processes that share the store.
#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/json_values.h"
#include "daemon/api/status_view.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// A node that shares its store with nobody has no lease.
Json node_json(const NodeView& node) {
  const bool shares = node.number != 0;
  const auto if_shared = [shares](SysTime at) {
    return shares ? time_json(std::optional(at)) : Json();
  };
  return {{"name", node.name},
          {"number", shares ? Json(node.number) : Json()},
          {"version", node.program},
          {"joined_at", time_json(std::optional(node.joined_at))},
          {"seen_at", if_shared(node.seen_at)},
          {"lease_until", if_shared(node.expires_at)},
          {"rollouts", node.rollouts},
          {"places", shares ? Json(node.places) : Json()},
          {"answering", node.is_me}};
}

}  // namespace

awaitable<Json> nodes_json(const ApiContext& context) {
  Json items = Json::array();
  for (const NodeView& node : co_await context.nodes()) items.push_back(node_json(node));
  co_return items;
}

awaitable<ServerResponse> list_nodes(const ApiContext& context, Call& call) {
  check_query(call, {});
  Json items = co_await nodes_json(context);
  co_return json_response(200, {{"items", std::move(items)}});
}

}  // namespace rollwatch
