// Sums of numbers that are kept as their natural logarithms, and a sum of doubles that loses
// little. Evidence is kept as a logarithm all the way: it reaches sizes that a double does not
// hold.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace rollwatch::statistics {

inline constexpr double kInfinite = std::numeric_limits<double>::infinity();

// The logarithm of exp(a) + exp(b).
inline double log_add(double a, double b) {
  const auto [less, more] = std::minmax(a, b);
  return less == -kInfinite ? more : more + std::log1p(std::exp(less - more));
}

// The logarithm of the sum of exp(…) over all of them; that of nothing is minus infinity.
inline double log_sum(std::span<const double> logs) {
  double most = -kInfinite;
  for (const double log : logs) most = std::max(most, log);
  if (most == -kInfinite) return most;
  double sum = 0;
  for (const double log : logs) sum += std::exp(log - most);
  return most + std::log(sum);
}

// Neumaier's sum: with counts of many billions the plain one would lose whole events.
class CarefulSum {
 public:
  void add(double value) {
    const double next = sum_ + value;
    const bool is_smaller = std::fabs(value) < std::fabs(sum_);
    lost_ += is_smaller ? (sum_ - next) + value : (value - next) + sum_;
    sum_ = next;
  }
  double total() const { return sum_ + lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

}  // namespace rollwatch::statistics
