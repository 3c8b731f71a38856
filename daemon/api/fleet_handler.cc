// How everything stands, in one answer: what goes on now with its latest values, and what ended
// last.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "daemon/api/cursors.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/list_filter.h"
#include "daemon/api/views.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint32_t kUsualActive = 100, kUsualEnded = 20, kMostRows = 200;
constexpr std::uint32_t kUsualValues = 30, kMostValues = 60;
constexpr std::size_t kMostById = 50;
constexpr std::size_t kMostRead = 500;  // evaluations of one rollout, for its row

constexpr std::array kActive{State::kWaiting,   State::kAnalyzing, State::kPaused,
                             State::kPromoting, State::kSoaking,   State::kRollingBack};

// Its two lists, whatever they are narrowed to.
constexpr std::string_view kActiveList = "active rollouts of the fleet";
constexpr std::string_view kEndedList = "ended rollouts of the fleet";

struct FleetQuery {
  RolloutSearch search;  // without states
  std::vector<State> active, ended;
  std::size_t active_rows = 0, ended_rows = 0, values = 0;
  std::optional<std::string> active_cursor, ended_cursor;
  std::vector<std::string> ids;
};

FleetQuery query_of(const Call& call) {
  FleetQuery query;
  query.search.filter =
      list_filter_of(call, {"q", "limit", "cursor", "ended", "ended_cursor", "values", "id"});
  query.search.text = query_text(call, "q").value_or("");
  const std::vector<State> asked = std::exchange(query.search.filter.states, {});
  for (int i = 0; i <= static_cast<int>(State::kSuperseded); ++i) {
    const auto state = static_cast<State>(i);
    if (!asked.empty() && std::ranges::find(asked, state) == asked.end()) continue;
    (is_final(state) ? query.ended : query.active).push_back(state);
  }
  query.active_rows = query_number(call, "limit", 1, kMostRows).value_or(kUsualActive);
  query.ended_rows = query_number(call, "ended", 0, kMostRows).value_or(kUsualEnded);
  query.values = query_number(call, "values", 0, kMostValues).value_or(kUsualValues);
  query.active_cursor = query_cursor(call, kActiveList);
  query.ended_cursor = query_cursor(call, kEndedList, "ended_cursor");
  for (const auto& [key, value] : call.request.query)
    if (key == "id") query.ids.push_back(value);
  if (query.ids.size() > kMostById) refuse_query("id", "is given more than 50 times");
  return query;
}

// The last slots of the condition that its row shows.
awaitable<std::vector<StoredEvaluation>> recent_of(const ApiContext& context,
                                                   const RolloutView& view, std::size_t values) {
  std::vector<StoredEvaluation> recent;
  const auto worst = worst_condition(view);
  if (!worst || values == 0) co_return recent;
  const std::size_t wanted = std::min(kMostRead, values * view.plan->conditions.size());
  const auto newest = view.state.evaluations;
  const std::uint32_t after = newest > wanted ? newest - static_cast<std::uint32_t>(wanted) : 0;
  // What is recorded meanwhile comes on top.
  auto page = co_await context.service.evaluations(view.spec.id, after, wanted + kMostValues);
  const std::string& name = view.plan->conditions[*worst].name;
  for (StoredEvaluation& one : page.items)
    if (one.condition == name) recent.push_back(std::move(one));
  if (recent.size() > values)
    recent.erase(recent.begin(), recent.end() - static_cast<std::ptrdiff_t>(values));
  co_return recent;
}

awaitable<Json> rows_of(const ApiContext& context, const Call& call,
                        const std::vector<RolloutView>& views, std::size_t values) {
  Json rows = Json::array();
  for (const RolloutView& view : views) {
    if (!call.caller.sees(view.spec.ns)) continue;
    if (is_final(view.state.state)) {
      rows.push_back(fleet_row_json(view, nullptr));
      continue;
    }
    const auto recent = co_await recent_of(context, view, values);
    rows.push_back(fleet_row_json(view, &recent));
  }
  co_return rows;
}

awaitable<Json> list_of(const ApiContext& context, const Call& call, const FleetQuery& query,
                        bool active) {
  const std::vector<State>& states = active ? query.active : query.ended;
  const std::size_t rows = active ? query.active_rows : query.ended_rows;
  Json list{{"items", Json::array()}};
  if (states.empty() || rows == 0) co_return list;
  RolloutSearch search = query.search;
  search.filter.states = states;
  auto cursor = active ? query.active_cursor : query.ended_cursor;
  Page<RolloutView> page;
  try {
    page = co_await context.service.search(std::move(search), rows, std::move(cursor));
  } catch (const std::invalid_argument&) {
    refuse_cursor(active ? "cursor" : "ended_cursor");
  }
  Json items = co_await rows_of(context, call, page.items, query.values);
  list["items"] = std::move(items);
  if (page.next_cursor)
    list["next_cursor"] = seal_cursor(active ? kActiveList : kEndedList, *page.next_cursor);
  co_return list;
}

// One that ended while the answer was made is where it is by now alone.
void leave_out(Json& active, const Json& ended) {
  Json items = Json::array();
  for (Json& row : active["items"]) {
    const bool is_over = std::ranges::any_of(
        ended.at("items"), [&](const Json& other) { return other.at("id") == row.at("id"); });
    if (!is_over) items.push_back(std::move(row));
  }
  active["items"] = std::move(items);
}

// Those that are asked for by their id, wherever they are by now.
awaitable<void> add_by_id(const ApiContext& context, const Call& call, const FleetQuery& query,
                          Json& active, Json& ended) {
  std::vector<RolloutView> now, past;
  for (const std::string& id : query.ids)
    if (auto view = co_await context.service.find(id))
      (is_final(view->state.state) ? past : now).push_back(std::move(*view));
  Json items = co_await rows_of(context, call, now, query.values);
  active["items"] = std::move(items);
  Json ended_items = co_await rows_of(context, call, past, query.values);
  ended["items"] = std::move(ended_items);
}

}  // namespace

awaitable<ServerResponse> get_fleet(const ApiContext& context, Call& call) {
  const FleetQuery query = query_of(call);
  // Before anything is read, so that who follows from there misses nothing.
  const std::int64_t seq = co_await context.service.newest_event();
  Json counts = Json::object();
  for (const State state : kActive) {
    RolloutSearch search = query.search;
    search.filter.states = {state};
    const std::size_t count = co_await context.service.count_found(std::move(search));
    counts[std::string(name_of(state))] = count;
  }
  const FreezeView freeze = context.service.freeze_of("", "");
  Json active{{"items", Json::array()}}, ended{{"items", Json::array()}};
  if (query.ids.empty()) {
    active = co_await list_of(context, call, query, true);
    ended = co_await list_of(context, call, query, false);
    leave_out(active, ended);
  } else {
    co_await add_by_id(context, call, query, active, ended);
  }
  const Json body{{"counts", std::move(counts)},
                  {"freeze", freeze.in_force ? freeze_json(*freeze.latest, context.clock.wall())
                                             : Json(nullptr)},
                  {"seq", seq},
                  {"active", std::move(active)},
                  {"ended", std::move(ended)}};
  co_return tagged_response(call, body);
}

}  // namespace rollwatch
