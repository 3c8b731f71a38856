// The enumerators that evaluations keep by number. What this program does not know throws
// DocumentError.
#pragma once

#include <cstdint>

#include "analysis/outcome.h"

namespace rollwatch {

Outcome read_outcome(std::int64_t number);
Cause read_cause(std::int64_t number);
CompareOp read_comparison(std::int64_t number);

}  // namespace rollwatch
