// What one slot's answers mean, written again from docs/conditions.md in the plainest way.
#pragma once

#include <optional>
#include <vector>

#include "analysis/answer.h"
#include "analysis/outcome.h"
#include "analysis/plan.h"

namespace rollwatch::model {

struct Judged {
  Outcome outcome = Outcome::kMissed;
  Cause cause = Cause::kMissedLate;
  std::optional<double> value;
  std::optional<double> evidence;
  friend bool operator==(const Judged&, const Judged&) = default;
};

// `evidence` is null exactly if the condition asks for none; `select` are the labels that all of a
// series' must contain; windows that begin before `step_since` reach back.
Judged judge(const ConditionPlan& condition, const Answer& value, const Answer* evidence,
             const std::vector<Label>& select, SysTime evaluated_at,
             std::optional<SysTime> step_since);

}  // namespace rollwatch::model
