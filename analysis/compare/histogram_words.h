// What of a histogram speaks against the candidate: one of its boundaries, or all requests by rank.
#pragma once

#include <cstddef>
#include <string>

#include "analysis/compare/condition.h"
#include "analysis/statistics/comparison_state.h"

namespace rollwatch {

struct WeightiestScore {
  bool is_whole = false;  // the ranks: it is slower as a whole
  // What is shown besides: the boundary with most evidence, or that of early promotion where none
  // has any. From 1 on; 0 if nothing was compared yet.
  std::size_t boundary = 0;
  double log_evidence = 0;  // of that score
};
WeightiestScore weightiest_score(const statistics::HistogramRules& rules,
                                 const statistics::ComparisonState& state);

// Requests, and those slower than this boundary (from 1 on), of all slots that were compared.
statistics::RateTick slower_total(const statistics::ComparisonState& state, std::size_t boundary);

// Of all pairs of one request of each version the share in which the candidate's took longer, equal
// ones counted half. 0.5 if nothing is known.
double slower_in_pairs(const statistics::ComparisonState& state);

// "96 slower than 0.25 s of 1,200 (8 %), stable 440 of 22,000 (2 %): 4 times".
std::string measured_latency(const CompareCondition& condition,
                             const statistics::ComparisonState& state);

}  // namespace rollwatch
