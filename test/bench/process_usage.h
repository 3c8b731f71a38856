// What a process has used so far, as the kernel tells it: CPU in nanoseconds, memory, and how often
// it went to sleep.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rollwatch::bench {

struct ProcessUsage {
  std::chrono::nanoseconds cpu{0};   // user and system, of all threads that are and were
  std::chrono::nanoseconds user{0};  // in ticks of 10 ms
  std::uint64_t voluntary_switches = 0, involuntary_switches = 0;  // of the threads that are
  std::size_t resident = 0, resident_peak = 0;                     // bytes, libraries included
};

// Throws if there is no such process.
ProcessUsage usage_of(pid_t pid);

// CPU of a process and of every child it has or has waited for, such as a database's server.
std::chrono::nanoseconds cpu_of_family(pid_t pid);

}  // namespace rollwatch::bench
