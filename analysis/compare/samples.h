// Answers as the statistics take them: counters by process and series, a histogram's by bucket, a
// gauge's one number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/answer.h"
#include "analysis/expected.h"
#include "analysis/statistics/counters.h"
#include "analysis/statistics/counts.h"

namespace rollwatch {

// More series in one answer than this are refused: they are kept from slot to slot. A histogram's
// processes have many each: this is 2,000 pods with a dozen buckets.
inline constexpr std::size_t kMostSeries = 5'000;
inline constexpr std::size_t kMostBuckets = 30'000;

// What is compared takes time and memory by the square of them.
inline constexpr std::size_t kMostBoundaries = 300;

// Of bad events that belong to nobody's events.
inline constexpr std::string_view kTellTheSame =
    "both must tell the same processes: pod in both, or instance in both";

// What makes fewer series of them.
inline constexpr std::string_view kFewerOfRate = "take the counters together with sum by (pod)";
inline constexpr std::string_view kFewerOfHistogram =
    "ask for fewer boundaries (le=~\"0.1|0.5|1|[+]Inf\"), or for a part of the pods; where a pod "
    "has "
    "several histograms, take them together with sum by (pod, le)";

// The process a series is of: its label `pod`, else `instance`; null if it has neither.
const std::string* owner_of(const Series& series);

// Appends an answer's series as samples of this part. Whose they are says owner_of(). Only of
// answers that are vectors (or nothing).
void add_samples(const Answer& answer, std::uint32_t part,
                 std::vector<statistics::CounterSample>& samples);

// A series of a histogram's buckets, in order of process, series and boundary.
struct BucketSample {
  std::uint64_t source = statistics::kUnknownSource;
  std::uint64_t series = 0;  // of all its labels but `le`: the histogram it is a bucket of
  double boundary = 0;       // infinite for "+Inf"
  double value = 0;
};
// The error says what is no histogram's.
Expected<std::vector<BucketSample>, std::string> buckets_of(const Answer& answer);

// The finite boundaries that any of them has, rising.
std::vector<double> boundaries_of(std::span<const BucketSample> buckets);

// Of these boundaries those that some histogram does not have: neither now nor among what is known
// of it. (One that is known and not there was lost on the way, and comes again.)
std::vector<double> lacked_by(std::span<const BucketSample> buckets,
                              std::span<const double> boundaries,
                              const statistics::CounterTable& known);

// Those with one of these boundaries as samples, a part for each boundary and one for all ("+Inf").
std::vector<statistics::CounterSample> samples_of(std::span<const BucketSample> buckets,
                                                  std::span<const double> boundaries);

// Of single buckets: requests, and as bad ones those slower than this boundary (from 1 on).
statistics::ArmCounts slower_than(std::span<const double> buckets, std::size_t boundary);

}  // namespace rollwatch
