// One number of each version and slot: gauges, and Mann-Whitney's test.
#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "analysis/compare/see_kinds.h"
#include "analysis/compare/shared_trouble.h"
#include "analysis/judge.h"

namespace rollwatch {
namespace {

using statistics::ComparisonState;
using statistics::GaugeMode;
using statistics::GaugeRules;
using statistics::GaugeState;
using statistics::Look;
using statistics::MannWhitneyState;
using statistics::Use;

// Of a gauge's differences so many are kept: the spread is learnt from them.
constexpr std::size_t kKeptDifferences = 1'024;

struct OneNumber {
  std::optional<double> value;
  SlotEnd end;
};

OneNumber number_of(const Answer& answer, Arm which) {
  if (const auto* scalar = std::get_if<Scalar>(&answer.result)) {
    if (std::isfinite(scalar->value)) return {scalar->value, {}};
    return {{}, nothing_of(which)};
  }
  const auto& series = std::get<Vector>(answer.result).series;
  if (series.size() > 1)
    return {{},
            ended(Outcome::kError, Cause::kManySeries,
                  std::string(name_of(which)) + ": " + std::to_string(series.size()) + " series")};
  if (series.empty() || !std::isfinite(series.front().value)) return {{}, nothing_of(which)};
  return {series.front().value, {}};
}

// A ratio has no place for what is not above 0.
bool can_be_usual(const CompareRules& rules, double value) {
  const auto* gauge = std::get_if<GaugeRules>(&rules);
  return gauge == nullptr || gauge->mode != GaugeMode::kRatio || value > 0;
}

// Without enough of a history the first values say what is usual of stable.
void keep_usual(ComparisonState& state, std::span<const double> values) {
  if (state.history_slots >= kLeastUsualValues) return;
  for (const double value : values)
    if (state.usual.size() < kUsualValues) state.usual.push_back(value);
}

// Each step is looked at once, or alpha would be spent twice: one that is reported again has the
// look it has had.
void begin_step(ComparisonState& state, std::uint32_t step) {
  if (const auto* left = std::get_if<MannWhitneyState>(&state.process))
    keep_usual(state, left->stable);
  if (state.look && state.look->looked &&
      std::ranges::find(state.looks, state.look->step, &Look::step) == state.looks.end())
    state.looks.push_back(*state.look);
  const auto had = std::ranges::find(state.looks, step, &Look::step);
  state.look = had == state.looks.end() ? Look{step} : *had;
  state.process = MannWhitneyState{};
  state.candidate_sum = state.stable_sum = 0;
}

// Worse is larger, in either direction; so much worse is tolerated. How far the two lie apart is
// told as it is. False where they are too many.
bool looked_at(const RankRules& rules, ComparisonState& state) {
  const auto& values = std::get<MannWhitneyState>(state.process);
  const double sign = rules.larger_is_worse ? 1 : -1;
  std::vector<double> worse, tolerated;
  for (const double value : values.candidate) worse.push_back(sign * value);
  for (const double value : values.stable)
    tolerated.push_back(sign * value * (rules.larger_is_worse ? rules.factor : 1 / rules.factor));
  const auto test = statistics::mann_whitney_test(worse, tolerated);
  const auto apart = statistics::mann_whitney(values.candidate, values.stable, 0.95);
  if (!test || !apart) return false;
  state.look->looked = true;
  state.look->p_greater = test->p_greater;
  state.look->shift = apart->shift;
  return true;
}

}  // namespace

SlotEnd see_gauge(const GaugeRules& rules, ComparisonState& state, const ComparedSlot& slot) {
  if (!std::holds_alternative<GaugeState>(state.process)) state.process = GaugeState::start();
  auto& gauge = std::get<GaugeState>(state.process);
  const OneNumber candidate = number_of(*slot.candidate.counted, Arm::kCandidate);
  if (candidate.end) return candidate.end;
  const OneNumber stable = number_of(*slot.stable.counted, Arm::kStable);
  if (stable.end) return stable.end;
  if (!slot.warms_up) state.shared = shared_gauge(rules, state, *candidate.value, *stable.value);
  if (can_be_usual(rules, *stable.value)) keep_usual(state, std::span(&*stable.value, 1));
  if (slot.warms_up) return warming_up();
  const auto updated = gauge.update(rules, candidate.value, stable.value);
  if (updated.use == Use::kFed) {
    state.candidate_sum += *candidate.value;
    state.stable_sum += *stable.value;
    if (gauge.differences.size() > kKeptDifferences)
      gauge.differences.erase(gauge.differences.begin());
    return std::nullopt;
  }
  return ended(Outcome::kNoData, Cause::kNotANumber,
               "a ratio needs numbers above 0: candidate " + format_number(*candidate.value) +
                   ", stable " + format_number(*stable.value));
}

SlotEnd see_ranks(const RankRules& rules, ComparisonState& state, const ComparedSlot& slot) {
  const bool has_begun = std::holds_alternative<MannWhitneyState>(state.process);
  if (!has_begun || !state.look || state.look->step != slot.step) begin_step(state, slot.step);
  auto& values = std::get<MannWhitneyState>(state.process);
  const OneNumber candidate = number_of(*slot.candidate.counted, Arm::kCandidate);
  if (candidate.end) return candidate.end;
  const OneNumber stable = number_of(*slot.stable.counted, Arm::kStable);
  if (stable.end) return stable.end;
  if (state.look->looked) {
    state.shared = shared_ranks(rules, state);
    return std::nullopt;
  }
  if (slot.warms_up) return warming_up();
  if (values.candidate.size() * values.candidate.size() < statistics::kMostPairs / 2) {
    values.update(candidate.value, stable.value);
    state.candidate_sum += *candidate.value;
    state.stable_sum += *stable.value;
  }
  if (!slot.ends_step || values.candidate.size() < kLeastValues || !looked_at(rules, state))
    return ended(Outcome::kInconclusive, Cause::kNotLookedYet);
  state.shared = shared_ranks(rules, state);
  return std::nullopt;
}

void add_number_history(const CompareCondition& condition, ComparisonState& state,
                        std::span<const HistorySlot> slots) {
  std::vector<double> values;
  for (const HistorySlot& slot : slots) {
    const bool is_number = std::holds_alternative<Scalar>(slot.counted.result) ||
                           std::holds_alternative<Vector>(slot.counted.result);
    const auto value = is_number ? number_of(slot.counted, Arm::kStable).value : std::nullopt;
    if (value && can_be_usual(condition.rules, *value)) values.push_back(*value);
  }
  if (values.empty()) return;
  if (values.size() > kUsualValues)
    values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(kUsualValues));
  state.history_slots = static_cast<std::uint32_t>(values.size());
  state.usual = std::move(values);
}

}  // namespace rollwatch
