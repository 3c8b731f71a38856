#include "analysis/compare/shared_trouble.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "analysis/compare/samples.h"
#include "analysis/compare/wording.h"
#include "analysis/compare/words.h"

namespace rollwatch {
namespace {

using statistics::ArmCounts;
using statistics::ComparisonState;
using statistics::GaugeMode;
using statistics::GaugeRules;
using statistics::HistogramRules;
using statistics::HistogramState;
using statistics::MannWhitneyState;
using statistics::RateTick;

// ---- Counts

constexpr double kDeviations = 3;
// The boundary is looked for among many, and each could stand out by chance.
constexpr double kDeviationsOfSome = 4;

// How far more events are bad than is usual, in standard deviations; both served something.
double deviations(const ArmCounts& now, const ArmCounts& usual, double dispersion) {
  const double expected = usual.bad / usual.events * now.events;
  const double variance = dispersion * std::max(expected, 1.0) * (1 + now.events / usual.events);
  return (now.bad - expected) / std::sqrt(variance);
}

bool is_more_than(double times, const ArmCounts& now, double usual_share) {
  return now.bad > times * usual_share * now.events;
}

bool half_as_many_are_fine(const ArmCounts& now, double usual_share) {
  return now.events - now.bad < (1 - usual_share) / 2 * now.events;
}

// ---- Numbers

// Rearranges them.
double middle_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

// What is usual of a number, where worse is larger.
class UsualNumbers {
 public:
  explicit UsualNumbers(std::vector<double> values) {
    if (values.size() < kLeastUsualValues) return;
    most_ = std::ranges::max(values);
    middle_ = middle_of(values);
    for (double& value : values) value = std::fabs(value - middle_);
    spread_ = 1.4826 * middle_of(values);
    is_known_ = true;
  }

  bool is_exceeded_by(double value, double margin) const {
    return is_known_ && value > most_ && value - middle_ > std::max(3 * spread_, margin);
  }

 private:
  bool is_known_ = false;
  double most_ = 0, middle_ = 0, spread_ = 0;
};

std::string risen_text(bool larger_is_worse, const std::string& now, std::vector<double> usual) {
  return std::string("stable ") + (larger_is_worse ? "rose" : "fell") + " too: " + now + ", " +
         short_number(middle_of(usual)) + " before";
}

}  // namespace

std::string shared_rate(const ComparisonState& state, const RateTick& tick, double dispersion) {
  // Before the rollout, if that is known: it stays shared for as long as it lasts.
  const ArmCounts usual = state.history.events > 0 ? state.history : total_of(state).stable;
  if (usual.events <= 0 || tick.stable.events <= 0 || tick.candidate.events <= 0) return "";
  const double share = usual.bad / usual.events;
  if (!is_more_than(2, tick.stable, share) || !is_more_than(1, tick.candidate, share) ||
      deviations(tick.stable, usual, dispersion) <= kDeviations)
    return "";
  return "stable too: " + percent_of(tick.stable.bad / tick.stable.events) +
         " of its events were bad in this slot, " + percent_of(share) + " before";
}

std::string shared_latency(const CompareCondition& condition, const ComparisonState& state,
                           std::span<const double> candidate, std::span<const double> stable) {
  const auto* rules = std::get_if<HistogramRules>(&condition.rules);
  const auto* histogram = std::get_if<HistogramState>(&state.process);
  if (rules == nullptr || histogram == nullptr) return "";
  const std::vector<double>& usual = state.usual.empty() ? state.stable_buckets : state.usual;
  double most = kDeviationsOfSome;
  std::string text;
  for (std::size_t k = 1; k <= histogram->bounds.size(); ++k) {
    const ArmCounts before = slower_than(usual, k), of_stable = slower_than(stable, k),
                    of_candidate = slower_than(candidate, k);
    if (before.events <= 0 || of_stable.events <= 0 || of_candidate.events <= 0) return "";
    const double share = before.bad / before.events;
    const bool has_risen =
        is_more_than(2, of_stable, share) || half_as_many_are_fine(of_stable, share);
    const double dispersion = histogram->scores[k].dispersion.factor(rules->dispersion);
    const double apart = deviations(of_stable, before, dispersion);
    if (!has_risen || !is_more_than(1, of_candidate, share) || apart <= most) continue;
    most = apart;
    text = "requests slower than " + short_number(histogram->bounds[k - 1]) + unit_of(condition) +
           " rose in stable too: " + percent_of(of_stable.bad / of_stable.events) +
           " of them in this slot, " + percent_of(share) + " before";
  }
  return text;
}

std::string shared_gauge(const GaugeRules& rules, const ComparisonState& state, double candidate,
                         double stable) {
  const auto worse = [&rules](double value) {
    const double number = rules.mode == GaugeMode::kRatio ? std::log(value) : value;
    return rules.larger_is_worse ? number : -number;
  };
  std::vector<double> values;
  for (const double value : state.usual) values.push_back(worse(value));
  const UsualNumbers usual(std::move(values));
  if (!usual.is_exceeded_by(worse(stable), rules.margin) ||
      !usual.is_exceeded_by(worse(candidate), rules.margin))
    return "";
  return risen_text(rules.larger_is_worse, short_number(stable) + " in this slot", state.usual);
}

std::string shared_ranks(const RankRules& rules, const ComparisonState& state) {
  const auto* ranks = std::get_if<MannWhitneyState>(&state.process);
  if (ranks == nullptr || ranks->stable.size() < kLeastUsualValues) return "";
  const double sign = rules.larger_is_worse ? 1 : -1;
  std::vector<double> values = state.usual, of_candidate = ranks->candidate,
                      of_stable = ranks->stable;
  for (double& value : values) value *= sign;
  const UsualNumbers usual(std::move(values));
  const double stable = middle_of(of_stable);
  if (!usual.is_exceeded_by(sign * stable, 0) ||
      !usual.is_exceeded_by(sign * middle_of(of_candidate), 0))
    return "";
  return risen_text(rules.larger_is_worse, "typically " + short_number(stable) + " in this step",
                    state.usual);
}

}  // namespace rollwatch
