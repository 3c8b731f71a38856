// Makes the plan of a rollout from its merged analysis: when it is registered, and again from the
// pinned document after a restart.
//
//   auto document = value_from_json(pinned);
//   auto plan = decode_plan(*document);
#pragma once

#include <string>
#include <vector>

#include "analysis/expected.h"
#include "analysis/plan.h"
#include "config/field_error.h"
#include "config/value.h"

namespace rollwatch {

// A policy may be a part that is registered together with another one, which has the steps.
enum class Steps { kRequired, kOptional };

// The document as merge_analysis writes it. All errors are found, each with the place its value
// came from. Steps come out normalised: rising weights below 100.
Expected<Plan, FieldErrors> decode_plan(const Value& document, Steps steps = Steps::kRequired);

// One table of analysis settings as it is written in a file or a request: known keys, right types,
// good values; what is not given is not missed. path is how a file names the table, "" in a
// request.
void check_layer(const Value& table, const std::string& path, FieldErrors& errors);

// The steps that a ramp stands for. Errors are recorded; then the result is empty.
std::vector<StepPlan> expand_ramp(const Value& ramp, const std::string& path, FieldErrors& errors);

}  // namespace rollwatch
