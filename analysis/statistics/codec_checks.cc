#include "analysis/statistics/codec_checks.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <tuple>

namespace rollwatch::statistics {
namespace {

// Evidence that is not a number would speak neither for nor against anything, ever.
bool fits(const Wealth& wealth, std::size_t bets) {
  if (wealth.bets != bets) return false;
  bool is_number =
      !std::isnan(wealth.cash) && !std::isnan(wealth.log_evidence) && !std::isnan(wealth.log_most);
  for (const double stake : std::span(wealth.stakes).first(bets))
    is_number = is_number && !std::isnan(stake);
  return is_number;
}

bool fits(const std::monostate&) { return true; }

// A table that counts nothing yet has no parts.
bool fits_if_any(const CounterTable& table) {
  return (table.parts == 0 && table.series.empty()) || fits(table);
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

// What people are told of a histogram is by its buckets.
bool belongs_to_process(const ComparisonState& state) {
  const auto* histogram = std::get_if<HistogramState>(&state.process);
  const std::size_t buckets = histogram == nullptr ? 0 : histogram->history.size();
  const auto fits_buckets = [buckets](const std::vector<double>& counts) {
    return counts.empty() || counts.size() == buckets;
  };
  return state.candidate_buckets.size() == state.stable_buckets.size() &&
         fits_buckets(state.candidate_buckets) &&
         (histogram == nullptr || fits_buckets(state.usual)) && all_finite(state.usual) &&
         all_finite(state.candidate_buckets) && all_finite(state.stable_buckets) &&
         all_finite(state.left_out);
}

}  // namespace

bool fits(const RateState& state) {
  return fits(state.harm, kHarmGrid.size()) && fits(state.promote, kPromoteGrid.size());
}

bool fits(const HistogramState& state) {
  const std::size_t buckets = state.bounds.size() + 1;
  for (const ScoreState& score : state.scores)
    if (!fits(score.harm, kHarmGrid.size()) || !fits(score.promote, kHarmGrid.size())) return false;
  return are_boundaries(state.bounds, 0) && state.history.size() == buckets &&
         state.scores.size() == buckets && state.promote_boundary < buckets;
}

bool fits(const GaugeState& state) {
  return fits(state.harm, kGaugeStakes.size()) && fits(state.promote, kGaugeStakes.size());
}

bool fits(const MannWhitneyState&) { return true; }

bool fits(const PlaceboGuard& guard) {
  for (const Wealth& wealth : guard.groups)
    if (!fits(wealth, kHarmGrid.size())) return false;
  const PlaceboGuard::Member* before = nullptr;
  for (const PlaceboGuard::Member& member : guard.members) {
    if (member.group >= guard.groups.size()) return false;
    if (before != nullptr && before->source >= member.source) return false;
    before = &member;
  }
  return !std::isnan(guard.log_most);
}

bool fits(const CounterTable& table) {
  const CounterSeries* before = nullptr;
  for (const CounterSeries& one : table.series) {
    if (one.part >= table.parts) return false;
    if (before != nullptr && std::tie(before->source, before->part, before->series) >=
                                 std::tie(one.source, one.part, one.series))
      return false;
    before = &one;
  }
  return table.parts > 0;
}

bool fits(const ComparisonState& state) {
  return belongs_to_process(state) &&
         std::visit([](const auto& process) { return fits(process); }, state.process) &&
         fits_if_any(state.candidate) && fits_if_any(state.stable) && fits(state.placebo) &&
         state.fed.size() <= kKeptTicks;
}

bool fits(const CountState& state) { return fits_if_any(state.table); }

}  // namespace rollwatch::statistics
