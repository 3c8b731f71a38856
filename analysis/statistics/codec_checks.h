// What no field of a saved comparison alone shows: whether its parts belong together. What was
// written here always fits; anything else is not taken.
#pragma once

#include "analysis/statistics/comparison_state.h"

namespace rollwatch::statistics {

bool fits(const RateState& state);
bool fits(const HistogramState& state);
bool fits(const GaugeState& state);
bool fits(const MannWhitneyState& state);
bool fits(const PlaceboGuard& guard);
bool fits(const CounterTable& table);
bool fits(const ComparisonState& state);
bool fits(const CountState& state);

}  // namespace rollwatch::statistics
