// What a merged analysis is completed with: the defaults of analysis/plan.h as a file would write
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/value.h"

namespace rollwatch {

// The keys of a condition that a policy may give for all of its conditions.
const std::vector<std::string_view>& judging_keys();

// Those of them that the readiness gate is asked by, too.
const std::vector<std::string_view>& readiness_keys();

// An origin that is no place: "default".
Origin layer_origin(std::string_view layer);

// Adds what is not given, and writes ramp as the steps it stands for. Weight 100 is left out.
void complete_plan(Value& document);
void complete_condition(Value& condition);
void complete_ready(Value& ready);

}  // namespace rollwatch
