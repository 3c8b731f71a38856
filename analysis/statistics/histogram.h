// Latency from the buckets of a histogram, candidate beside stable: is the candidate slower than
// stable would be if everything of it took `slower` longer? Each request gets a score between 0 and
// 1, and the two versions' means are compared: once its rank among stable's past requests, which
// sees a shift of everything, and for each boundary whether it is above it, which sees the tails.
//
//   const HistogramScales scales(rules, bounds);     // what follows from the rules and the
//   boundaries HistogramState state = HistogramState::start(bounds); state.observe(rules, scales,
//   stable_series);     // history, and slots of the warm-up state.update(rules, scales, candidate,
//   stable_series);
//
// Counts are of single buckets, not cumulative, the last one for all above the last boundary;
// `series` is one series' buckets after another's. Any score of that kind may be compared so: a
// share of successes, an Apdex, cache misses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/statistics/counts.h"
#include "analysis/statistics/dispersion.h"
#include "analysis/statistics/wealth.h"

namespace rollwatch::statistics {

// "Up to `slower` (0.1: 10 %) slower is fine, and of any score `extra` more, and `factor` times."
struct LatencyTolerance {
  double slower = 0.1;
  double factor = 1;
  double extra = 0.002;
};

struct HistogramRules {
  LatencyTolerance tolerance{0.1, 1, 0.002};
  LatencyTolerance margin{0.25, 1, 0.01};  // of early promotion
  double rank_weight = 0.4;                // the boundaries share the rest
  DispersionRules dispersion;
};

// Whether they are numbers that rise; above 0 where anything is to be slowed.
bool are_boundaries(std::span<const double> bounds, double slower);

// Cumulative counts of the buckets up to each boundary, as they are exported, become those of each
// bucket alone. What was read at two moments may fall; that is no count below zero.
void take_apart(std::span<double> cumulative);

// What the boundaries are worth when stable is slowed: computed once, for one tolerance.
class HistogramScale {
 public:
  HistogramScale(std::span<const double> bounds, double slower);

  std::size_t buckets() const { return buckets_; }
  // Of the slowed requests of bucket `from`, the part that falls into bucket `to`: rows one after
  // another.
  std::span<const double> moved() const { return moved_; }
  // The score of each bucket for "above boundary k": the candidate's, and stable's after the move.
  std::span<const double> above(std::size_t k) const { return row(above_, k); }
  std::span<const double> slowed_above(std::size_t k) const { return row(slowed_above_, k); }
  // The ranks among what stable served before, once slowed: the candidate's and stable's.
  void ranks(std::span<const double> history, std::vector<double>& candidate,
             std::vector<double>& stable) const;

 private:
  std::span<const double> row(const std::vector<double>& rows, std::size_t k) const {
    return std::span(rows).subspan(k * buckets_, buckets_);
  }

  std::size_t buckets_;
  std::vector<double> moved_, above_, slowed_above_;
};

struct HistogramScales {
  HistogramScales(const HistogramRules& rules, std::span<const double> bounds)
      : harm(bounds, rules.tolerance.slower), promote(bounds, rules.margin.slower) {}

  HistogramScale harm;
  HistogramScale promote;
};

// One score, and what stable's mean of it is guessed to be. The guess sizes the bets: any that was
// known before the slot is valid.
struct Score {
  std::span<const double> candidate;
  std::span<const double> stable;
  double guess = 0.5;
};

struct ScoreBets {
  double guess_candidate = 0;
  double guess_stable = 0;
  std::array<double, 6> x{}, y{}, increments{};
};

// Nothing when an arm served nothing. For promotion "slower" becomes "faster": the scores turn
// around.
std::optional<ScoreBets> score_bets(const Score& score, std::span<const double> candidate,
                                    std::span<const double> stable, Side side,
                                    const LatencyTolerance& tolerance, double dispersion);

struct ScoreState {
  Wealth harm;
  Wealth promote;
  Dispersion dispersion;

  bool operator==(const ScoreState&) const = default;
};

struct HistogramState {
  std::vector<double> bounds;
  std::vector<double> history;     // stable's counts of all slots before, by bucket
  std::vector<ScoreState> scores;  // the rank first, then each boundary
  // The boundary early promotion asks about besides the rank, chosen when the first slot is fed, so
  // that it is not chosen by what the candidate does: the one that 1 % of stable's requests exceed.
  // 0 is not chosen yet, 1 the first.
  std::uint32_t promote_boundary = 0;
  double candidate_events = 0;
  std::uint64_t fed = 0;

  static HistogramState start(std::span<const double> bounds);

  void observe(const HistogramRules& rules, const HistogramScales& scales,
               std::span<const double> series);

  Use update(const HistogramRules& rules, const HistogramScales& scales,
             std::span<const double> candidate, std::span<const double> series);

  // Of "slower": the weighted mean over the scores.
  double log_evidence(const HistogramRules& rules) const;
  // Of "not slower": each score it is asked of must have reached the threshold, so the least of
  // them.
  double log_promote() const;

  bool operator==(const HistogramState&) const = default;

 private:
  void learn(const HistogramRules& rules, const HistogramScales& scales,
             std::span<const double> series, std::span<const double> ranks);
  void choose_promote_boundary();
};

// The mean of a score among what stable served before, once slowed: what a boundary's bets are
// sized by.
double guess_above(std::span<const double> history, std::span<const double> score);

// The weighted mean of the evidence of scores, the rank's first.
double mean_evidence(std::span<const double> log_evidence, double rank_weight);

}  // namespace rollwatch::statistics
