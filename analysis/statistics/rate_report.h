// What people are told about rates: how large the difference is, and what a rollout will be able to
// see. Nothing here decides anything.
#pragma once

#include <optional>
#include <span>

#include "analysis/statistics/rate.h"

namespace rollwatch::statistics {

// A slot as it was fed, from the record.
struct FedTick {
  RateTick tick;
  double dispersion = 1;

  bool operator==(const FedTick&) const = default;
};

// Evidence of all slots together by a plain mixture of the bets, without cash, share and cap.
// Against a candidate at this tolerance: for harm it falls as the tolerance grows, for promotion it
// rises.
double plain_evidence(std::span<const FedTick> ticks, Side side, const Tolerance& tolerance);

struct Interval {
  double low = 0;
  double high = 0;
};

struct RateIntervals {
  Interval ratio;  // of the candidate's rate to stable's; from 0 to infinite where nothing is known
  Interval difference;  // between -1 and 1
};

// They hold for all slots at once with probability 1 - level, however often one looks, if the ratio
// (the difference) is the same all the time. After a late regression they may still hold 1 when the
// evidence has spoken: the evidence is the reason, the interval the size.
RateIntervals rate_intervals(std::span<const FedTick> ticks, double level);

// ---- What can be seen

// What a slot is expected to hold.
struct ExpectedTick {
  double candidate_events = 0;
  double stable_events = 0;
  double stable_rate = 0;  // bad events per event
  double dispersion = 1;
};

// Slots until a candidate of this rate has probably been found (harm), or found to be within the
// margin (promote). Nothing: never.
std::optional<double> expected_slots(const ExpectedTick& expected, Side side,
                                     const Tolerance& tolerance, double candidate_rate,
                                     double level);

// The smallest rate of the candidate that is probably found within so many slots. Nothing: none is.
std::optional<double> smallest_visible_rate(const ExpectedTick& expected,
                                            const Tolerance& tolerance, double level, double slots);

}  // namespace rollwatch::statistics
