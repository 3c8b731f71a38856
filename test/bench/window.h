// A length of time in which a process is watched that asks the fake datasource.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>

#include "test/bench/datasource_process.h"
#include "test/bench/evaluation_report.h"

namespace rollwatch::bench {

using SteadyClock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

inline double seconds_since(SteadyClock::time_point begun) {
  return Seconds(SteadyClock::now() - begun).count();
}
inline double megabytes(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// These end with an exception soon after interrupt(), which a signal handler may call.
void sleep_for(double seconds);
void sleep_until(SteadyClock::time_point until);
void interrupt();

// Only what the datasource sees in that time.
Seen watch(DatasourceProcess& datasource, Millis interval, double seconds);

// Queries that are late are waited for when the window is over. `load` says what there is to ask.
Measurement measure_window(pid_t pid, DatasourceProcess& datasource, const Load& load,
                           double seconds);

}  // namespace rollwatch::bench
