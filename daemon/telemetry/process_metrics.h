// CPU, memory and descriptors of this process, as Prometheus' own clients name them.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace rollwatch {

// Read from /proc now; what cannot be read is left out.
std::vector<prometheus::MetricFamily> process_metrics();

}  // namespace rollwatch
