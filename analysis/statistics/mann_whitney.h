// The Mann-Whitney test of two lists of numbers: does one tend to be larger? A fixed horizon: its
// p-values are meant for one look at a planned moment. Looked at after every slot, one candidate in
// three that is fine will be called bad; whoever shows them says so.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "analysis/statistics/rate_report.h"

namespace rollwatch::statistics {

struct MannWhitneyTest {
  double u = 0;  // pairs in which the candidate's is the larger; half of the equal ones
  double p_two_sided = 1;
  double p_greater = 1;  // that chance alone makes the candidate's so much larger
  double p_less = 1;
};

// Nothing when one of them is empty, or something in them is not a number.
std::optional<MannWhitneyTest> mann_whitney_test(std::span<const double> candidate,
                                                 std::span<const double> stable);

struct MannWhitney : MannWhitneyTest {
  double shift = 0;            // the median of all differences (Hodges and Lehmann)
  double larger_in_pairs = 0;  // the share of pairs in which the candidate's is larger
  double mean_ratio = 0;       // NaN if a mean is 0
  std::optional<Interval>
      interval;  // of the shift; none where one list cannot be told from the other
};

// Every pair is looked at. More pairs than this are refused, as nothing; none is left out instead.
inline constexpr std::size_t kMostPairs = 1'000'000;
std::optional<MannWhitney> mann_whitney(std::span<const double> candidate,
                                        std::span<const double> stable, double confidence);

// What was measured so far.
struct MannWhitneyState {
  std::vector<double> candidate;
  std::vector<double> stable;

  // A slot without a value of one of them adds only the other.
  void update(std::optional<double> of_candidate, std::optional<double> of_stable);

  bool operator==(const MannWhitneyState&) const = default;
};

}  // namespace rollwatch::statistics
