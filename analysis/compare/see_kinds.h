// What see() is made of: the parts that all kinds of comparison share, and one function for each
// kind. Only for the files of this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/compare/see.h"
#include "analysis/statistics/counters.h"

namespace rollwatch {

// So many boundaries that are not used are remembered, to be named.
inline constexpr std::size_t kKeptLeftOut = 50;

// Of a slot that says nothing about the evidence; none if it does.
using SlotEnd = std::optional<Judgement>;

SlotEnd nothing_of(Arm arm);
SlotEnd warming_up();
SlotEnd end_of(statistics::Use use);
struct Counted;
SlotEnd end_of(statistics::Use use, const Counted& counted);

// 0 for anything but a vector.
std::size_t series_count(const Answer* answer);

struct Counted {
  statistics::Increments candidate, stable;
  bool candidate_waits = false;  // it is there, and nothing of it could be counted
};
// The counters of both versions take the slot in, or those of none.
SlotEnd count_both(statistics::ComparisonState& state, std::uint32_t parts,
                   const ComparedSlot& slot, std::vector<statistics::CounterSample> candidate,
                   std::vector<statistics::CounterSample> stable, Counted& counted);

SlotEnd see_rate(const statistics::RateRules& rules, statistics::ComparisonState& state,
                 const ComparedSlot& slot);
SlotEnd see_histogram(const CompareCondition& condition, statistics::ComparisonState& state,
                      const ComparedSlot& slot);
SlotEnd see_gauge(const statistics::GaugeRules& rules, statistics::ComparisonState& state,
                  const ComparedSlot& slot);
SlotEnd see_ranks(const RankRules& rules, statistics::ComparisonState& state,
                  const ComparedSlot& slot);

void add_rate_history(const statistics::RateRules& rules, statistics::ComparisonState& state,
                      std::span<const HistorySlot> slots);
void add_histogram_history(const statistics::HistogramRules& rules,
                           statistics::ComparisonState& state, std::span<const HistorySlot> slots);
// Of gauges and of Mann-Whitney's test.
void add_number_history(const CompareCondition& condition, statistics::ComparisonState& state,
                        std::span<const HistorySlot> slots);

}  // namespace rollwatch
