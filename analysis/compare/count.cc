#include "analysis/compare/count.h"

#include <vector>

#include "analysis/compare/samples.h"
#include "analysis/judge.h"

namespace rollwatch {

using statistics::ComparisonState;
using statistics::CounterSample;
using statistics::CounterTable;
using statistics::CountState;

SeenCount see_count(const CountState& before, const Answer& counters, SysTime at,
                    MaybeTime step_since, Millis interval) {
  SeenCount seen{before, counters, {}};
  const auto* vector = std::get_if<Vector>(&counters.result);
  if (vector == nullptr) {
    seen.end =
        ended(Outcome::kError, Cause::kUnusableKind, "a scalar, where counters are expected");
    return seen;
  }
  if (vector->series.size() > kMostSeries) {
    seen.end = ended(Outcome::kError, Cause::kTooLarge,
                     std::to_string(vector->series.size()) + " series, at most " +
                         std::to_string(kMostSeries) + " are counted");
    return seen;
  }
  CountState& state = seen.state;
  // A slot of before the step is still the one before's; the one in which it began counts whole.
  if (state.since != step_since && (!step_since || at >= *step_since)) {
    state.since = step_since;
    state.total = 0;
    // Not asked in the steps between, or not answered: what was counted then is not this step's.
    const MaybeTime last = state.table.last_at;
    if (last && step_since && *last + interval < *step_since) state.table = CounterTable{};
  }
  const bool begins = !state.table.last_at;
  if (begins) state.table = CounterTable::start(1);
  std::vector<CounterSample> samples;
  add_samples(counters, 0, samples);
  statistics::Increments increments;
  if (state.table.update(at, samples, increments) && !begins) state.total += increments.total(0);
  if (begins) seen.end = ended(Outcome::kInconclusive, Cause::kCountingBegins);
  seen.value.result = Vector{{Series{{}, state.total}}};
  return seen;
}

ConditionMemory counting_anew(const ConditionMemory& memory, SysTime now) {
  if (const ComparisonState* comparison = memory.comparison()) {
    if (!comparison->stable.last_at || *comparison->stable.last_at <= now) return memory;
    ComparisonState anew = *comparison;
    anew.candidate = anew.stable = CounterTable{};
    return ConditionMemory(std::move(anew));
  }
  if (const CountState* count = memory.count()) {
    if (!count->table.last_at || *count->table.last_at <= now) return memory;
    CountState anew = *count;
    anew.table = CounterTable{};
    return ConditionMemory(std::move(anew));
  }
  return memory;
}

}  // namespace rollwatch
