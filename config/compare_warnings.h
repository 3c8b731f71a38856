// What is allowed in a comparison with stable but is probably not what was meant.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analysis/plan.h"
#include "config/value.h"

namespace rollwatch {

// Of the condition `i`, which compares; `table` is what it was decoded from.
std::vector<std::string> compare_warnings(const Plan& plan, std::size_t i, const Value& table);

}  // namespace rollwatch
