// Counters that are judged by what they have counted since the step began: "more than three OOM
// kills in this step". Each event counts once, the first one of a new series too.
#pragma once

#include <optional>

#include "analysis/answer.h"
#include "analysis/compare/memory.h"
#include "analysis/outcome.h"
#include "analysis/statistics/comparison_state.h"

namespace rollwatch {

struct SeenCount {
  statistics::CountState state;
  Answer value;                  // one number in place of the counters: what was counted
  std::optional<Judgement> end;  // of a slot that says nothing yet
};

// `counters` is an answer that can be used; that there is none yet is nothing counted.
// `interval`: how long a slot is.
SeenCount see_count(const statistics::CountState& before, const Answer& counters, SysTime at,
                    MaybeTime step_since, Millis interval);

// The clock was put back, so what was counted lies ahead: counting begins anew.
ConditionMemory counting_anew(const ConditionMemory& memory, SysTime now);

}  // namespace rollwatch
