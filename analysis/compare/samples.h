// Answers as the statistics take them: counters by process and series, a histogram's by bucket, a
// gauge's one number.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/answer.h"
#include "analysis/expected.h"
#include "analysis/statistics/counters.h"
#include "analysis/statistics/counts.h"

namespace rollwatch {

// More series in one answer than this are refused: they are kept from slot to slot.
inline constexpr std::size_t kMostSeries = 5'000;

// The process a series is of: its label `pod`, else `instance`; null if it has neither.
const std::string* owner_of(const Series& series);

// Appends an answer's series as samples of this part. Whose they are says owner_of(). Only of
// answers that are vectors (or nothing).
void add_samples(const Answer& answer, std::uint32_t part,
                 std::vector<statistics::CounterSample>& samples);

// The finite boundaries (`le`) that the answer's series have, rising; the error says what is no
// histogram's.
Expected<std::vector<double>, std::string> bounds_of(const Answer& answer);

// The same as samples, a part for each boundary and one for all ("+Inf").
void add_buckets(const Answer& answer, const std::vector<double>& bounds,
                 std::vector<statistics::CounterSample>& samples);

// Of single buckets: requests, and as bad ones those slower than this boundary (from 1 on).
statistics::ArmCounts slower_than(std::span<const double> buckets, std::size_t boundary);

}  // namespace rollwatch
