// The columns of an evaluation, which the tables `evaluations` and `recent` share, and the way
// there and back.
#pragma once

#include "daemon/engine/records.h"
#include "daemon/storage/sqlite.h"

// In the order in which the functions below bind and read them.
#define ROLLWATCH_EVALUATION                                                         \
  "number, condition, slot, last_slot, slots, evaluated_at, outcome, cause, value, " \
  "rule_op, rule_limit, evidence, min_evidence, series, detail, step, duration"

namespace rollwatch {

// The next parameters of the query. The evaluation must outlive its steps.
void add_evaluation(Query& query, const StoredEvaluation& evaluation);

// From the first columns of the row. Throws DocumentError.
StoredEvaluation evaluation_in(const Query& row);

}  // namespace rollwatch
