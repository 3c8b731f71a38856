// How much more errors vary than if each were alone: errors come in bursts, and a test that does
// not know it takes the first burst for a regression. The factor is the variance of a count divided
// by its mean, learnt from the stable version only, from before the rollout and from slots before
// the present one.
//
//   const double factor = dispersion.factor(rules);   // for this slot
//   dispersion.update(rules, series_of_stable);       // what it was, for the next one
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "analysis/statistics/counts.h"

namespace rollwatch::statistics {

// On disk: new ones go last.
enum class DispersionMode : std::uint8_t {
  kAuto,        // series where a slot has at least two, else successive
  kSeries,      // stable's series (pods) beside each other: immune to what they all share
  kSuccessive,  // stable's slots one after another: too large where the shared rate jumps
  kFixed,       // the largest incident is stated: the promise is exact
  kOff          // events are independent: exact as well
};

struct DispersionRules {
  DispersionMode mode = DispersionMode::kAuto;
  double largest_incident = 1;  // of kFixed
  // What is believed before anything was seen, and how many observations that weighs.
  double prior = 2;
  double prior_weight = 10;
};

struct Dispersion {
  double squares = 0;  // of the deviations, each divided by its expectation
  double degrees = 0;  // how many could deviate freely
  // The slot before, for kSuccessive.
  double last_events = 0;
  double last_bad = 0;

  // At least 1.
  double factor(const DispersionRules& rules) const;

  // Stable's counts in one slot, by series, or all in one.
  void update(const DispersionRules& rules, std::span<const ArmCounts> series);

  // The same for a score between 0 and 1 that each bucket of a histogram has. `counts` is one
  // series' buckets after another's.
  void update_score(const DispersionRules& rules, std::span<const double> score,
                    std::span<const double> counts);

  bool operator==(const Dispersion&) const = default;
};

}  // namespace rollwatch::statistics
