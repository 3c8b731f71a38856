// The slot grid: phase + k × interval since the Unix epoch. Plain arithmetic, so that a grid never
// drifts and a restart finds it again.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "analysis/plan.h"
#include "analysis/state.h"
#include "analysis/time.h"

namespace rollwatch {

struct Grid {
  Millis phase{0};
  Millis interval{1};

  SysTime at(std::int64_t slot) const;
  std::int64_t last_at_or_before(SysTime time) const;
  std::int64_t first_at_or_after(SysTime time) const;
};

// Equal questions get equal phases, so that they can be asked once; different ones are spread
// evenly.
Millis phase_of(std::string_view datasource, std::string_view query, Millis interval);

Grid grid_of(const ConditionPlan& condition, const ConditionState& state);

// The next slot to ask: the one after the last recorded, but not before the first that is evaluated
// for `watched_from`. None while the condition is not watched. May lie in the past: then it is due,
// and those between it and the latest before now are missed.
//
// Where slots of this watch were recorded they go on one after the other, also when the delay has
// grown since.
std::optional<std::int64_t> next_slot(const ConditionPlan& condition, const ConditionState& state,
                                      Millis ingestion_delay);

// Whether a slot that is evaluated for this time looks at something new. With a delay that has
// grown it would go back, or look at the same time twice: then it is missed (Cause::kMissedDelay).
bool is_ahead(const ConditionState& state, SysTime evaluated_at);

}  // namespace rollwatch
