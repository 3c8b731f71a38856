#include "analysis/compare/histogram_words.h"

#include <cmath>
#include <vector>

#include "analysis/compare/samples.h"
#include "analysis/compare/wording.h"
#include "analysis/compare/words.h"

namespace rollwatch {
namespace {

using statistics::ComparisonState;
using statistics::HistogramRules;
using statistics::HistogramState;
using statistics::RateTick;

const HistogramState* histogram_in(const ComparisonState& state) {
  return std::get_if<HistogramState>(&state.process);
}

// One that was saved before buckets were kept only knows of the boundary of early promotion.
bool knows_buckets(const ComparisonState& state) { return !state.candidate_buckets.empty(); }

std::string boundary_text(const CompareCondition& condition, const HistogramState& histogram,
                          std::size_t boundary) {
  if (boundary == 0 || boundary > histogram.bounds.size()) return "the boundary";
  return short_number(histogram.bounds[boundary - 1]) + unit_of(condition);
}

}  // namespace

WeightiestScore weightiest_score(const HistogramRules& rules, const ComparisonState& state) {
  WeightiestScore found;
  const HistogramState* histogram = histogram_in(state);
  if (histogram == nullptr) return found;
  std::size_t heaviest = histogram->promote_boundary;
  double most = 0;  // less than what it began with speaks for the candidate
  for (std::size_t k = 1; k < histogram->scores.size(); ++k) {
    const double evidence = histogram->scores[k].harm.log_evidence;
    if (evidence <= most) continue;
    most = evidence;
    heaviest = k;
  }
  found.boundary = knows_buckets(state) ? heaviest : histogram->promote_boundary;
  const double of_whole = histogram->scores.front().harm.log_evidence;
  const double of_boundary = heaviest == 0 ? 0 : histogram->scores[heaviest].harm.log_evidence;
  const auto boundaries = static_cast<double>(histogram->bounds.size());
  found.is_whole = of_whole > 0 && of_whole + std::log(rules.rank_weight) >=
                                       of_boundary + std::log((1 - rules.rank_weight) / boundaries);
  found.log_evidence = found.is_whole ? of_whole : of_boundary;
  return found;
}

RateTick slower_total(const ComparisonState& state, std::size_t boundary) {
  if (!knows_buckets(state)) return total_of(state);
  return {slower_than(state.candidate_buckets, boundary),
          slower_than(state.stable_buckets, boundary)};
}

double slower_in_pairs(const ComparisonState& state) {
  const RateTick all = slower_total(state, 0);
  if (!knows_buckets(state) || all.candidate.events <= 0 || all.stable.events <= 0) return 0.5;
  double slower = 0, below = 0;
  for (std::size_t k = 0; k < state.candidate_buckets.size(); ++k) {
    slower += state.candidate_buckets[k] * (below + state.stable_buckets[k] / 2);
    below += state.stable_buckets[k];
  }
  return slower / all.candidate.events / all.stable.events;
}

std::string measured_latency(const CompareCondition& condition, const ComparisonState& state) {
  const HistogramState* histogram = histogram_in(state);
  const auto* rules = std::get_if<HistogramRules>(&condition.rules);
  if (histogram == nullptr || rules == nullptr) return "nothing yet";
  const WeightiestScore score = weightiest_score(*rules, state);
  const RateTick total = slower_total(state, score.boundary);
  std::string text;
  if (score.is_whole) {
    text = "slower as a whole";
    if (knows_buckets(state))
      text += " (of 100 pairs of requests the candidate's took longer in " +
              count_text(100 * slower_in_pairs(state)) + ")";
    text += ", ";
  }
  return text +
         counts_text(total.candidate,
                     " slower than " + boundary_text(condition, *histogram, score.boundary)) +
         ", stable " + counts_text(total.stable, "") + times_text(total);
}

}  // namespace rollwatch
