// Whether stable has in a slot what the candidate has as well: trouble that both share is nobody's
// release. A sentence for people; it decides nothing, and the evidence knows it already, since it
// holds the candidate against stable of the same slot.
//
// "Risen" is not noise: more than twice as much as was usual (or half as many that are fine), by
// several standard deviations of what chance makes of the slot and of what is known to be usual. Of
// a number, where there are no counts: further out than it ever was, and than three times its
// spread, and than what is tolerated.
#pragma once

#include <span>
#include <string>

#include "analysis/compare/condition.h"
#include "analysis/statistics/comparison_state.h"

namespace rollwatch {

// All of them are "" if stable has not risen, the candidate has not, or too little is known.
// `state` is what was before the slot.

// "stable too: 3.1 % of its events were bad in this slot, 0.4 % before".
std::string shared_rate(const statistics::ComparisonState& state, const statistics::RateTick& tick,
                        double dispersion);

// "requests slower than 0.25 s rose in stable too: 8 % of them in this slot, 2 % before". Of single
// buckets; by the boundary at which it rose most.
std::string shared_latency(const CompareCondition& condition,
                           const statistics::ComparisonState& state,
                           std::span<const double> candidate, std::span<const double> stable);

// "stable rose too: 300 in this slot, 120 before".
std::string shared_gauge(const statistics::GaugeRules& rules,
                         const statistics::ComparisonState& state, double candidate, double stable);

// The same of all of a step's values: "stable rose too: typically 300 in this step, 120 before".
std::string shared_ranks(const RankRules& rules, const statistics::ComparisonState& state);

// So many of stable's values say what is usual. More are not kept, so that trouble stays trouble
// for as long as it lasts.
inline constexpr std::size_t kUsualValues = 30;
// So many say enough.
inline constexpr std::size_t kLeastUsualValues = 8;

}  // namespace rollwatch
