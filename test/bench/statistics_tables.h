// The tables of rollwatch_bench_statistics that have a file of their own.
#pragma once

#include <cstdint>

namespace rollwatch::bench {

struct Options {
  int replications = 4000;
  std::uint64_t seed = 20'240'601;
};

void latency(const Options& options);  // from buckets
void gauges(const Options& options);   // one number a slot

}  // namespace rollwatch::bench
