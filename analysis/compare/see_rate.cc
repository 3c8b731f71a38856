// Rates: counters of events and of bad ones.
#include <string>
#include <utility>

#include "analysis/compare/samples.h"
#include "analysis/compare/see_kinds.h"
#include "analysis/compare/shared_trouble.h"
#include "analysis/judge.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

using statistics::ArmCounts;
using statistics::ComparisonState;
using statistics::CounterSample;
using statistics::CounterTable;
using statistics::Increments;
using statistics::RateRules;
using statistics::RateState;
using statistics::Use;

std::vector<CounterSample> rate_samples(const Answer* counted, const Answer* bad) {
  std::vector<CounterSample> samples;
  if (counted != nullptr) add_samples(*counted, 0, samples);
  if (bad != nullptr) add_samples(*bad, 1, samples);
  return samples;
}

// Bad events of a process without events are never counted: the candidate would look fine, whatever
// it does.
SlotEnd nobody_served(Arm which, const Answer* bad, const CounterTable& table,
                      std::vector<CounterSample>& samples) {
  const std::vector<std::uint64_t> sources = table.without_events(samples);
  const auto* vector = bad == nullptr ? nullptr : std::get_if<Vector>(&bad->result);
  if (sources.empty() || vector == nullptr) return std::nullopt;
  std::string name;
  for (const Series& series : vector->series) {
    const std::string* owner = owner_of(series);
    if (name.empty() && owner != nullptr && statistics::series_key(*owner) == sources.front())
      name = *owner;
  }
  return ended(Outcome::kError, Cause::kIncomparable,
               std::string(name_of(which)) + ": bad_events counts \"" + cut(name, 60) + "\"" +
                   (sources.size() > 1 ? ", one of " + std::to_string(sources.size()) : "") +
                   ", of which events has no series; " + std::string(kTellTheSame));
}

std::vector<ArmCounts> counts_by_source(const Increments& increments) {
  std::vector<ArmCounts> counts;
  counts.reserve(increments.sources.size());
  for (std::size_t i = 0; i < increments.sources.size(); ++i)
    counts.push_back({increments.of(i)[0], increments.of(i)[1]});
  return counts;
}

// Those whose counters are remembered, and of these those that are not gone. Both rise.
struct Processes {
  std::vector<std::uint64_t> known, present;
};
Processes processes_of(const CounterTable& table) {
  Processes found;
  found.known.reserve(table.series.size());
  found.present.reserve(table.series.size());
  for (const statistics::CounterSeries& one : table.series) {
    if (found.known.empty() || found.known.back() != one.source) found.known.push_back(one.source);
    const bool is_gone = one.missing >= CounterTable::kGoneAfter;
    if (!is_gone && (found.present.empty() || found.present.back() != one.source))
      found.present.push_back(one.source);
  }
  return found;
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
  const Processes processes = processes_of(state.stable);
  state.placebo.deal(processes.present, processes.known);
  std::vector<ArmCounts> by_group(state.placebo.groups.size());
  for (std::size_t i = 0; i < stable.sources.size(); ++i) {
    ArmCounts& group = by_group[state.placebo.group_of(stable.sources[i])];
    group.events += stable.of(i)[0];
    group.bad += stable.of(i)[1];
  }
  state.placebo.update(rules.tolerance, by_group, dispersion);
}

}  // namespace

SlotEnd see_rate(const RateRules& rules, ComparisonState& state, const ComparedSlot& slot) {
  if (!std::holds_alternative<RateState>(state.process)) state.process = RateState::start();
  auto& rate = std::get<RateState>(state.process);
  auto candidate = rate_samples(slot.candidate.counted, slot.candidate.bad);
  auto stable = rate_samples(slot.stable.counted, slot.stable.bad);
  if (auto end = nobody_served(Arm::kCandidate, slot.candidate.bad, state.candidate, candidate))
    return end;
  if (auto end = nobody_served(Arm::kStable, slot.stable.bad, state.stable, stable)) return end;
  Counted counted;
  if (auto end = count_both(state, 2, slot, std::move(candidate), std::move(stable), counted))
    return end;
  const statistics::RateTick tick{{counted.candidate.total(0), counted.candidate.total(1)},
                                  {counted.stable.total(0), counted.stable.total(1)}};
  const std::vector<ArmCounts> series = counts_by_source(counted.stable);
  if (slot.warms_up) {
    rate.observe(rules, series);
    return warming_up();
  }
  const double dispersion = rate.dispersion.factor(rules.dispersion);
  state.shared = shared_rate(state, tick, dispersion);
  const auto updated = rate.update(rules, tick, series);
  if (updated.use == Use::kFed) {
    statistics::keep(state.fed, {tick, updated.dispersion});
    hold_stable_against_itself(rules, state, tick, counted.stable, updated.dispersion);
  }
  return end_of(updated.use, counted);
}

void add_rate_history(const RateRules& rules, ComparisonState& state,
                      std::span<const HistorySlot> slots) {
  if (!std::holds_alternative<RateState>(state.process)) state.process = RateState::start();
  auto& rate = std::get<RateState>(state.process);
  CounterTable table = CounterTable::start(2);
  Increments increments;
  for (const HistorySlot& slot : slots) {
    auto samples = rate_samples(&slot.counted, slot.bad ? &*slot.bad : nullptr);
    const bool begins = !table.last_at;
    if ((begins && samples.empty()) || !table.without_events(samples).empty()) continue;
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

}  // namespace rollwatch
