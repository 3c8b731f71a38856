// What a comparison says, in words and numbers an on-call engineer understands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/compare/condition.h"
#include "analysis/statistics/comparison_state.h"

namespace rollwatch {

// "12 bad of 2,310 (0.52 %), stable 180 of 43,900 (0.41 %): 1.27 times": what was measured so far.
std::string measured(const CompareCondition& condition, const statistics::ComparisonState& state);

// "34 of 100": the evidence, and how much of it decides.
std::string evidence_of(double log_evidence, double log_needed);

// What is tolerated: "> 1.25 × stable + 0.05 %". The condition's rule.
std::string tolerance_text(const CompareCondition& condition);
// The margin of an early promotion, in the same words.
std::string margin_text(const CompareCondition& condition);

// What the promise of the condition rests on, a sentence each.
std::vector<std::string> assumptions(const CompareCondition& condition);

// "boundaries that not all histograms have are left out: 0.25 and 3"; "" if none are.
std::string left_out_text(const statistics::ComparisonState& state);

// The size of the difference, for people: it decides nothing.
struct ComparedSize {
  std::optional<double> ratio;  // of the candidate's rate (mean) to stable's
  std::optional<statistics::Interval> interval;
};
inline constexpr double kIntervalLevel = 0.05;
ComparedSize size_of(const CompareCondition& condition, const statistics::ComparisonState& state);

// How many slots the process was fed with.
std::uint64_t slots_of(const statistics::ComparisonState& state);

// Both versions' counts of all slots that were fed with them.
statistics::RateTick total_of(const statistics::ComparisonState& state);

// The same as they are shown: of a histogram by the boundary that speaks most against the
// candidate.
statistics::RateTick shown_total(const CompareCondition& condition,
                                 const statistics::ComparisonState& state);

}  // namespace rollwatch
