// A condition that holds the candidate against the stable version instead of against a limit. What
// it asks is asked once for each version; analysis/statistics says what the answers prove.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "analysis/promql/query_template.h"
#include "analysis/statistics/gauge.h"
#include "analysis/statistics/histogram.h"
#include "analysis/statistics/rate.h"
#include "analysis/time.h"

namespace rollwatch {

enum class Arm : std::uint8_t { kCandidate, kStable };
std::string_view name_of(Arm arm);

enum class CompareKind : std::uint8_t { kRate, kHistogram, kGauge, kMannWhitney };
std::string_view name_of(CompareKind kind);

// Of Mann-Whitney's test: the candidate may have values so many times as bad.
struct RankRules {
  bool larger_is_worse = true;
  double factor = 1;
};

// In the order of CompareKind.
using CompareRules = std::variant<statistics::RateRules, statistics::HistogramRules,
                                  statistics::GaugeRules, RankRules>;

inline constexpr double kDefaultAlpha = 0.01;

struct CompareCondition {
  // Rendered with {{version}}, once for each.
  promql::QueryTemplate counted;             // `events`, `buckets` or `query`
  std::optional<promql::QueryTemplate> bad;  // `bad_events` of a rate
  CompareRules rules;
  double alpha = kDefaultAlpha;  // of the whole rollout: all that compare in it have the same
  Millis warmup{0};              // after a step has begun
  bool early_promote = false;
  double min_evidence = 100;  // the candidate's events (a gauge's slots) before a slot can pass

  CompareKind kind() const { return static_cast<CompareKind>(rules.index()); }
};

// What is not asked for in the configuration (statistics, C.5).
inline constexpr double kAlphaHold = 0.2;      // with so much evidence the weight is kept
inline constexpr double kAlphaPromote = 0.05;  // of promoting early what is at or beyond the margin
inline constexpr std::uint64_t kLeastSlots = 5;        // before an early promotion
inline constexpr std::uint64_t kLeastGaugeSlots = 10;  // the same where a slot is one value
inline constexpr double kLeastEvents = 100;            // the same in events of the candidate
// Values of each version before Mann-Whitney's test looks.
inline constexpr std::size_t kLeastValues = 12;

}  // namespace rollwatch
