#include "analysis/statistics/rate_report.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/statistics/log_space.h"

namespace rollwatch::statistics {
namespace {

constexpr double kLeastRatio = 1e-6;
constexpr double kMostRatio = 1e6;

using Sums = std::array<double, 6>;

double mixture(const Sums& sums) {
  Sums parts = sums;
  for (double& part : parts) part -= std::log(static_cast<double>(parts.size()));
  return log_sum(parts);
}

// Where a function that does not rise crosses zero between the ends, of which the first has it
// above and the second has it below; as exactly as doubles go.
template <class Falling>
double crossing(double low, double high, const Falling& falling) {
  constexpr int kHalvings = 200;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (falling(middle) > 0 ? low : high) = middle;
  }
  return high;
}

Interval ratio_interval(std::span<const FedTick> ticks, double wanted) {
  const auto harm = [&](double log_ratio) {
    return plain_evidence(ticks, Side::kHarm, {std::exp(log_ratio), 0}) - wanted;
  };
  const auto promote = [&](double log_ratio) {
    return wanted - plain_evidence(ticks, Side::kPromote, {std::exp(log_ratio), 0});
  };
  const double least = std::log(kLeastRatio);
  const double most = std::log(kMostRatio);
  Interval interval;
  if (harm(least) < 0)
    interval.low = 0;
  else
    interval.low = harm(most) >= 0 ? kMostRatio : std::exp(crossing(least, most, harm));
  if (promote(most) > 0)
    interval.high = kInfinite;
  else
    interval.high = promote(least) <= 0 ? kLeastRatio : std::exp(crossing(least, most, promote));
  return interval;
}

// With a factor of 1 only the last term knows the difference, so the sums are made once.
class DifferenceEvidence {
 public:
  DifferenceEvidence(std::span<const FedTick> ticks, Side side) {
    std::array<CarefulSum, 6> known, per_extra;
    for (const auto& [tick, dispersion] : ticks) {
      const auto bets = rate_bets(tick, side, {1, 0}, dispersion);
      if (!bets) continue;
      for (std::size_t j = 0; j < known.size(); ++j) {
        known[j].add(bets->increments[j]);
        per_extra[j].add(tick.candidate.events * bets->x[j] / dispersion);
      }
    }
    for (std::size_t j = 0; j < known.size(); ++j) {
      known_[j] = known[j].total();
      per_extra_[j] = per_extra[j].total();
    }
  }

  double operator()(double extra) const {
    Sums sums = known_;
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] -= extra * per_extra_[j];
    return mixture(sums);
  }

 private:
  Sums known_{};
  Sums per_extra_{};
};

Interval difference_interval(std::span<const FedTick> ticks, double wanted) {
  const DifferenceEvidence of_harm(ticks, Side::kHarm);
  const DifferenceEvidence of_promote(ticks, Side::kPromote);
  const auto harm = [&](double extra) { return of_harm(extra) - wanted; };
  const auto promote = [&](double extra) { return wanted - of_promote(extra); };
  Interval interval{-1, 1};
  if (harm(-1) >= 0) interval.low = harm(1) >= 0 ? 1 : crossing(-1.0, 1.0, harm);
  if (promote(1) <= 0) interval.high = promote(-1) <= 0 ? -1 : crossing(-1.0, 1.0, promote);
  return interval;
}

}  // namespace

double plain_evidence(std::span<const FedTick> ticks, Side side, const Tolerance& tolerance) {
  std::array<CarefulSum, 6> careful;
  for (const auto& [tick, dispersion] : ticks) {
    const auto bets = rate_bets(tick, side, tolerance, dispersion);
    if (!bets) continue;
    for (std::size_t j = 0; j < careful.size(); ++j) careful[j].add(bets->increments[j]);
  }
  Sums sums{};
  for (std::size_t j = 0; j < sums.size(); ++j) sums[j] = careful[j].total();
  return mixture(sums);
}

RateIntervals rate_intervals(std::span<const FedTick> ticks, double level) {
  const double wanted = std::log(2 / level);
  return {ratio_interval(ticks, wanted), difference_interval(ticks, wanted)};
}

std::optional<double> expected_slots(const ExpectedTick& expected, Side side,
                                     const Tolerance& tolerance, double candidate_rate,
                                     double level) {
  const auto& [candidate_events, stable_events, stable_rate, dispersion] = expected;
  const RateTick tick{{candidate_events, candidate_events * candidate_rate},
                      {stable_events, stable_events * stable_rate}};
  const auto bets = rate_bets(tick, side, tolerance, dispersion);
  if (!bets) return std::nullopt;
  const double gain = *std::max_element(bets->increments.begin(), bets->increments.end());
  if (gain <= 0) return std::nullopt;
  const WealthRules& rules = side == Side::kHarm ? kHarmWealth : kPromoteWealth;
  const double wanted = log_threshold(level);
  const double price = std::log(static_cast<double>(bets->x.size()) / (1 - rules.cash));
  return std::max(std::ceil(wanted / rules.cap), (wanted + price) / gain);
}

std::optional<double> smallest_visible_rate(const ExpectedTick& expected,
                                            const Tolerance& tolerance, double level,
                                            double slots) {
  const auto too_long = [&](double rate) {
    const auto takes = expected_slots(expected, Side::kHarm, tolerance, rate, level);
    return takes && *takes <= slots ? -1.0 : 1.0;
  };
  if (too_long(1) > 0) return std::nullopt;
  return crossing(0.0, 1.0, too_long);
}

}  // namespace rollwatch::statistics
