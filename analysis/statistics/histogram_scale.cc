#include <algorithm>
#include <cassert>
#include <cmath>

#include "analysis/statistics/histogram.h"
#include "analysis/statistics/log_space.h"

namespace rollwatch::statistics {

bool are_boundaries(std::span<const double> bounds, double slower) {
  if (bounds.empty() || !(slower >= 0) || (slower > 0 && !(bounds.front() > 0))) return false;
  for (std::size_t k = 0; k < bounds.size(); ++k)
    if (!std::isfinite(bounds[k]) || (k > 0 && bounds[k] <= bounds[k - 1])) return false;
  return true;
}

void take_apart(std::span<double> cumulative) {
  double below = 0;
  for (double& count : cumulative) {
    const double until_here = count;
    count = std::max(0.0, until_here - below);
    below = until_here;
  }
}

HistogramScale::HistogramScale(std::span<const double> bounds, double slower)
    : buckets_(bounds.size() + 1), moved_(buckets_ * buckets_, 0.0) {
  assert(are_boundaries(bounds, slower) && "boundaries rise");
  if (slower > 0) {
    double from = 0;
    for (std::size_t j = 0; j + 1 < buckets_; ++j) {
      const double to = bounds[j] * (1 + slower);
      double low = 0;
      for (std::size_t k = 0; k < buckets_; ++k) {
        double high = kInfinite;
        if (k + 1 < buckets_) high = bounds[k];
        const double overlap = std::min(to, high) - std::max(from, low);
        if (overlap > 0) moved_[j * buckets_ + k] = overlap / (to - from);
        low = high;
      }
      from = to;
    }
    moved_.back() = 1;
  } else {
    for (std::size_t j = 0; j < buckets_; ++j) moved_[j * buckets_ + j] = 1;
  }
  above_.resize(bounds.size() * buckets_);
  slowed_above_.resize(bounds.size() * buckets_);
  for (std::size_t j = 0; j < buckets_; ++j) {
    const auto moved_from = row(moved_, j);
    double part = 0;
    for (std::size_t k = bounds.size(); k-- > 0;) {
      part += moved_from[k + 1];
      above_[k * buckets_ + j] = j > k ? 1 : 0;
      slowed_above_[k * buckets_ + j] = std::min(1.0, part);  // rounding must not make it more
    }
  }
}

void HistogramScale::ranks(std::span<const double> history, std::vector<double>& candidate,
                           std::vector<double>& stable) const {
  CarefulSum all;
  for (const double count : history) all.add(count);
  const double nothing_seen = 0.5 / static_cast<double>(buckets_);
  std::vector<double> slowed(buckets_, 0.0);
  for (std::size_t j = 0; j < buckets_; ++j) {
    const double share = (history[j] + nothing_seen) / (all.total() + 0.5);
    for (std::size_t k = 0; k < buckets_; ++k) slowed[k] += share * moved_[j * buckets_ + k];
  }
  candidate.resize(buckets_);
  stable.resize(buckets_);
  double below = 0;
  for (std::size_t j = 0; j < buckets_; ++j) {
    candidate[j] = std::min(1.0, below + slowed[j] / 2);
    below += slowed[j];
  }
  for (std::size_t j = 0; j < buckets_; ++j) {
    double mean = 0;
    for (std::size_t k = 0; k < buckets_; ++k) mean += moved_[j * buckets_ + k] * candidate[k];
    stable[j] = std::min(1.0, mean);
  }
}

}  // namespace rollwatch::statistics
