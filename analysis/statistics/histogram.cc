#include "analysis/statistics/histogram.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "analysis/statistics/log_space.h"
#include "analysis/statistics/rate.h"

namespace rollwatch::statistics {
namespace {

double total_of(std::span<const double> counts) {
  CarefulSum sum;
  for (const double count : counts) sum.add(count);
  return sum.total();
}

bool all_counts(std::span<const double> counts) {
  return std::ranges::all_of(counts, [](double count) { return is_count(count); });
}

// The logarithms of 1 + bet · (score - mean), by count. Neighbours mostly have the same score, and
// then the same logarithm.
void add_logs(CarefulSum& sum, std::span<const double> counts, std::span<const double> score,
              double bet, double mean, bool turned) {
  double last = -1;
  double log = 0;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    if (counts[k] <= 0) continue;
    if (score[k] != last) log = std::log1p(bet * ((turned ? 1 - score[k] : score[k]) - mean));
    last = score[k];
    sum.add(counts[k] * log);
  }
}

// Stable's buckets, whatever their series.
std::vector<double> added_up(std::span<const double> series, std::size_t buckets) {
  std::vector<double> sum(buckets, 0.0);
  for (std::size_t i = 0; i < series.size(); ++i) sum[i % buckets] += series[i];
  return sum;
}

}  // namespace

std::optional<ScoreBets> score_bets(const Score& score, std::span<const double> candidate,
                                    std::span<const double> stable, Side side,
                                    const LatencyTolerance& tolerance, double dispersion) {
  const double of_candidate = total_of(candidate);
  const double of_stable = total_of(stable);
  if (of_candidate <= 0 || of_stable <= 0) return std::nullopt;
  const double factor = tolerance.factor;
  const double ratio = of_candidate / of_stable;
  const bool turned = side == Side::kPromote;
  double mean_stable = std::min(score.guess, (1 - tolerance.extra - 1e-6) / factor);
  double mean_candidate = factor * mean_stable + tolerance.extra;
  if (turned) {
    mean_stable = 1 - mean_stable;
    mean_candidate = 1 - mean_candidate;
  }
  std::optional<ScoreBets> bets(std::in_place);
  bets->guess_candidate = mean_candidate;
  bets->guess_stable = mean_stable;
  for (std::size_t j = 0; j < kHarmGrid.size(); ++j) {
    const double z = kHarmGrid[j] - 1;
    const double x =
        z / (1 + z * mean_candidate + factor * kHarmGrid[j] * ratio * (1 - mean_stable));
    const double y = factor * ratio * x;
    CarefulSum sum;
    add_logs(sum, candidate, score.candidate, x, mean_candidate, turned);
    add_logs(sum, stable, score.stable, -y, mean_stable, turned);
    bets->x[j] = x;
    bets->y[j] = y;
    bets->increments[j] = sum.total() / dispersion;
  }
  return bets;
}

HistogramState HistogramState::start(std::span<const double> bounds) {
  HistogramState state;
  state.bounds.assign(bounds.begin(), bounds.end());
  state.history.assign(bounds.size() + 1, 0.0);
  state.scores.assign(bounds.size() + 1, {Wealth::start(kHarmWealth, kHarmGrid.size()),
                                          Wealth::start(kPromoteWealth, kHarmGrid.size()),
                                          {}});
  return state;
}

void HistogramState::learn(const HistogramRules& rules, const HistogramScales& scales,
                           std::span<const double> series, std::span<const double> ranks) {
  if (!ranks.empty()) scores[0].dispersion.update_score(rules.dispersion, ranks, series);
  for (std::size_t k = 0; k + 1 < scores.size(); ++k)
    scores[k + 1].dispersion.update_score(rules.dispersion, scales.harm.slowed_above(k), series);
  for (std::size_t i = 0; i < series.size(); ++i) history[i % history.size()] += series[i];
}

