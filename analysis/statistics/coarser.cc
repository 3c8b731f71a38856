#include "analysis/statistics/coarser.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "analysis/statistics/log_space.h"

namespace rollwatch::statistics {
namespace {

bool is_among(std::span<const double> bounds, double bound) {
  return std::ranges::binary_search(bounds, bound);
}

// Where what was counted in the k-th bucket of `from` is counted in `to`.
std::size_t place_in(std::span<const double> to, std::span<const double> from, std::size_t k) {
  if (k >= from.size()) return to.size();
  return static_cast<std::size_t>(std::ranges::lower_bound(to, from[k]) - to.begin());
}

void multiply(Wealth& wealth, double by_log) {
  wealth.cash += by_log;
  for (std::size_t j = 0; j < wealth.bets; ++j) wealth.stakes[j] += by_log;
  wealth.log_evidence += by_log;
  wealth.log_most = std::max(wealth.log_most, wealth.log_evidence);
}

// The next slot is not beside the one before: their scores are not the same.
void break_succession(Dispersion& dispersion) { dispersion.last_events = dispersion.last_bad = 0; }

}  // namespace

std::vector<double> coarser(std::span<const double> buckets, std::span<const double> from,
                            std::span<const double> to) {
  assert(buckets.size() == from.size() + 1 && "a bucket for each boundary, and one above all");
  std::vector<double> merged(to.size() + 1);
  for (std::size_t k = 0; k < buckets.size(); ++k) merged[place_in(to, from, k)] += buckets[k];
  return merged;
}

CounterTable coarser(const CounterTable& table, std::span<const double> from,
                     std::span<const double> to) {
  if (table.parts == 0) return table;  // it counts nothing yet
  CounterTable after = CounterTable::start(static_cast<std::uint32_t>(to.size() + 1));
  after.last_at = table.last_at;
  for (CounterSeries one : table.series) {
    if (one.part < from.size() && !is_among(to, from[one.part])) continue;
    one.part = static_cast<std::uint32_t>(place_in(to, from, one.part));
    after.series.push_back(one);
  }
  return after;
}

HistogramState coarser(const HistogramState& state, std::span<const double> bounds) {
  assert(!bounds.empty() && "something is left to be compared");
  HistogramState after;
  after.bounds.assign(bounds.begin(), bounds.end());
  after.history = coarser(state.history, state.bounds, bounds);
  after.candidate_events = state.candidate_events;
  after.fed = state.fed;
  after.scores.push_back(state.scores.front());
  std::vector<double> capital_of_those_that_go;
  for (std::size_t k = 0; k < state.bounds.size(); ++k) {
    const ScoreState& score = state.scores[k + 1];
    if (!is_among(bounds, state.bounds[k])) {
      capital_of_those_that_go.push_back(score.harm.log_evidence);
      continue;
    }
    after.scores.push_back(score);
    // One that goes is chosen anew by the next slot, from what stable did before.
    if (state.promote_boundary == k + 1)
      after.promote_boundary = static_cast<std::uint32_t>(after.scores.size() - 1);
  }
  if (capital_of_those_that_go.empty()) return after;
  // Each that stays weighs more from now on, and so must have as much less.
  const auto stay = static_cast<double>(bounds.size());
  const double weigh_less = std::log(stay / static_cast<double>(state.bounds.size()));
  const double to_each = log_sum(capital_of_those_that_go) - std::log(stay);
  for (std::size_t i = 0; i < after.scores.size(); ++i) {
    ScoreState& score = after.scores[i];
    const double had = score.harm.log_evidence;
    if (i > 0) multiply(score.harm, weigh_less + log_add(had, to_each) - had);
    break_succession(score.dispersion);
  }
  return after;
}

}  // namespace rollwatch::statistics
