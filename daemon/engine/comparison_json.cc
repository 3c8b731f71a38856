#include "daemon/engine/comparison_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "analysis/compare/histogram_words.h"
#include "analysis/compare/standing.h"
#include "analysis/compare/words.h"

namespace rollwatch {
namespace {

using Json = nlohmann::ordered_json;
using statistics::ComparisonState;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

// A logarithm as the number itself, as large as a number can be.
Json from_log(double log) { return std::exp(std::min(log, 690.0)); }

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json counts_json(const statistics::ArmCounts& counts) {
  return {{"events", counts.events},
          {"bad", counts.bad},
          {"rate", counts.events > 0 ? finite(counts.bad / counts.events) : Json(nullptr)},
          {"mean", nullptr}};
}

Json mean_json(double sum, double slots) {
  return {{"events", nullptr},
          {"bad", nullptr},
          {"rate", nullptr},
          {"mean", slots > 0 ? finite(sum / slots) : Json(nullptr)}};
}

Json size_json(const CompareCondition& condition, const ComparisonState& state) {
  const ComparedSize size = size_of(condition, state);
  if (!size.ratio) return nullptr;
  return {{"value", finite(*size.ratio)},
          {"low", size.interval ? finite(size.interval->low) : Json(nullptr)},
          {"high", size.interval ? finite(size.interval->high) : Json(nullptr)},
          {"level", 1 - kIntervalLevel}};
}

// Of a histogram: what of it speaks most against the candidate.
Json score_json(const CompareCondition& condition, const ComparisonState& state) {
  const auto* rules = std::get_if<statistics::HistogramRules>(&condition.rules);
  const auto* histogram = std::get_if<statistics::HistogramState>(&state.process);
  if (rules == nullptr || histogram == nullptr) return nullptr;
  const WeightiestScore score = weightiest_score(*rules, state);
  return {{"whole", score.is_whole},
          {"boundary",
           score.boundary == 0 ? Json(nullptr) : Json(histogram->bounds[score.boundary - 1])},
          {"evidence", from_log(score.log_evidence)}};
}

Json dispersion_json(const ComparisonState& state) {
  return state.fed.empty() || !std::holds_alternative<statistics::RateState>(state.process)
             ? Json(nullptr)
             : finite(state.fed.back().dispersion);
}

std::vector<std::string> all_assumptions(const CompareCondition& condition,
                                         const ComparisonState& state) {
  std::vector<std::string> all = assumptions(condition);
  if (std::string left_out = left_out_text(state); !left_out.empty())
    all.push_back(std::move(left_out));
  return all;
}

}  // namespace

Json comparison_json(const Plan& plan, const RolloutState& state, std::size_t i) {
  const CompareCondition* condition = comparison_of(plan.conditions[i]);
  if (condition == nullptr) return nullptr;
  const ComparisonStanding standing = standing_of(plan, state.conditions, i);
  const ComparisonState* memory = state.conditions[i].memory.comparison();
  const ComparisonState none;
  const ComparisonState& seen = memory == nullptr ? none : *memory;
  const bool counts =
      condition->kind() == CompareKind::kRate || condition->kind() == CompareKind::kHistogram;
  const statistics::RateTick total = shown_total(*condition, seen);
  const auto slots = static_cast<double>(slots_of(seen));
  const bool is_cause = std::ranges::find(standing.causes, i) != standing.causes.end();
  return {
      {"kind", name_of(condition->kind())},
      {"in_promise", is_in_promise(plan, i)},
      {"alpha", condition->alpha},
      {"tolerance", tolerance_text(*condition)},
      {"margin", text_or_null(margin_text(*condition))},
      {"evidence", from_log(standing.log_evidence)},
      {"needed", from_log(standing.log_needed)},
      {"together", from_log(standing.log_together)},
      {"needed_together", from_log(standing.log_alpha)},
      {"rejects", is_cause},
      {"suspicious", standing.suspicious},
      {"held_back", standing.held_back},
      {"early_promote", condition->early_promote},
      {"established", standing.is_established},
      {"promote_evidence", from_log(standing.log_promote)},
      {"promote_needed", 1 / kAlphaPromote},
      {"slots", slots},
      {"candidate", counts ? counts_json(total.candidate) : mean_json(seen.candidate_sum, slots)},
      {"stable", counts ? counts_json(total.stable) : mean_json(seen.stable_sum, slots)},
      {"ratio", size_json(*condition, seen)},
      {"score", score_json(*condition, seen)},
      {"dispersion", dispersion_json(seen)},
      {"history_slots", seen.history_slots},
      {"measured", measured(*condition, seen)},
      {"shared", text_or_null(seen.shared)},
      {"outlook", text_or_null(seen.outlook)},
      {"assumes", all_assumptions(*condition, seen)}};
}

}  // namespace rollwatch
