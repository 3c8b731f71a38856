// Everything there is to say about one rollout, in one answer: for a page, a ticket, a report.
#pragma once

#include <cstdint>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/history_points.h"
#include "daemon/api/api.h"

namespace rollwatch {

// What is read of a rollout for it.
struct ReportFacts {
  RolloutView view;
  struct OfCondition {
    std::string name;
    std::vector<HistoryPoint> points;     // all of them, until they are thinned
    std::deque<StoredEvaluation> latest;  // the last few
  };
  std::vector<OfCondition> history;       // in the plan's order
  std::uint32_t evaluations_after = 0;    // the number of the newest evaluation that is in it
  std::int64_t seq = 0;                   // of the newest event, of any rollout
  std::deque<StoredEvent> events;         // the latest
  std::size_t earlier_events = 0;         // that are left out
  std::deque<Delivery> deliveries;        // the latest
  std::size_t earlier_deliveries = 0;     // that are left out
  std::vector<std::string> held_because;  // of each delivery; "": nothing holds it
  std::vector<DatasourceView> datasources;
  SysTime now{};
};

struct ReportQuery {
  std::uint32_t after = 0;   // evaluations with a greater number only
  std::size_t points = 600;  // of each condition
  std::int64_t seq = 0;      // the newest event, from before anything else was read
};

// Of a rollout that the caller may see. Throws StoreError.
awaitable<ReportFacts> report_facts(const ApiContext& context, RolloutView view, ReportQuery query);

nlohmann::ordered_json report_json(const ReportFacts& facts);

}  // namespace rollwatch