void HistogramState::observe(const HistogramRules& rules, const HistogramScales& scales,
                             std::span<const double> series) {
  assert(series.size() % history.size() == 0 && "every series has every bucket");
  if (!all_counts(series)) return;
  std::vector<double> of_candidate, of_stable;
  if (total_of(history) > 0) scales.harm.ranks(history, of_candidate, of_stable);
  learn(rules, scales, series, of_stable);
}

Use HistogramState::update(const HistogramRules& rules, const HistogramScales& scales,
                           std::span<const double> candidate, std::span<const double> series) {
  assert(candidate.size() == history.size() && series.size() % history.size() == 0 &&
         "every series has every bucket");
  if (!all_counts(candidate) || !all_counts(series)) return Use::kUnusable;
  if (total_of(history) <= 0) {
    learn(rules, scales, series, {});
    return Use::kNoHistory;
  }
  std::vector<double> ranks_candidate, ranks_stable, promote_candidate, promote_stable;
  scales.harm.ranks(history, ranks_candidate, ranks_stable);
  scales.promote.ranks(history, promote_candidate, promote_stable);
  if (promote_boundary == 0) choose_promote_boundary();

  const std::vector<double> stable = added_up(series, history.size());
  const double events = total_of(candidate);
  Use use = Use::kFed;
  if (events <= 0)
    use = Use::kNoCandidate;
  else if (total_of(stable) <= 0)
    use = Use::kNoStable;
  for (std::size_t i = 0; use == Use::kFed && i < scores.size(); ++i) {
    ScoreState& state = scores[i];
    const double dispersion = state.dispersion.factor(rules.dispersion);
    Score harm{ranks_candidate, ranks_stable};
    Score promote{promote_candidate, promote_stable};
    if (i > 0) {
      harm = {scales.harm.above(i - 1), scales.harm.slowed_above(i - 1)};
      harm.guess = guess_above(history, harm.stable);
      promote = {scales.promote.above(i - 1), scales.promote.slowed_above(i - 1)};
      promote.guess = guess_above(history, promote.stable);
    }
    const auto harms =
        score_bets(harm, candidate, stable, Side::kHarm, rules.tolerance, dispersion);
    const auto promotes =
        score_bets(promote, candidate, stable, Side::kPromote, rules.margin, dispersion);
    state.harm.update(kHarmWealth, harms->increments);
    state.promote.update(kPromoteWealth, promotes->increments);
  }
  if (use == Use::kFed) {
    candidate_events += events;
    ++fed;
  }
  learn(rules, scales, series, ranks_stable);
  return use;
}

void HistogramState::choose_promote_boundary() {
  double above = total_of(history);
  const double all = above;
  double nearest = kInfinite;
  for (std::size_t k = 0; k < bounds.size(); ++k) {
    above -= history[k];
    const double apart = above > 0 ? std::fabs(std::log(above / all / 0.01)) : kInfinite;
    if (apart < nearest || promote_boundary == 0) {
      nearest = apart;
      promote_boundary = static_cast<std::uint32_t>(k + 1);
    }
  }
}

double HistogramState::log_evidence(const HistogramRules& rules) const {
  std::vector<double> parts;
  parts.reserve(scores.size());
  for (const ScoreState& score : scores) parts.push_back(score.harm.log_evidence);
  return mean_evidence(parts, rules.rank_weight);
}

double HistogramState::log_promote() const {
  if (promote_boundary == 0) return 0;
  return std::min(scores[0].promote.log_evidence, scores[promote_boundary].promote.log_evidence);
}

double guess_above(std::span<const double> history, std::span<const double> score) {
  CarefulSum above;
  for (std::size_t j = 0; j < history.size(); ++j) above.add(history[j] * score[j]);
  return (above.total() + 0.5) / (total_of(history) + 1);
}

double mean_evidence(std::span<const double> log_evidence, double rank_weight) {
  std::vector<double> parts(log_evidence.begin(), log_evidence.end());
  const double to_each = (1 - rank_weight) / static_cast<double>(parts.size() - 1);
  for (std::size_t i = 0; i < parts.size(); ++i)
    parts[i] += std::log(i == 0 ? rank_weight : to_each);
  return log_sum(parts);
}

}  // namespace rollwatch::statistics
