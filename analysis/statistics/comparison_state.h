// Everything that a condition which compares remembers between two slots: its process, the counters
// it has seen, and what people are told of it. It goes on through all steps of a rollout.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "analysis/statistics/counters.h"
#include "analysis/statistics/decide.h"
#include "analysis/statistics/gauge.h"
#include "analysis/statistics/histogram.h"
#include "analysis/statistics/mann_whitney.h"
#include "analysis/statistics/rate.h"
#include "analysis/statistics/rate_report.h"

namespace rollwatch::statistics {

// In the order of CompareKind. A histogram's begins with the first answer, which has its bounds.
using Process =
    std::variant<std::monostate, RateState, HistogramState, GaugeState, MannWhitneyState>;

// The one look of a step that a fixed horizon allows, at what was measured in that step.
struct Look {
  std::uint32_t step = 0;
  bool looked = false;
  double p_greater = 1;
  double shift = 0;  // the median of the differences

  bool operator==(const Look&) const = default;
};

struct ComparisonState {
  Process process;
  CounterTable candidate;  // of counters only
  CounterTable stable;
  PlaceboGuard placebo;  // of rates only

  // What was fed, for people: two neighbours become one when there are too many, so the latest are
  // as they were and the oldest the coarsest.
  std::vector<FedTick> fed;
  double candidate_sum = 0;  // of a gauge's values
  double stable_sum = 0;
  std::optional<Look> look;

  // Of stable, from before the rollout.
  bool history_read = false;
  std::uint32_t history_slots = 0;
  ArmCounts history;
  std::string outlook;  // what this rollout can see; "" where that is not known

  std::string shared;  // what both versions have had in the latest slot; "" if nothing

  // What older states have not; see codec.h.

  // What is usual of stable, to tell what both versions have: a histogram's buckets before the
  // rollout; of one number some values, from before or from its first slots.
  std::vector<double> usual;
  std::vector<Look> looks;  // at steps that were left; a step is looked at once, even if it returns
  // A histogram's: all that was compared, by bucket.
  std::vector<double> candidate_buckets;
  std::vector<double> stable_buckets;
  std::vector<double> left_out;  // boundaries that not all series have

  bool operator==(const ComparisonState&) const = default;
};
inline constexpr std::size_t kKeptTicks = 64;

// Keeps it, and makes room.
void keep(std::vector<FedTick>& fed, const FedTick& tick);

// A condition that counts what happened since its step began.
struct CountState {
  CounterTable table;
  double total = 0;
  MaybeTime since;  // the step it belongs to

  bool operator==(const CountState&) const = default;
};

}  // namespace rollwatch::statistics
