// What a delivery benchmark has to say: percentiles of each round, medians over the rounds, and
// ratios of what was measured in the same round, so that a noisy machine is noisy for both.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace rollwatch::bench {

// The nearest rank: a value that was measured. `values` must not be empty.
constexpr double percentile(std::vector<double> values, std::size_t percent) {
  std::sort(values.begin(), values.end());
  const std::size_t rank = (values.size() * percent + 99) / 100;
  return values[std::max<std::size_t>(rank, 1) - 1];
}

constexpr double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

static_assert(percentile({3, 1, 2}, 50) == 2 && percentile({4, 3, 1, 2}, 50) == 2 &&
              percentile({3, 1, 2}, 99) == 3 && percentile({1}, 1) == 1);
static_assert(median({3, 1, 2}) == 2 && median({4, 1, 2, 8}) == 3);

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
