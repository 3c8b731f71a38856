#include "analysis/statistics/gauge.h"

#include <algorithm>
#include <cmath>

namespace rollwatch::statistics {
namespace {

constexpr std::size_t kScaleFrom = 8;        // differences it takes to know their spread
constexpr std::size_t kCorrelationFrom = 5;  // and how they depend on each other
constexpr double kBelieved = 0.3;            // until then

// Rearranges them.
double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// 0 while it is not known.
double usual_spread(std::span<const double> differences) {
  if (differences.size() < kScaleFrom) return 0;
  std::vector<double> values(differences.begin(), differences.end());
  const double middle = median_of(values);
  for (double& value : values) value = std::fabs(value - middle);
  return 1.4826 * median_of(values);
}

double correlation_of(std::span<const double> differences) {
  if (differences.size() < kCorrelationFrom) return kBelieved;
  const double mean = mean_of(differences);
  double with_the_last = 0;
  double with_itself = 0;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    const double apart = differences[i] - mean;
    with_itself += apart * apart;
    if (i > 0) with_the_last += apart * (differences[i - 1] - mean);
  }
  const double seen = with_itself > 0 ? with_the_last / with_itself : 0;
  return std::clamp(seen + 1 / static_cast<double>(differences.size()), 0.0, 0.9);
}

double clipped(double beyond, double spread) {
  if (spread > 0) return std::clamp(beyond / spread, -1.0, 1.0);
  return beyond > 0 ? 1 : beyond < 0 ? -1 : 0;
}

void bet(Wealth& wealth, const WealthRules& rules, double on, double factor) {
  std::array<double, kGaugeStakes.size()> increments{};
  for (std::size_t j = 0; j < increments.size(); ++j)
    increments[j] = std::log1p(kGaugeStakes[j] * on) / factor;
  wealth.update(rules, increments);
}

}  // namespace

double correlation_factor(double correlation) { return (1 + correlation) / (1 - correlation); }

GaugeState GaugeState::start() {
  return {Wealth::start(kHarmWealth, kGaugeStakes.size()),
          Wealth::start(kPromoteWealth, kGaugeStakes.size()),
          {}};
}

GaugeState::Updated GaugeState::update(const GaugeRules& rules, std::optional<double> candidate,
                                       std::optional<double> stable) {
  Updated updated;
  const auto is_missing = [&](const std::optional<double>& value) {
    return !value || !std::isfinite(*value) || (rules.mode == GaugeMode::kRatio && *value <= 0);
  };
  if (is_missing(candidate) || is_missing(stable)) {
    updated.use = is_missing(candidate) ? Use::kNoCandidate : Use::kNoStable;
    return updated;
  }
  const double difference =
      rules.mode == GaugeMode::kRatio ? std::log(*candidate / *stable) : *candidate - *stable;
  if (!std::isfinite(difference)) return updated;
  updated.use = Use::kFed;
  updated.difference = rules.larger_is_worse ? difference : -difference;
  updated.correlation = correlation_of(differences);
  const double spread = usual_spread(differences);
  const double factor = correlation_factor(updated.correlation);
  updated.clipped = clipped(updated.difference - rules.margin, spread);
  updated.clipped_promote = clipped(rules.promote_margin - updated.difference, spread);
  bet(harm, kHarmWealth, updated.clipped, factor);
  bet(promote, kPromoteWealth, updated.clipped_promote, factor);
  differences.push_back(updated.difference);
  return updated;
}

std::optional<MeanLimits> mean_limits(std::span<const double> values, double level, double factor) {
  if (values.empty()) return std::nullopt;
  const auto count = static_cast<double>(values.size());
  MeanLimits limits;
  limits.mean = mean_of(values);
  for (const double value : values)
    limits.variance += (value - limits.mean) * (value - limits.mean) / count;
  const double spread = std::sqrt(limits.variance * factor);
  // Narrowest at about 30 slots.
  const auto tuned_for = [](double a) {
    return (-2 * std::log(a) + std::log(-2 * std::log(a) + 1)) / 30;
  };
  const auto width = [&](double tuned, double log) {
    return spread * std::sqrt(2 * (count * tuned + 1) / (count * count * tuned) * log);
  };
  const double both = tuned_for(level);
  const double half = width(both, std::log(std::sqrt(count * both + 1) / level));
  limits.low = limits.mean - half;
  limits.high = limits.mean + half;
  const double one = tuned_for(2 * level);
  limits.at_least = limits.mean - width(one, std::log1p(std::sqrt(count * one + 1) / (2 * level)));
  return limits;
}

}  // namespace rollwatch::statistics
