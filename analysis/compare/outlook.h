// What a rollout will be able to see, said when it is registered: how soon a doubling is found, and
// what is too small to be found at all.
#pragma once

#include <string>

#include "analysis/plan.h"
#include "analysis/statistics/comparison_state.h"

namespace rollwatch {

// Of the condition `i`, from stable's history. One sentence; "" where nothing can be foretold.
std::string outlook_of(const Plan& plan, std::size_t i, const statistics::ComparisonState& state);

}  // namespace rollwatch
