#include "analysis/statistics/mann_whitney.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace rollwatch::statistics {
namespace {

double upper_tail(double z) { return std::erfc(z / std::numbers::sqrt2) / 2; }

// The z that a normal variable exceeds with probability 1 - `below`.
double normal_quantile(double below) {
  double low = -40, high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = low + (high - low) / 2;
    (upper_tail(middle) > 1 - below ? low : high) = middle;
  }
  return high;
}

double tie_term(double equal) { return equal * equal * equal - equal; }

// Of the groups of equal values in a sorted list.
double ties_in(std::span<const double> sorted) {
  double sum = 0;
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t end = i + 1;
    while (end < sorted.size() && sorted[end] == sorted[i]) ++end;
    sum += tie_term(static_cast<double>(end - i));
    i = end;
  }
  return sum;
}

double standard_deviation(double n, double m, double ties) {
  const double all = n + m;
  const double variance = n * m / 12 * (all + 1 - (all > 1 ? ties / (all * (all - 1)) : 0));
  return variance > 0 ? std::sqrt(variance) : 0;
}

// How far the pairs are from half and half, in standard deviations, half a pair towards the middle.
double corrected(double apart, double deviation) {
  const double towards = apart > 0 ? 0.5 : apart < 0 ? -0.5 : 0;
  return (apart - towards) / deviation;
}

std::vector<double> in_order(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

bool can_be_ordered(std::span<const double> values) {
  return !values.empty() &&
         std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

double mean_of_sample(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

MannWhitneyTest test_of_sorted(std::span<const double> x, std::span<const double> y) {
  // Both walked through together: y up to and with each x, and ties over both lists.
  MannWhitneyTest test;
  double ties = 0;
  std::size_t i = 0, j = 0;
  while (i < x.size() || j < y.size()) {
    const double value = i == x.size() ? y[j] : j == y.size() ? x[i] : std::min(x[i], y[j]);
    std::size_t x_end = i, y_end = j;
    while (x_end < x.size() && x[x_end] == value) ++x_end;
    while (y_end < y.size() && y[y_end] == value) ++y_end;
    const auto equal_x = static_cast<double>(x_end - i);
    const auto equal_y = static_cast<double>(y_end - j);
    test.u += equal_x * (static_cast<double>(j) + equal_y / 2);
    ties += tie_term(equal_x + equal_y);
    i = x_end;
    j = y_end;
  }
  const auto n = static_cast<double>(x.size());
  const auto m = static_cast<double>(y.size());
  const double deviation = standard_deviation(n, m, ties);
  if (deviation == 0) return test;
  const double apart = test.u - n * m / 2;
  test.p_two_sided =
      std::min(1.0, 2 * upper_tail(std::max(0.0, std::fabs(apart) - 0.5) / deviation));
  test.p_greater = upper_tail((apart - 0.5) / deviation);
  test.p_less = upper_tail((-apart - 0.5) / deviation);
  return test;
}

// For shifts between two neighbouring differences no value of one list equals one of the other, so
// what is to be looked for depends on how many differences are larger, and on nothing that rounding
// could blur. At the two ends the smallest of one list is the largest of the other, exactly.
class ShiftInterval {
 public:
  ShiftInterval(std::span<const double> x, std::span<const double> y,
                std::span<const double> differences)
      : differences_(differences),
        n_(static_cast<double>(x.size())),
        m_(static_cast<double>(y.size())),
        own_ties_(ties_in(x) + ties_in(y)),
        inside_(standard_deviation(n_, m_, own_ties_)),
        first_(at_end(count_of(x, x.front()), count_of(y, y.back()), 1)),
        last_(at_end(count_of(x, x.back()), count_of(y, y.front()), -1)) {}

  std::optional<Interval> operator()(double confidence) const {
    if (!first_ || !last_) return std::nullopt;
    const double z = normal_quantile((1 + confidence) / 2);
    return Interval{solution(z), solution(-z)};
  }

 private:
  static double count_of(std::span<const double> sorted, double value) {
    const auto [begin, end] = std::equal_range(sorted.begin(), sorted.end(), value);
    return static_cast<double>(end - begin);
  }

  // All pairs are on one side but for those that are equal.
  std::optional<double> at_end(double equal_x, double equal_y, double side) const {
    const double ties =
        own_ties_ - tie_term(equal_x) - tie_term(equal_y) + tie_term(equal_x + equal_y);
    const double deviation = standard_deviation(n_, m_, ties);
    if (deviation == 0) return std::nullopt;
    return corrected(side * (n_ * m_ / 2 - equal_x * equal_y / 2), deviation);
  }

  // The first difference after which the statistic is no longer above z.
  double solution(double z) const {
    if (*first_ - z <= 0) return differences_.front();
    if (*last_ - z >= 0) return differences_.back();
    std::size_t low = 0, high = differences_.size();  // of the pairs that are not larger
    while (low < high) {
      const std::size_t middle = low + (high - low) / 2;
      const std::size_t next = end_of_equal(middle);
      const auto larger = static_cast<double>(differences_.size() - next);
      if (next < differences_.size() && corrected(larger - n_ * m_ / 2, inside_) - z > 0)
        low = next;
      else
        high = middle;
    }
    return low < differences_.size() ? differences_[low] : differences_.back();
  }

  std::size_t end_of_equal(std::size_t at) const {
    return static_cast<std::size_t>(
        std::upper_bound(differences_.begin(), differences_.end(), differences_[at]) -
        differences_.begin());
  }

  std::span<const double> differences_;
  double n_, m_, own_ties_, inside_;
  std::optional<double> first_, last_;
};

}  // namespace

std::optional<MannWhitneyTest> mann_whitney_test(std::span<const double> candidate,
                                                 std::span<const double> stable) {
  if (!can_be_ordered(candidate) || !can_be_ordered(stable)) return std::nullopt;
  return test_of_sorted(in_order(candidate), in_order(stable));
}

std::optional<MannWhitney> mann_whitney(std::span<const double> candidate,
                                        std::span<const double> stable, double confidence) {
  if (!can_be_ordered(candidate) || !can_be_ordered(stable)) return std::nullopt;
  if (candidate.size() > kMostPairs / stable.size()) return std::nullopt;
  const std::vector<double> x = in_order(candidate);
  const std::vector<double> y = in_order(stable);
  MannWhitney result;
  static_cast<MannWhitneyTest&>(result) = test_of_sorted(x, y);
  std::vector<double> differences;
  differences.reserve(x.size() * y.size());
  for (const double one : x)
    for (const double other : y) differences.push_back(one - other);
  std::sort(differences.begin(), differences.end());
  const std::size_t middle = differences.size() / 2;
  result.shift = differences.size() % 2 == 1 ? differences[middle]
                                             : (differences[middle - 1] + differences[middle]) / 2;
  result.larger_in_pairs = result.u / static_cast<double>(differences.size());
  const double mean_candidate = mean_of_sample(x);
  const double mean_stable = mean_of_sample(y);
  result.mean_ratio = mean_candidate == 0 || mean_stable == 0
                          ? std::numeric_limits<double>::quiet_NaN()
                          : mean_candidate / mean_stable;
  result.interval = ShiftInterval(x, y, differences)(confidence);
  return result;
}

void MannWhitneyState::update(std::optional<double> of_candidate, std::optional<double> of_stable) {
  if (of_candidate && std::isfinite(*of_candidate)) candidate.push_back(*of_candidate);
  if (of_stable && std::isfinite(*of_stable)) stable.push_back(*of_stable);
}

}  // namespace rollwatch::statistics
