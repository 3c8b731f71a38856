#include "analysis/compare/see.h"

#include "analysis/compare/samples.h"
#include "analysis/compare/see_kinds.h"
#include "analysis/judge.h"

namespace rollwatch {
namespace {

using statistics::ComparisonState;
using statistics::CounterSample;
using statistics::CounterTable;
using statistics::GaugeRules;
using statistics::GaugeState;
using statistics::HistogramRules;
using statistics::HistogramState;
using statistics::MannWhitneyState;
using statistics::RateRules;
using statistics::RateState;
using statistics::Use;

// The first of the answers that cannot be used at all.
SlotEnd unusable_of(const ComparedSlot& slot) {
  const auto check = [](const Answer* answer, const std::string& of) -> SlotEnd {
    return answer == nullptr ? std::nullopt : unusable(*answer, of);
  };
  if (auto end = check(slot.candidate.counted, "candidate")) return end;
  if (auto end = check(slot.candidate.bad, "candidate's bad_events")) return end;
  if (auto end = check(slot.stable.counted, "stable")) return end;
  return check(slot.stable.bad, "stable's bad_events");
}

// Counters come with labels; a number alone has none.
SlotEnd not_countable(const ArmAnswers& arm, Arm which, CompareKind kind) {
  const bool is_histogram = kind == CompareKind::kHistogram;
  const std::size_t most = is_histogram ? kMostBuckets : kMostSeries;
  const std::string advice(is_histogram ? kFewerOfHistogram : kFewerOfRate);
  for (const Answer* answer : {arm.counted, arm.bad}) {
    if (answer == nullptr) continue;
    if (std::holds_alternative<Scalar>(answer->result))
      return ended(Outcome::kError, Cause::kUnusableKind,
                   std::string(name_of(which)) + ": a scalar, where counters are expected");
    if (series_count(answer) > most)
      return ended(Outcome::kError, Cause::kTooLarge,
                   std::string(name_of(which)) + ": " + std::to_string(series_count(answer)) +
                       " series, at most " + std::to_string(most) + " are counted; " + advice);
  }
  return std::nullopt;
}

}  // namespace

SlotEnd nothing_of(Arm arm) {
  if (arm == Arm::kStable) return ended(Outcome::kNoData, Cause::kNoStable);
  return ended(Outcome::kNoData, Cause::kNoCandidate);
}

SlotEnd warming_up() { return ended(Outcome::kInconclusive, Cause::kWarmingUp); }

SlotEnd end_of(Use use) {
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

SlotEnd end_of(Use use, const Counted& counted) {
  if (use == Use::kNoCandidate && counted.candidate_waits)
    return ended(Outcome::kNoData, Cause::kNoCandidate,
                 "counters of the candidate are missing, or behind: they are waited for");
  return end_of(use);
}

std::size_t series_count(const Answer* answer) {
  const auto* vector = answer == nullptr ? nullptr : std::get_if<Vector>(&answer->result);
  return vector == nullptr ? 0 : vector->series.size();
}

// Both tables, or neither.
SlotEnd count_both(ComparisonState& state, std::uint32_t parts, const ComparedSlot& slot,
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
  counted.candidate_waits = !candidate.empty() && counted.candidate.sources.empty();
  if (begins || !is_new) return ended(Outcome::kInconclusive, Cause::kCountingBegins);
  return std::nullopt;
}

SeenSlot see(const CompareCondition& condition, const ComparisonState* before,
             const ComparedSlot& slot) {
  SeenSlot seen;
  if (before != nullptr) seen.state = *before;
  seen.state.shared.clear();
  if ((seen.end = unusable_of(slot))) return seen;
  const bool counts =
      condition.kind() == CompareKind::kRate || condition.kind() == CompareKind::kHistogram;
  if (counts) {
    if ((seen.end = not_countable(slot.candidate, Arm::kCandidate, condition.kind()))) return seen;
    if ((seen.end = not_countable(slot.stable, Arm::kStable, condition.kind()))) return seen;
  }
  struct Visitor {
    const CompareCondition& condition;
    ComparisonState& state;
    const ComparedSlot& slot;
    SlotEnd operator()(const RateRules& rules) const { return see_rate(rules, state, slot); }
    SlotEnd operator()(const HistogramRules& /*rules*/) const {
      return see_histogram(condition, state, slot);
    }
    SlotEnd operator()(const GaugeRules& rules) const { return see_gauge(rules, state, slot); }
    SlotEnd operator()(const RankRules& rules) const { return see_ranks(rules, state, slot); }
  };
  seen.end = std::visit(Visitor{condition, seen.state, slot}, condition.rules);
  return seen;
}

ComparisonState with_history(const CompareCondition& condition, const ComparisonState* before,
                             std::span<const HistorySlot> slots) {
  ComparisonState state;
  if (before != nullptr) state = *before;
  state.history_read = true;
  if (const auto* rate = std::get_if<RateRules>(&condition.rules))
    add_rate_history(*rate, state, slots);
  else if (const auto* histogram = std::get_if<HistogramRules>(&condition.rules))
    add_histogram_history(*histogram, state, slots);
  else
    add_number_history(condition, state, slots);
  return state;
}

ComparisonState begun_afresh(const ComparisonState& state) {
  ComparisonState afresh = state;
  afresh.fed.clear();
  afresh.candidate_sum = afresh.stable_sum = 0;
  afresh.look.reset();
  afresh.looks.clear();
  afresh.candidate_buckets.clear();
  afresh.stable_buckets.clear();
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
