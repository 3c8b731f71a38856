// What a delivery benchmark has to say: percentiles of each round, medians over the rounds, and
// ratios of what was measured in the same round, so that a noisy machine is noisy for both.
#pragma once

#include <string>
#include <vector>

namespace rollwatch::bench {

// The nearest rank: a value that was measured. `values` must not be empty.
double percentile(std::vector<double> values, double share);
double median(std::vector<double> values);

// One row of the table: where time is counted from, and its percentiles by round.
struct Row {
  std::string from;
  struct Percentiles {
    std::vector<double> p50, p99;  // milliseconds, one for each round
  };
  Percentiles alone, at_once;
};

// The last row is the peer that the others are compared with.
std::string report(const std::vector<Row>& rows, std::size_t at_once);

}  // namespace rollwatch::bench
