// Orders and notifications of all rollouts: what is on its way, and what could not be delivered.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/api/cursors.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/status_view.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kUsualDeliveries = 50, kMostDeliveries = 200;
constexpr std::string_view kDeliveries = "deliveries";  // the list, whatever it is narrowed to
constexpr std::array kFailedOnes{DeliveryState::kDead, DeliveryState::kRefused};

void add_delivery_states(const std::string& name, std::vector<DeliveryState>& states) {
  if (name == "failed") {
    states.insert(states.end(), kFailedOnes.begin(), kFailedOnes.end());
    return;
  }
  std::vector<std::string> known{"failed"};
  for (int i = 0; i <= static_cast<int>(DeliveryState::kWithdrawn); ++i) {
    const auto state = static_cast<DeliveryState>(i);
    known.emplace_back(name_of(state));
    if (name != name_of(state)) continue;
    states.push_back(state);
    return;
  }
  refuse_query("state",
               fmt::format("\"{}\" is no state{}", name, suggestion(name, known, "there are", "")));
}

DeliveryFilter delivery_filter_of(const Call& call) {
  check_query(call, {"state", "class", "target", "namespace", "service", "limit", "cursor"});
  DeliveryFilter filter;
  filter.visible = call.caller.namespaces;
  filter.receiver = query_text(call, "target").value_or("");
  filter.ns = query_text(call, "namespace").value_or("");
  filter.service = query_text(call, "service").value_or("");
  for (const auto& [key, value] : call.request.query)
    if (key == "state") add_delivery_states(value, filter.states);
  if (const auto cls = query_text(call, "class")) {
    if (*cls != "order" && *cls != "notification")
      refuse_query("class", "must be order or notification");
    filter.cls = *cls == "order" ? DeliveryClass::kOrder : DeliveryClass::kNotification;
  }
  return filter;
}

Json listed_json(const ApiContext& context, const ListedDelivery& listed) {
  Json json = delivery_json(listed.delivery, context.held_because(listed.delivery.id));
  json["namespace"] = listed.ns;
  json["service"] = listed.service;
  json["rollout_target"] = listed.place_target;
  json["candidate"] = listed.candidate;
  json["redeliverable"] = may_be_redelivered(listed.delivery);
  return json;
}

// Of all that the caller may see.
awaitable<Json> delivery_counts(const ApiContext& context, const Call& call) {
  Json counts = Json::object();
  for (const char* name : {"pending", "accepted", "failed"}) {
    DeliveryFilter filter;
    filter.visible = call.caller.namespaces;
    add_delivery_states(name, filter.states);
    const std::size_t count = co_await context.service.count_deliveries(std::move(filter));
    counts[name] = count;
  }
  co_return counts;
}

}  // namespace

awaitable<ServerResponse> list_all_deliveries(const ApiContext& context, Call& call) {
  DeliveryFilter filter = delivery_filter_of(call);
  const std::size_t limit =
      query_number(call, "limit", 1, kMostDeliveries).value_or(kUsualDeliveries);
  auto before = query_cursor(call, kDeliveries);
  Page<ListedDelivery> page;
  try {
    page = co_await context.service.all_deliveries(std::move(filter), limit, std::move(before));
  } catch (const std::invalid_argument&) {
    refuse_cursor();
  }
  Json body{{"items", Json::array()}};
  for (const ListedDelivery& listed : page.items)
    body["items"].push_back(listed_json(context, listed));
  if (page.next_cursor) body["next_cursor"] = seal_cursor(kDeliveries, *page.next_cursor);
  Json counts = co_await delivery_counts(context, call);
  body["counts"] = std::move(counts);
  body["targets"] = targets_json(context);
  co_return tagged_response(call, body);
}

}  // namespace rollwatch
