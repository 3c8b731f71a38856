// The machine's own clocks: the only reader of them in the daemon.
#pragma once

#include "daemon/net/clock.h"

namespace rollwatch {

class SystemClock : public Clock {
 public:
  SysTime wall() const override;
  SteadyTime steady() const override;
  awaitable<void> sleep(Millis span) override;
};

}  // namespace rollwatch
