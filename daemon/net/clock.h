// Two clocks. Wall time places slots on the grid, dates history and can jump; steady time measures
// how long something took and when to wake, and cannot. Everything that waits or dates something
// gets this handed in, so that a test can drive a whole rollout by hand
// (test/support/manual_clock.h).
#pragma once

#include <chrono>

#include "analysis/time.h"
#include "daemon/net/net.h"

namespace rollwatch {

using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual SysTime wall() const = 0;
  virtual SteadyTime steady() const = 0;

  // Resumes at or after `span` from now by the steady clock. Throws operation_aborted when the
  // awaiting coroutine is cancelled. Call on the io thread.
  virtual awaitable<void> sleep(Millis span) = 0;
};

}  // namespace rollwatch
