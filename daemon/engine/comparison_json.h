// Where a comparison with stable stands, with the numbers behind it: for explain and for the page.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>

#include "analysis/plan.h"
#include "analysis/state.h"

namespace rollwatch {

// Of the condition `i`; null if it does not compare. Takes milliseconds: not for lists of rollouts.
nlohmann::ordered_json comparison_json(const Plan& plan, const RolloutState& state, std::size_t i);

}  // namespace rollwatch
