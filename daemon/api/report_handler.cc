// Everything about one rollout.
#include <limits>
#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/report.h"

namespace rollwatch {

awaitable<ServerResponse> get_report(const ApiContext& context, Call& call) {
  constexpr std::uint32_t kMostPoints = 600;
  check_query(call, {"after", "points"});
  ReportQuery query;
  query.after =
      query_number(call, "after", 0, std::numeric_limits<std::uint32_t>::max()).value_or(0);
  query.points = query_number(call, "points", 3, kMostPoints).value_or(kMostPoints);
  // Before the rest, so that who follows from there misses nothing.
  query.seq = co_await context.service.newest_event();
  RolloutView view = co_await find_rollout(context, call);
  const ReportFacts facts = co_await report_facts(context, std::move(view), query);
  co_return tagged_response(call, report_json(facts));
}

}  // namespace rollwatch
