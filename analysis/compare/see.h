// What one slot's answers do to a comparison: counters become increments, increments become
// evidence. Nothing is decided here.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "analysis/answer.h"
#include "analysis/compare/condition.h"
#include "analysis/compare/history_slot.h"
#include "analysis/outcome.h"
#include "analysis/statistics/comparison_state.h"

namespace rollwatch {

struct ArmAnswers {
  const Answer* counted = nullptr;
  const Answer* bad = nullptr;  // of a rate
};

struct ComparedSlot {
  SysTime evaluated_at{};
  ArmAnswers candidate;
  ArmAnswers stable;
  bool warms_up = false;  // known by the clock alone: it is not fed
  std::uint32_t step = 0;
  bool ends_step = false;  // the step could end with it: the moment of Mann-Whitney's look
};

struct SeenSlot {
  statistics::ComparisonState state;
  std::optional<Judgement> end;  // of a slot that says nothing about the evidence
};

// `before` is null for the first slot.
SeenSlot see(const CompareCondition& condition, const statistics::ComparisonState* before,
             const ComparedSlot& slot);

// What stable's slots before the rollout say about how much it varies.
statistics::ComparisonState with_history(const CompareCondition& condition,
                                         const statistics::ComparisonState* before,
                                         std::span<const HistorySlot> slots);

// The evidence is forgotten: a person went on in spite of it. What is known of stable stays, and so
// do the counters, so that no event is used twice.
statistics::ComparisonState begun_afresh(const statistics::ComparisonState& state);

}  // namespace rollwatch
