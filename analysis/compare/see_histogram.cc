// Latencies: the buckets of histograms.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include "analysis/compare/samples.h"
#include "analysis/compare/see_kinds.h"
#include "analysis/compare/shared_trouble.h"
#include "analysis/compare/wording.h"
#include "analysis/judge.h"
#include "analysis/statistics/coarser.h"

namespace rollwatch {
namespace {

using statistics::ComparisonState;
using statistics::CounterTable;
using statistics::HistogramRules;
using statistics::HistogramScales;
using statistics::HistogramState;
using statistics::Increments;
using statistics::Use;

using Boundaries = std::vector<double>;

// Of all histograms together. More are looked for in none of them.
constexpr std::size_t kMostDifferent = 10 * kMostBoundaries;

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

// ---- Boundaries

SlotEnd cannot_be_compared(const std::string& why) {
  return ended(Outcome::kError, Cause::kIncomparable, why);
}

SlotEnd too_many_boundaries(std::size_t boundaries) {
  return ended(Outcome::kError, Cause::kTooLarge,
               std::to_string(boundaries) + " boundaries, at most " +
                   std::to_string(kMostBoundaries) +
                   " are compared; ask for those that matter (le=~\"0.1|0.5|1|[+]Inf\")");
}

Boundaries without(const Boundaries& all, const Boundaries& some) {
  Boundaries left;
  std::ranges::set_difference(all, some, std::back_inserter(left));
  return left;
}

Boundaries together(const Boundaries& some, const Boundaries& others) {
  Boundaries all;
  std::ranges::set_union(some, others, std::back_inserter(all));
  return all;
}

// All that is by bucket, with fewer boundaries from now on.
void make_coarser(ComparisonState& state, const Boundaries& bounds) {
  auto& histogram = std::get<HistogramState>(state.process);
  const Boundaries before = histogram.bounds;
  for (auto* buckets : {&state.usual, &state.candidate_buckets, &state.stable_buckets})
    if (!buckets->empty()) *buckets = statistics::coarser(*buckets, before, bounds);
  for (auto* table : {&state.candidate, &state.stable})
    *table = statistics::coarser(*table, before, bounds);
  histogram = statistics::coarser(histogram, bounds);
}

// A histogram without its last bucket beside others that have it: its slowest requests are missing.
bool some_have_no_end(std::span<const BucketSample> candidate,
                      std::span<const BucketSample> stable) {
  bool some = false, others = false;
  for (const auto buckets : {candidate, stable})
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      const bool is_last = i + 1 == buckets.size() || buckets[i + 1].source != buckets[i].source ||
                           buckets[i + 1].series != buckets[i].series;
      if (is_last) (std::isinf(buckets[i].boundary) ? some : others) = true;
    }
  return some && others;
}

// What is compared are the boundaries that all histograms of both versions have. There may be fewer
// than before: a pod of another build has come. Whether there are enough, nothing is settled else.
SlotEnd settle_boundaries(const HistogramRules& rules, ComparisonState& state,
                          std::span<const BucketSample> candidate,
                          std::span<const BucketSample> stable) {
  const auto* begun = std::get_if<HistogramState>(&state.process);
  if (begun == nullptr && stable.empty()) return nothing_of(Arm::kStable);
  const Boundaries of_candidate = boundaries_of(candidate), of_stable = boundaries_of(stable);
  const Boundaries seen = together(of_candidate, of_stable);
  const Boundaries wanted = begun == nullptr ? seen : begun->bounds;
  if (wanted.size() > kMostDifferent) return too_many_boundaries(wanted.size());
  const Boundaries shared = without(wanted, together(lacked_by(candidate, wanted, state.candidate),
                                                     lacked_by(stable, wanted, state.stable)));
  if (shared.size() > kMostBoundaries) return too_many_boundaries(shared.size());
  if (shared.empty() && !wanted.empty())
    return cannot_be_compared("no boundary is left that all histograms have: the candidate's are " +
                              list_text(of_candidate) + ", stable's " + list_text(of_stable));
  if (begun == nullptr && !statistics::are_boundaries(shared, rules.tolerance.slower))
    return cannot_be_compared(
        "stable: its buckets have no boundary above 0, or one below, where anything is to be "
        "slower by a part");
  if (some_have_no_end(candidate, stable))
    return cannot_be_compared("some histograms have no bucket le=\"+Inf\", and others do");
  if (begun == nullptr)
    state.process = HistogramState::start(shared);
  else if (shared != wanted)
    make_coarser(state, shared);
  state.left_out = without(together(state.left_out, together(wanted, seen)), shared);
  if (state.left_out.size() > kKeptLeftOut) state.left_out.resize(kKeptLeftOut);
  return std::nullopt;
}

}  // namespace

