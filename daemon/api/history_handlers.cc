// What happened to a rollout: every evaluation, event and delivery, oldest first, and the bundle
// behind a decision.
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/api/cursors.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

// Which list it is that a cursor belongs to: one of this rollout alone.
std::string list_of(std::string_view what, const Call& call) {
  return fmt::format("{} of {}", what, call.parameter("id"));
}

// Pages of evaluations and events end with a number.
template <class Number>
Number after_of(const Call& call, std::string_view list) {
  const auto text = query_cursor(call, list);
  Number after = 0;
  if (!text) return after;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), after);
  if (error != std::errc() || end != text->data() + text->size() || after < 0) refuse_cursor();
  return after;
}

}  // namespace

awaitable<ServerResponse> list_evaluations(const ApiContext& context, Call& call) {
  check_query(call, {"limit", "cursor"});
  const std::string list = list_of("evaluations", call);
  const auto after = after_of<std::uint32_t>(call, list);
  const std::size_t limit = query_limit(call);
  const RolloutView view = co_await find_rollout(context, call);
  const auto page = co_await context.service.evaluations(view.spec.id, after, limit);
  Json body{{"items", Json::array()}};
  for (const StoredEvaluation& evaluation : page.items)
    body["items"].push_back(evaluation_json(evaluation, *view.plan));
  if (page.next_cursor) body["next_cursor"] = seal_cursor(list, *page.next_cursor);
  co_return json_response(200, body);
}

awaitable<ServerResponse> list_events(const ApiContext& context, Call& call) {
  check_query(call, {"limit", "cursor"});
  const std::string list = list_of("events", call);
  const auto after = after_of<std::int64_t>(call, list);
  const std::size_t limit = query_limit(call);
  const RolloutView view = co_await find_rollout(context, call);
  auto events = co_await context.service.events(view.spec.id, after, limit + 1);
  const bool more = events.size() > limit;
  if (more) events.resize(limit);
  Json body{{"items", Json::array()}};
  for (const StoredEvent& event : events) body["items"].push_back(event_json(event, view.spec));
  if (more) body["next_cursor"] = seal_cursor(list, std::to_string(events.back().seq));
  co_return json_response(200, body);
}

awaitable<ServerResponse> list_deliveries(const ApiContext& context, Call& call) {
  check_query(call, {"limit", "cursor"});
  const std::size_t limit = query_limit(call);
  const std::string list = list_of("deliveries", call);
  auto after = query_cursor(call, list);
  const RolloutView view = co_await find_rollout(context, call);
  Page<Delivery> page;
  try {
    page = co_await context.service.deliveries(view.spec.id, limit, std::move(after));
  } catch (const std::invalid_argument&) {
    refuse_cursor();
  }
  Json body{{"items", Json::array()}};
  for (const Delivery& delivery : page.items)
    body["items"].push_back(delivery_json(delivery, context.held_because(delivery.id)));
  if (page.next_cursor) body["next_cursor"] = seal_cursor(list, *page.next_cursor);
  co_return json_response(200, body);
}

awaitable<ServerResponse> explain_decision(const ApiContext& context, Call& call) {
  check_query(call, {"decision"});
  const auto decision = query_text(call, "decision");
  const RolloutView view = co_await find_rollout(context, call);
  const auto record = co_await context.service.explain(view.spec.id, decision);
  if (!record && decision)
    throw Refusal{{404, fmt::format("this rollout has no decision \"{}\"", *decision)}};
  if (!record) throw Refusal{{404, "nothing has been decided about this rollout yet"}};
  Json bundle = Json::parse(record->bundle);
  // Recorded with the ids alone: what became of them is known only now.
  Json deliveries = Json::array();
  for (const Json& id : bundle.value("deliveries", Json::array())) {
    const auto delivery = co_await context.service.delivery(id.get<std::string>());
    if (delivery)
      deliveries.push_back(delivery_json(*delivery, context.held_because(delivery->id)));
  }
  bundle["deliveries"] = std::move(deliveries);
  co_return json_response(200, bundle);
}

}  // namespace rollwatch
