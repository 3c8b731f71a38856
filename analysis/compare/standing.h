// What all comparisons of a rollout say together. One alpha for the rollout, shared by those whose
// failing rolls it back; one that pauses or observes stands alone, and so does Mann-Whitney's test.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/outcome.h"
#include "analysis/plan.h"
#include "analysis/state.h"

namespace rollwatch {

struct ComparisonStanding {
  double log_evidence = 0;          // of this condition
  double log_needed = 0;            // that decides by itself
  double log_together = 0;          // of all that share the promise with it
  double log_alpha = 0;             // what they need together
  bool rejects = false;             // they have it
  bool keeps_weight = false;        // not yet, but enough to keep the candidate at its weight
  bool suspicious = false;          // …and it is one of those that brought it about
  bool held_back = false;           // only because parts of stable differ as much among themselves
  std::vector<std::size_t> causes;  // of `rejects`: the conditions, the weightiest first
  double log_promote = 0;           // evidence that it is within the margin
  bool is_established = false;      // not worse than the margin: it may be promoted early
  double events = 0;                // of the candidate, so far; slots of a gauge
};

// Of the condition `i`, which compares.
ComparisonStanding standing_of(const Plan& plan, const std::vector<ConditionState>& conditions,
                               std::size_t i);

// Whether the condition shares the rollout's one alpha. A threshold never does: it is a guard, and
// outside of the promise.
bool is_in_promise(const Plan& plan, std::size_t i);

// What the plan asks for, whatever was seen so far: the evidence of condition `i` that decides by
// itself, and how much of the candidate must have been compared before a slot can pass (events;
// slots of a gauge; values of Mann-Whitney's test before it looks).
double log_needed(const Plan& plan, std::size_t i);
double least_compared(const CompareCondition& condition);

// Whether what is suspicious keeps the candidate at its weight: not where a condition only
// observes, and not where there is no step to be held back any more.
enum class Suspicion : bool { kObserves, kKeepsWeight };

// What a slot amounts to whose answers said something.
Judgement judge_comparison(const Plan& plan, const std::vector<ConditionState>& conditions,
                           std::size_t i, Suspicion suspicion);

}  // namespace rollwatch
