// Reads a condition's keys, and those that a policy may give for all of its conditions.
#pragma once

#include <string>

#include "analysis/plan.h"
#include "config/field_error.h"
#include "config/table_reader.h"

namespace rollwatch {

// A layer is a part of an analysis: anything may be left out. A document is the merged whole.
enum class Completeness { kLayer, kDocument };

// A condition with every default of analysis/plan.h, no name and a query that stands for none.
ConditionPlan blank_condition();

// interval window initial_delay timeout datasource fail_after within min_passes on_fail on_no_data
// on_error share
void read_judging_keys(TableReader& reader, ConditionPlan& condition);

// What the readiness gate is called where conditions are listed.
inline constexpr std::string_view kReadinessName = "ready";

// The keys of a `ready` table that say how its query is asked and what its loss means; the caller
// reads those of the gate and finishes.
ConditionPlan read_readiness(TableReader& reader, Completeness completeness);

// Reads what is given into a blank condition. Of a document's condition the keys must also fit
// together.
ConditionPlan read_condition(const Value& table, const std::string& path, Completeness completeness,
                             FieldErrors& errors);

}  // namespace rollwatch
