// One number of each version and slot: gauges, and Mann-Whitney's test.
#include <cmath>
#include <string>

#include "analysis/compare/see_kinds.h"
#include "analysis/judge.h"

namespace rollwatch {
namespace {

using statistics::ComparisonState;
using statistics::GaugeRules;
using statistics::GaugeState;
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

}  // namespace

SlotEnd see_gauge(const GaugeRules& rules, ComparisonState& state, const ComparedSlot& slot) {
  if (!std::holds_alternative<GaugeState>(state.process)) state.process = GaugeState::start();
  auto& gauge = std::get<GaugeState>(state.process);
  const OneNumber candidate = number_of(*slot.candidate.counted, Arm::kCandidate);
  if (candidate.end) return candidate.end;
  const OneNumber stable = number_of(*slot.stable.counted, Arm::kStable);
  if (stable.end) return stable.end;
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
  if (!has_begun || !state.look || state.look->step != slot.step) {
    state.look = statistics::Look{slot.step};
    state.process = MannWhitneyState{};
    state.candidate_sum = state.stable_sum = 0;
  }
  auto& values = std::get<MannWhitneyState>(state.process);
  const OneNumber candidate = number_of(*slot.candidate.counted, Arm::kCandidate);
  if (candidate.end) return candidate.end;
  const OneNumber stable = number_of(*slot.stable.counted, Arm::kStable);
  if (stable.end) return stable.end;
  if (state.look->looked) return std::nullopt;
  if (slot.warms_up) return warming_up();
  if (values.candidate.size() * values.candidate.size() < statistics::kMostPairs / 2) {
    values.update(candidate.value, stable.value);
    state.candidate_sum += *candidate.value;
    state.stable_sum += *stable.value;
  }
  if (!slot.ends_step || values.candidate.size() < kLeastValues)
    return ended(Outcome::kInconclusive, Cause::kNotLookedYet);
  // Worse is larger, in either direction; so much worse is tolerated.
  const double sign = rules.larger_is_worse ? 1 : -1;
  std::vector<double> worse, tolerated;
  for (const double value : values.candidate) worse.push_back(sign * value);
  for (const double value : values.stable)
    tolerated.push_back(sign * value * (rules.larger_is_worse ? rules.factor : 1 / rules.factor));
  const auto test = statistics::mann_whitney(worse, tolerated, 0.95);
  if (!test) return ended(Outcome::kInconclusive, Cause::kNotLookedYet);
  state.look->looked = true;
  state.look->p_greater = test->p_greater;
  state.look->shift = sign * test->shift;
  return std::nullopt;
}

}  // namespace rollwatch
