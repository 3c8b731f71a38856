// A histogram with only some of its boundaries: what is left when processes have different ones,
// and only those that all have can be compared. Counts up to a boundary are what they are, whatever
// other boundaries there are, so nothing is guessed: a bucket becomes the sum of those it is made
// of.
//
// Which boundaries stay must depend on which there are, and never on what was counted.
#pragma once

#include <span>
#include <vector>

#include "analysis/statistics/counters.h"
#include "analysis/statistics/histogram.h"

namespace rollwatch::statistics {

// `to` is a part of `from`; both rise. Of single buckets, the last one above all boundaries.
std::vector<double> coarser(std::span<const double> buckets, std::span<const double> from,
                            std::span<const double> to);

// The counters of cumulative buckets, a part for each boundary and one for all.
CounterTable coarser(const CounterTable& table, std::span<const double> from,
                     std::span<const double> to);

// At least one boundary stays. The capital of the scores that go is dealt out evenly to the
// boundaries that stay, so the evidence is the same before and after: none is made, none is lost,
// and the bound on false rollbacks holds on.
HistogramState coarser(const HistogramState& state, std::span<const double> bounds);

}  // namespace rollwatch::statistics
