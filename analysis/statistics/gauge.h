// One number for each version and slot (memory, a queue's length, a p99): is the candidate's
// typically higher than stable's? There are no counts behind it, so a slot is the smallest unit,
// and the bets are on the sign and the size of the difference, clipped at its usual spread: a rare
// spike counts no more than any bad slot. It takes some nine slots to find anything at alpha 0.05,
// twelve at 0.01. Where counts exist, compare them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/statistics/counts.h"
#include "analysis/statistics/wealth.h"

namespace rollwatch::statistics {

inline constexpr std::array<double, 5> kGaugeStakes{0.1, 0.25, 0.5, 0.75, 0.95};

// On disk: new ones go last.
enum class GaugeMode : std::uint8_t {
  kDifference,  // candidate - stable
  kRatio        // the logarithm of candidate / stable, both above 0
};

struct GaugeRules {
  GaugeMode mode = GaugeMode::kRatio;
  bool larger_is_worse = true;
  // In units of the difference; with kRatio ln(1 + tolerance).
  double margin = 0;
  double promote_margin = 0;
};

struct GaugeState {
  Wealth harm;
  Wealth promote;
  std::vector<double> differences;  // of all slots that were fed; larger is worse

  static GaugeState start();

  struct Updated {
    Use use = Use::kUnusable;
    double difference = 0;
    double clipped = 0;  // between -1 and 1: how far beyond the margin
    double clipped_promote = 0;
    double correlation = 0;  // of a slot with the one before
  };
  Updated update(const GaugeRules& rules, std::optional<double> candidate,
                 std::optional<double> stable);

  bool operator==(const GaugeState&) const = default;
};

// How much longer it takes to learn from slots that resemble the one before.
double correlation_factor(double correlation);

// ---- Report only

struct MeanLimits {
  double mean = 0;
  double variance = 0;  // of the slots, divided by how many there are
  double low = 0;
  double high = 0;
  double at_least = 0;  // one-sided
};

// An asymptotic confidence sequence for the mean of the differences: it holds for all slots at once
// with about probability 1 - level, from some 20 slots on. Too narrow where slots resemble each
// other, for which `factor` widens it. Nothing for no values.
std::optional<MeanLimits> mean_limits(std::span<const double> values, double level,
                                      double factor = 1);

}  // namespace rollwatch::statistics
