// An answer as one line, so that a test compares the whole of it.
#pragma once

#include <string>

#include "analysis/answer.h"

namespace rollwatch {

// "vector: {a="x"} 1, {} NaN", "scalar: 2", "unusable: matrix", "bad_query 400: …"; then "
// [partial]" and " [warning: …]".
std::string describe(const Answer& answer);

}  // namespace rollwatch
