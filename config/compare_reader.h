// Reads what a condition says about its comparison with the stable version, and `count_of`: both
// look at raw counters.
#pragma once

#include <optional>
#include <string_view>

#include "analysis/plan.h"
#include "config/table_reader.h"

namespace rollwatch {

// When nobody says otherwise: parts of stable's value, and a warm-up in intervals.
inline constexpr double kGaugeTolerance = 0.1, kGaugeMargin = 0.25;
inline constexpr int kWarmupSlots = 2;

// What is given of a comparison. `compare` itself may be in another layer, so anything may be.
struct CompareKeys {
  std::optional<CompareKind> kind;
  std::optional<promql::QueryTemplate> events, bad_events, buckets;
  std::optional<double> alpha;
  const Value* tolerance = nullptr;
  const Value* promote_margin = nullptr;
  std::optional<statistics::DispersionRules> dispersion;
  std::optional<Millis> warmup;
  std::optional<bool> early_promote;
  std::optional<bool> lower_is_worse;
};
CompareKeys read_compare_keys(TableReader& reader);

// Also a policy's, for all of its conditions that compare.
std::optional<double> read_alpha(TableReader& reader);

// Whether the condition of a merged document compares.
bool compares(const Value& condition);
// Whether a policy's key for all of its conditions has a meaning for this one.
bool may_take(const Value& condition, std::string_view key);

// The whole condition. `query` and `min_evidence` are its keys that others have as well.
std::optional<CompareCondition> settle_compare(TableReader& reader, CompareKeys keys,
                                               const ConditionPlan& condition,
                                               std::optional<promql::QueryTemplate> query,
                                               std::optional<double> min_evidence);

// A threshold has none of these keys.
void refuse_compare_keys(TableReader& reader);

// Counters are taken as they are: not as rates, and not summed up over what restarts.
void check_counters(TableReader& reader, std::string_view key, const promql::QueryTemplate& query);

}  // namespace rollwatch
