// What the evaluation benchmark has to say: a line for each measurement, medians, and ratios of
// what was measured next to each other. A ratio counts when its pairs agree within a quarter of it,
// or are all on one side of its limit.
#pragma once

#include <string>
#include <vector>

#include "test/bench/daemon_process.h"

namespace rollwatch::bench {

struct Measurement {
  std::string name;
  double cpu = 0;   // milliseconds for 1,000 evaluations
  double user = 0;  // the share of that outside the kernel
  double per_second = 0;
  double missed = 0;                                // slots
  double late_p50 = 0, late_p99 = 0, late_max = 0;  // milliseconds from the query's own grid
  double resident = 0;                              // MB
  double connections = 0;                           // the most there were
  double busiest = 0;                               // queries within 100 ms
  double switches = 0;                              // voluntary, a second
  double datasource = 0;                            // cores it used itself
  // Of a Rollwatch alone.
  double after_p99 = 0;         // milliseconds after the slot's time
  double commits = 0;           // a second
  double quick_commits = 0;     // the share of them that were on disk within 100 ms
  double told_missed = 0;       // by its own metrics, since its start
  double resident_scraped = 0;  // MB, when /metrics was read
};

std::string heading();
std::string line(const Measurement& measured);
Measurement median_of(const std::vector<Measurement>& all);

// What a ratio of ours to theirs came to over the pairs.
struct Ratio {
  double median = 0, least = 0, most = 0;
  double spread() const { return median == 0 ? 0 : (most - least) / median; }
  // Whether a limit is met. Where the pairs do not agree, all of them have to be on one side of it.
  std::string_view against(double limit) const {
    const bool agree = spread() < 0.25;
    if ((agree ? median : most) <= limit) return "met";
    return (agree ? median : least) > limit ? "missed" : "unknown";
  }
};
Ratio ratio_of(const std::vector<Measurement>& ours, const std::vector<Measurement>& theirs,
               double Measurement::*what);

// The table of ratios with what must and what should be, for this load.
std::string ratios(const Load& load, const std::vector<Measurement>& ours,
                   const std::vector<Measurement>& theirs);

// The same for a program to read: one JSON object.
std::string as_json(const Load& load, double seconds, const std::vector<Measurement>& ours,
                    const std::vector<Measurement>& theirs);

}  // namespace rollwatch::bench