SlotEnd see_histogram(const CompareCondition& condition, ComparisonState& state,
                      const ComparedSlot& slot) {
  const auto& rules = std::get<HistogramRules>(condition.rules);
  const auto of_candidate = buckets_of(*slot.candidate.counted);
  if (!of_candidate) return cannot_be_compared("candidate: " + of_candidate.error());
  const auto of_stable = buckets_of(*slot.stable.counted);
  if (!of_stable) return cannot_be_compared("stable: " + of_stable.error());
  if (auto end = settle_boundaries(rules, state, *of_candidate, *of_stable)) return end;
  auto& histogram = std::get<HistogramState>(state.process);
  const auto parts = static_cast<std::uint32_t>(histogram.bounds.size() + 1);
  Counted counted;
  if (auto end = count_both(state, parts, slot, samples_of(*of_candidate, histogram.bounds),
                            samples_of(*of_stable, histogram.bounds), counted))
    return end;
  const HistogramScales scales(rules, histogram.bounds);
  const std::vector<double> stable = buckets_by_source(counted.stable);
  const std::vector<double> candidate = summed(buckets_by_source(counted.candidate), parts);
  if (slot.warms_up) {
    histogram.observe(rules, scales, stable);
    return warming_up();
  }
  const std::vector<double> all_of_stable = summed(stable, parts);
  state.shared = shared_latency(condition, state, candidate, all_of_stable);
  const Use use = histogram.update(rules, scales, candidate, stable);
  if (use == Use::kFed) keep_compared(state, histogram, candidate, all_of_stable);
  return end_of(use, counted);
}

namespace {

struct PastBuckets {
  SysTime at{};
  std::vector<BucketSample> buckets;
};

std::vector<PastBuckets> past_buckets(std::span<const HistorySlot> slots) {
  std::vector<PastBuckets> past;
  for (const HistorySlot& slot : slots)
    if (auto buckets = buckets_of(slot.counted); buckets && !buckets->empty())
      past.push_back({slot.at, *std::move(buckets)});
  return past;
}

}  // namespace

// Of the boundaries that the latest slot's histograms share: who had others before has gone.
void add_histogram_history(const HistogramRules& rules, ComparisonState& state,
                           std::span<const HistorySlot> slots) {
  const std::vector<PastBuckets> past = past_buckets(slots);
  if (past.empty()) return;
  if (!std::holds_alternative<HistogramState>(state.process) &&
      settle_boundaries(rules, state, {}, past.back().buckets))
    return;
  auto& histogram = std::get<HistogramState>(state.process);
  const HistogramScales scales(rules, histogram.bounds);
  CounterTable table = CounterTable::start(static_cast<std::uint32_t>(histogram.bounds.size() + 1));
  Increments increments;
  for (const PastBuckets& slot : past) {
    if (!lacked_by(slot.buckets, histogram.bounds, table).empty()) continue;
    auto samples = samples_of(slot.buckets, histogram.bounds);
    const bool begins = !table.last_at;
    if (!table.update(slot.at, samples, increments) || begins) continue;
    const std::vector<double> stable = buckets_by_source(increments);
    histogram.observe(rules, scales, stable);
    add_to(state.usual, summed(stable, increments.parts));
    for (const double events : stable) state.history.events += events;
    ++state.history_slots;
  }
}

}  // namespace rollwatch
