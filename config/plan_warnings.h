// What is allowed in an analysis but is probably not what was meant.
#pragma once

#include "analysis/plan.h"
#include "config/field_error.h"
#include "config/value.h"

namespace rollwatch {

// document is the one the plan was decoded from; it says where each thing was written.
FieldErrors plan_warnings(const Plan& plan, const Value& document);

}  // namespace rollwatch
