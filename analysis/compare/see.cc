#include "analysis/compare/see.h"

#include <algorithm>
#include <cmath>

#include "analysis/compare/samples.h"
#include "analysis/compare/words.h"
#include "analysis/comparison.h"
#include "analysis/judge.h"
#include "analysis/statistics/log_space.h"

namespace rollwatch {
namespace {

using statistics::ArmCounts;
using statistics::ComparisonState;
using statistics::CounterSample;
using statistics::CounterTable;
using statistics::GaugeRules;
using statistics::GaugeState;
using statistics::HistogramRules;
using statistics::HistogramScales;
using statistics::HistogramState;
using statistics::Increments;
using statistics::MannWhitneyState;
using statistics::RateRules;
using statistics::RateState;
using statistics::Use;

// Of a gauge's differences so many are kept: the spread is learnt from them.
constexpr std::size_t kKeptDifferences = 1'024;

using End = std::optional<Judgement>;

End nothing_of(Arm arm) {
  if (arm == Arm::kStable) return ended(Outcome::kNoData, Cause::kNoStable);
  return ended(Outcome::kNoData, Cause::kNoCandidate);
}

End end_of(Use use) {
  switch (use) {
    case Use::kFed:
      return std::nullopt;
    case Use::kNoCandidate:
      return nothing_of(Arm::kCandidate);
    case Use::kNoStable:
      return nothing_of(Arm::kStable);
    case Use::kNoHistory:
      return ended(Outcome::kInconclusive, Cause::kCountingBegins);
    case Use::kUnusable:
      return ended(Outcome::kError, Cause::kIncomparable,
                   "a counter rose by no number that can be a count");
  }
  return std::nullopt;
}

// The first of the answers that cannot be used at all.
End unusable_of(const ComparedSlot& slot) {
  const auto check = [](const Answer* answer, const std::string& of) -> End {
    return answer == nullptr ? std::nullopt : unusable(*answer, of);
  };
  if (auto end = check(slot.candidate.counted, "candidate")) return end;
  if (auto end = check(slot.candidate.bad, "candidate's bad_events")) return end;
  if (auto end = check(slot.stable.counted, "stable")) return end;
  return check(slot.stable.bad, "stable's bad_events");
}

std::size_t series_in(const Answer* answer) {
  const auto* vector = answer == nullptr ? nullptr : std::get_if<Vector>(&answer->result);
  return vector == nullptr ? 0 : vector->series.size();
}

// Counters come with labels; a number alone has none.
End not_countable(const ArmAnswers& arm, Arm which) {
  for (const Answer* answer : {arm.counted, arm.bad}) {
    if (answer == nullptr) continue;
    if (std::holds_alternative<Scalar>(answer->result))
      return ended(Outcome::kError, Cause::kUnusableKind,
                   std::string(name_of(which)) + ": a scalar, where counters are expected");
    if (series_in(answer) > kMostSeries)
      return ended(Outcome::kError, Cause::kTooLarge,
                   std::string(name_of(which)) + ": " + std::to_string(series_in(answer)) +
                       " series, at most " + std::to_string(kMostSeries) +
                       " are counted; take the counters together with sum by (pod)");
  }
  return std::nullopt;
}

struct Counted {
  Increments candidate, stable;
};

// Both tables, or neither.
End count(ComparisonState& state, std::uint32_t parts, const ComparedSlot& slot,
          std::vector<CounterSample> candidate, std::vector<CounterSample> stable,
          Counted& counted) {
  const bool begins = !state.stable.last_at;
  if (begins) {
    // Who is not there at the beginning counts from zero, later on. Stable has been there for long.
    if (stable.empty()) return nothing_of(Arm::kStable);
    state.candidate = CounterTable::start(parts);
    state.stable = CounterTable::start(parts);
  }
  // One version that was there is not, for one slot: what it did meanwhile comes with its next, and
  // so must what the other did.
  if (stable.empty() && !state.stable.series.empty()) return nothing_of(Arm::kStable);
  if (candidate.empty() && !state.candidate.series.empty()) return nothing_of(Arm::kCandidate);
  const bool is_new = state.stable.update(slot.evaluated_at, stable, counted.stable);
  if (is_new) state.candidate.update(slot.evaluated_at, candidate, counted.candidate);
  if (begins || !is_new) return ended(Outcome::kInconclusive, Cause::kCountingBegins);
  return std::nullopt;
}

End warming_up() { return ended(Outcome::kInconclusive, Cause::kWarmingUp); }

// ---- Rates

std::vector<CounterSample> rate_samples(const Answer* counted, const Answer* bad) {
  std::vector<CounterSample> samples;
  if (counted != nullptr) add_samples(*counted, 0, samples);
  if (bad != nullptr) add_samples(*bad, 1, samples);
  return samples;
}

std::vector<ArmCounts> counts_by_source(const Increments& increments) {
  std::vector<ArmCounts> counts;
  counts.reserve(increments.sources.size());
  for (std::size_t i = 0; i < increments.sources.size(); ++i)
    counts.push_back({increments.of(i)[0], increments.of(i)[1]});
  return counts;
}

void hold_stable_against_itself(const RateRules& rules, ComparisonState& state,
                                const statistics::RateTick& tick, const Increments& stable,
                                double dispersion) {
  if (state.placebo.groups.empty()) {
    const std::size_t groups = statistics::PlaceboGuard::groups_for(
        tick.candidate.events, tick.stable.events, stable.sources.size());
    if (groups == 0) return;
    state.placebo = statistics::PlaceboGuard::start(groups);
  }
  std::vector<ArmCounts> by_group(state.placebo.groups.size());
  for (std::size_t i = 0; i < stable.sources.size(); ++i) {
    ArmCounts& group = by_group[state.placebo.group_of(stable.sources[i])];
    group.events += stable.of(i)[0];
    group.bad += stable.of(i)[1];
  }
  state.placebo.update(rules.tolerance, by_group, dispersion);
}

End see_rate(const RateRules& rules, ComparisonState& state, const ComparedSlot& slot) {
  if (!std::holds_alternative<RateState>(state.process)) state.process = RateState::start();
  auto& rate = std::get<RateState>(state.process);
  Counted counted;
  if (auto end = count(state, 2, slot, rate_samples(slot.candidate.counted, slot.candidate.bad),
                       rate_samples(slot.stable.counted, slot.stable.bad), counted))
    return end;
  const statistics::RateTick tick{{counted.candidate.total(0), counted.candidate.total(1)},
                                  {counted.stable.total(0), counted.stable.total(1)}};
  const std::vector<ArmCounts> series = counts_by_source(counted.stable);
  if (slot.warms_up) {
    rate.observe(rules, series);
    return warming_up();
  }
  const double dispersion = rate.dispersion.factor(rules.dispersion);
  state.shared = shared_trouble(state, tick, dispersion);
  const auto updated = rate.update(rules, tick, series);
  if (updated.use == Use::kFed) {
    statistics::keep(state.fed, {tick, updated.dispersion});
    hold_stable_against_itself(rules, state, tick, counted.stable, updated.dispersion);
  }
  return end_of(updated.use);
}

// ---- Histograms

// Each source's buckets apart, one source's after another's.
std::vector<double> buckets_by_source(const Increments& increments) {
  std::vector<double> counts = increments.counts;
  for (std::size_t i = 0; i < increments.sources.size(); ++i)
    statistics::take_apart(std::span(counts).subspan(i * increments.parts, increments.parts));
  return counts;
}

std::vector<double> summed(const std::vector<double>& by_source, std::size_t parts) {
  std::vector<double> sum(parts);
  for (std::size_t i = 0; i < by_source.size(); ++i) sum[i % parts] += by_source[i];
  return sum;
}

// Requests, and those slower than the boundary.
ArmCounts slower_than(const std::vector<double>& buckets, std::size_t boundary) {
  ArmCounts counts;
  for (std::size_t k = 0; k < buckets.size(); ++k) {
    counts.events += buckets[k];
    if (k >= boundary) counts.bad += buckets[k];
  }
  return counts;
}

// Both versions must have the boundaries that the comparison began with.
End other_bounds(const HistogramState& state, const ArmAnswers& arm, Arm which) {
  if (series_in(arm.counted) == 0) return std::nullopt;
  const auto bounds = bounds_of(*arm.counted);
  if (!bounds)
    return ended(Outcome::kError, Cause::kIncomparable,
                 std::string(name_of(which)) + ": " + bounds.error());
  if (*bounds == state.bounds) return std::nullopt;
  return ended(
      Outcome::kError, Cause::kIncomparable,
      std::string(name_of(which)) +
          "'s buckets have other boundaries than stable's had: " + std::to_string(bounds->size()) +
          " and " + std::to_string(state.bounds.size()) + " of them");
}

// The process, begun with stable's boundaries if it has not; null and the reason if that cannot be.
HistogramState* histogram_of(const HistogramRules& rules, ComparisonState& state,
                             const Answer& stable, End& end) {
  if (auto* begun = std::get_if<HistogramState>(&state.process)) return begun;
  if (series_in(&stable) == 0) {
    end = nothing_of(Arm::kStable);
    return nullptr;
  }
  const auto bounds = bounds_of(stable);
  if (bounds && !bounds->empty() && statistics::are_boundaries(*bounds, rules.tolerance.slower)) {
    state.process = HistogramState::start(*bounds);
    return &std::get<HistogramState>(state.process);
  }
  end = ended(Outcome::kError, Cause::kIncomparable,
              "stable: " + (bounds ? std::string("its buckets have no boundary above 0, or one "
                                                 "below, where anything is to be slower by a part")
                                   : bounds.error()));
  return nullptr;
}

std::vector<CounterSample> bucket_samples(const Answer& answer, const HistogramState& state) {
  std::vector<CounterSample> samples;
  add_buckets(answer, state.bounds, samples);
  return samples;
}

End see_histogram(const HistogramRules& rules, ComparisonState& state, const ComparedSlot& slot) {
  End end;
  HistogramState* const histogram = histogram_of(rules, state, *slot.stable.counted, end);
  if (histogram == nullptr) return end;
  if ((end = other_bounds(*histogram, slot.candidate, Arm::kCandidate))) return end;
  if ((end = other_bounds(*histogram, slot.stable, Arm::kStable))) return end;
  const auto parts = static_cast<std::uint32_t>(histogram->bounds.size() + 1);
  Counted counted;
  if ((end = count(state, parts, slot, bucket_samples(*slot.candidate.counted, *histogram),
                   bucket_samples(*slot.stable.counted, *histogram), counted)))
    return end;
  const HistogramScales scales(rules, histogram->bounds);
  const std::vector<double> stable = buckets_by_source(counted.stable);
  const std::vector<double> candidate = summed(buckets_by_source(counted.candidate), parts);
  if (slot.warms_up) {
    histogram->observe(rules, scales, stable);
    return warming_up();
  }
  const Use use = histogram->update(rules, scales, candidate, stable);
  if (use == Use::kFed) {
    const std::size_t boundary = histogram->promote_boundary;
    statistics::keep(
        state.fed,
        {{slower_than(candidate, boundary), slower_than(summed(stable, parts), boundary)}, 1});
  }
  return end_of(use);
}

// ---- Numbers

struct OneNumber {
  std::optional<double> value;
  End end;
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

End see_gauge(const GaugeRules& rules, ComparisonState& state, const ComparedSlot& slot) {
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

// ---- Mann-Whitney

End see_ranks(const RankRules& rules, ComparisonState& state, const ComparedSlot& slot) {
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

// ---- History

void add_rate_history(const RateRules& rules, ComparisonState& state,
                      std::span<const HistorySlot> slots) {
  if (!std::holds_alternative<RateState>(state.process)) state.process = RateState::start();
  auto& rate = std::get<RateState>(state.process);
  CounterTable table = CounterTable::start(2);
  Increments increments;
  for (const HistorySlot& slot : slots) {
    auto samples = rate_samples(&slot.counted, slot.bad ? &*slot.bad : nullptr);
    const bool begins = !table.last_at;
    if (begins && samples.empty()) continue;
    if (!table.update(slot.at, samples, increments) || begins) continue;
    const std::vector<ArmCounts> series = counts_by_source(increments);
    const ArmCounts sum = sum_of(series);
    if (!is_usable(sum)) continue;
    rate.observe(rules, series);
    state.history.events += sum.events;
    state.history.bad += sum.bad;
    ++state.history_slots;
  }
}

void add_histogram_history(const HistogramRules& rules, ComparisonState& state,
                           std::span<const HistorySlot> slots) {
  CounterTable table;
  Increments increments;
  for (const HistorySlot& slot : slots) {
    End end;
    HistogramState* const histogram = histogram_of(rules, state, slot.counted, end);
    if (histogram == nullptr) continue;
    if (other_bounds(*histogram, {&slot.counted, nullptr}, Arm::kStable)) continue;
    const bool begins = table.parts == 0;
    if (begins)
      table = CounterTable::start(static_cast<std::uint32_t>(histogram->bounds.size() + 1));
    auto samples = bucket_samples(slot.counted, *histogram);
    if (!table.update(slot.at, samples, increments) || begins) continue;
    const std::vector<double> stable = buckets_by_source(increments);
    histogram->observe(rules, HistogramScales(rules, histogram->bounds), stable);
    for (const double events : stable) state.history.events += events;
    ++state.history_slots;
  }
}

}  // namespace

SeenSlot see(const CompareCondition& condition, const ComparisonState* before,
             const ComparedSlot& slot) {
  SeenSlot seen;
  if (before != nullptr) seen.state = *before;
  seen.state.shared.clear();
  if ((seen.end = unusable_of(slot))) return seen;
  const bool counts =
      condition.kind() == CompareKind::kRate || condition.kind() == CompareKind::kHistogram;
  if (counts) {
    if ((seen.end = not_countable(slot.candidate, Arm::kCandidate))) return seen;
    if ((seen.end = not_countable(slot.stable, Arm::kStable))) return seen;
  }
  struct Visitor {
    ComparisonState& state;
    const ComparedSlot& slot;
    End operator()(const RateRules& rules) const { return see_rate(rules, state, slot); }
    End operator()(const HistogramRules& rules) const { return see_histogram(rules, state, slot); }
    End operator()(const GaugeRules& rules) const { return see_gauge(rules, state, slot); }
    End operator()(const RankRules& rules) const { return see_ranks(rules, state, slot); }
  };
  seen.end = std::visit(Visitor{seen.state, slot}, condition.rules);
  return seen;
}

ComparisonState with_history(const CompareCondition& condition, const ComparisonState* before,
                             std::span<const HistorySlot> slots) {
  ComparisonState state;
  if (before != nullptr) state = *before;
  state.history_read = true;
  if (const auto* rate = std::get_if<RateRules>(&condition.rules))
    add_rate_history(*rate, state, slots);
  if (const auto* histogram = std::get_if<HistogramRules>(&condition.rules))
    add_histogram_history(*histogram, state, slots);
  return state;
}

ComparisonState begun_afresh(const ComparisonState& state) {
  ComparisonState afresh = state;
  afresh.fed.clear();
  afresh.candidate_sum = afresh.stable_sum = 0;
  afresh.look.reset();
  afresh.placebo = {};
  afresh.shared.clear();
  if (auto* rate = std::get_if<RateState>(&afresh.process)) {
    const auto dispersion = rate->dispersion;
    *rate = RateState::start();
    rate->dispersion = dispersion;
  } else if (auto* histogram = std::get_if<HistogramState>(&afresh.process)) {
    const HistogramState old = std::move(*histogram);
    *histogram = HistogramState::start(old.bounds);
    histogram->history = old.history;
    for (std::size_t i = 0; i < old.scores.size(); ++i)
      histogram->scores[i].dispersion = old.scores[i].dispersion;
  } else if (std::holds_alternative<GaugeState>(afresh.process)) {
    const auto differences = std::get<GaugeState>(afresh.process).differences;
    auto& gauge = std::get<GaugeState>(afresh.process);
    gauge = GaugeState::start();
    gauge.differences = differences;
  } else if (std::holds_alternative<MannWhitneyState>(afresh.process)) {
    afresh.process = MannWhitneyState{};
  }
  return afresh;
}

}  // namespace rollwatch
