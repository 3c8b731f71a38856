// Numbers and counts as they stand in the sentences of a comparison. Only for the files of this
// folder.
#pragma once

#include <span>
#include <string>

#include "analysis/compare/condition.h"
#include "analysis/statistics/counts.h"

namespace rollwatch {

// Three digits, without a power of ten as long as that can be read: 0.0123, 4.56, 1235.
std::string short_number(double value);

// 43900 → "43,900".
std::string count_text(double count);

// 0.0052 → "0.52 %".
std::string percent_of(double part);

// "12 bad of 2,310 (0.52 %)".
std::string counts_text(const statistics::ArmCounts& counts, const std::string& of_what);

// ": 1.27 times"; "" where there is nothing to divide by.
std::string times_text(const statistics::RateTick& total);

// "0.1, 0.5 and 3 others"; "none".
std::string list_text(std::span<const double> numbers);

// " s" or " ms" behind a boundary, if the name of the metric says so; else "".
std::string unit_of(const CompareCondition& condition);

}  // namespace rollwatch
