// Latencies: the buckets of histograms.
#include <span>
#include <string>

#include "analysis/compare/samples.h"
#include "analysis/compare/see_kinds.h"
#include "analysis/compare/shared_trouble.h"
#include "analysis/judge.h"

namespace rollwatch {
namespace {

using statistics::ArmCounts;
using statistics::ComparisonState;
using statistics::CounterSample;
using statistics::CounterTable;
using statistics::HistogramRules;
using statistics::HistogramScales;
using statistics::HistogramState;
using statistics::Increments;
using statistics::Use;

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

void add_to(std::vector<double>& sums, const std::vector<double>& counts) {
  sums.resize(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) sums[i] += counts[i];
}

// For people. One that was saved before buckets were kept goes on with one boundary.
void keep_compared(ComparisonState& state, const HistogramState& histogram,
                   const std::vector<double>& candidate, const std::vector<double>& stable) {
  const std::size_t boundary = histogram.promote_boundary;
  if (histogram.fed > 1 && state.candidate_buckets.empty())
    return statistics::keep(state.fed,
                            {{slower_than(candidate, boundary), slower_than(stable, boundary)}, 1});
  add_to(state.candidate_buckets, candidate);
  add_to(state.stable_buckets, stable);
}

// Both versions must have the boundaries that the comparison began with.
SlotEnd other_bounds(const HistogramState& state, const ArmAnswers& arm, Arm which) {
  if (series_count(arm.counted) == 0) return std::nullopt;
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
                             const Answer& stable, SlotEnd& end) {
  if (auto* begun = std::get_if<HistogramState>(&state.process)) return begun;
  if (series_count(&stable) == 0) {
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

}  // namespace

SlotEnd see_histogram(const CompareCondition& condition, ComparisonState& state,
                      const ComparedSlot& slot) {
  const auto& rules = std::get<HistogramRules>(condition.rules);
  SlotEnd end;
  HistogramState* const histogram = histogram_of(rules, state, *slot.stable.counted, end);
  if (histogram == nullptr) return end;
  if ((end = other_bounds(*histogram, slot.candidate, Arm::kCandidate))) return end;
  if ((end = other_bounds(*histogram, slot.stable, Arm::kStable))) return end;
  const auto parts = static_cast<std::uint32_t>(histogram->bounds.size() + 1);
  Counted counted;
  if ((end = count_both(state, parts, slot, bucket_samples(*slot.candidate.counted, *histogram),
                        bucket_samples(*slot.stable.counted, *histogram), counted)))
    return end;
  const HistogramScales scales(rules, histogram->bounds);
  const std::vector<double> stable = buckets_by_source(counted.stable);
  const std::vector<double> candidate = summed(buckets_by_source(counted.candidate), parts);
  if (slot.warms_up) {
    histogram->observe(rules, scales, stable);
    return warming_up();
  }
  const std::vector<double> all_of_stable = summed(stable, parts);
  state.shared = shared_latency(condition, state, candidate, all_of_stable);
  const Use use = histogram->update(rules, scales, candidate, stable);
  if (use == Use::kFed) keep_compared(state, *histogram, candidate, all_of_stable);
  return end_of(use);
}

void add_histogram_history(const HistogramRules& rules, ComparisonState& state,
                           std::span<const HistorySlot> slots) {
  CounterTable table;
  Increments increments;
  for (const HistorySlot& slot : slots) {
    SlotEnd end;
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
    add_to(state.usual, summed(stable, increments.parts));
    for (const double events : stable) state.history.events += events;
    ++state.history_slots;
  }
}

}  // namespace rollwatch
