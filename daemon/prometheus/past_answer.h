// A range query's answer, turned round: from each series with its values over time to each time
// with the series that had one.
#pragma once

#include <string>

#include "daemon/engine/metrics_source.h"

namespace rollwatch {

// `answer` is what the question got, as parse_answer() has it.
Past past_of(const PastQuestion& question, const Answer& answer);

// How many slots a question is about.
std::size_t slots_in(const PastQuestion& question);

}  // namespace rollwatch
