// Rollouts as they are now: the list, one of them, and the verdict that pipelines wait for.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "daemon/api/cursors.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/list_filter.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

constexpr Millis kLongestWait{600'000};
// How often a waiting call looks whether its client is still there.
constexpr Millis kLook{1'000};
constexpr std::string_view kRollouts = "rollouts";  // the list, whatever it is narrowed to
}  // namespace

awaitable<ServerResponse> list_rollouts(const ApiContext& context, Call& call) {
  ListFilter filter = list_filter_of(call, {"limit", "cursor"});
  const std::size_t limit = query_limit(call);
  auto before = query_cursor(call, kRollouts);
  Page<RolloutView> page;
  try {
    page = co_await context.service.list(std::move(filter), limit, std::move(before));
  } catch (const std::invalid_argument&) {
    refuse_cursor();
  }
  nlohmann::ordered_json body{{"items", nlohmann::ordered_json::array()}};
  for (const RolloutView& view : page.items)
    if (call.caller.sees(view.spec.ns)) body["items"].push_back(rollout_json(view));
  if (page.next_cursor) body["next_cursor"] = seal_cursor(kRollouts, *page.next_cursor);
  co_return json_response(200, body);
}

awaitable<ServerResponse> get_rollout(const ApiContext& context, Call& call) {
  check_query(call, {});
  const RolloutView view = co_await find_rollout(context, call);
  ServerResponse response = rollout_response(200, view);
  if (etag_listed(call.request.header("if-none-match").value_or(""), etag_of(view))) {
    response.status = 304;
    response.headers = {{"Cache-Control", "no-cache"}, {"ETag", etag_of(view)}};
    response.body.clear();
  }
  co_return response;
}

// Without If-None-Match it waits for the end; with it, for anything that is new to the caller. When
// the time is up the answer is what there is, always with 200: many who ask know nothing else.
awaitable<ServerResponse> get_verdict(const ApiContext& context, Call& call) {
  check_query(call, {"wait"});
  const Millis wait = std::min(query_duration(call, "wait").value_or(Millis{0}), kLongestWait);
  const auto known = call.request.header("if-none-match");
  const SteadyTime until = context.clock.steady() + wait;
  RolloutView view = co_await find_rollout(context, call);
  while (!is_final(view.state.state) && !(known && !etag_listed(*known, etag_of(view)))) {
    const auto left = std::chrono::ceil<Millis>(until - context.clock.steady());
    if (left <= Millis{0} || (call.request.wanted && !call.request.wanted())) break;
    co_await context.service.wait_for_change(view.spec.id, view.state.revision,
                                             std::min(left, kLook));
    view = co_await find_rollout(context, call);
  }
  ServerResponse response = json_response(200, verdict_json(view));
  response.headers.emplace_back("ETag", etag_of(view));
  co_return response;
}

}  // namespace rollwatch
