// Whether the wall clock may be believed where being wrong cannot be made good. A clock that is set
// to a time far ahead, if only for a minute, makes all history look old enough to be deleted.
#pragma once

#include <optional>

#include "daemon/net/clock.h"

namespace rollwatch {

class ClockTrust {
 public:
  // What the two clocks may part by from one look to the next: slewing, and the steps of a machine
  // that keeps its time.
  static constexpr Millis kMostDrift{60'000};
  // How long they must have gone evenly after a jump.
  static constexpr Millis kEvenFor{3'600'000};

  ClockTrust(SysTime wall, SteadyTime steady) : wall_(wall), steady_(steady) {}

  // By how much the wall clock has jumped since the last look, if it has.
  std::optional<Millis> look(SysTime wall, SteadyTime steady) {
    const auto passed = std::chrono::duration_cast<Millis>(steady - steady_);
    const Millis jump = wall - wall_ - passed;
    wall_ = wall;
    steady_ = steady;
    if (jump >= -kMostDrift && jump <= kMostDrift) return std::nullopt;
    even_since_ = steady;
    return jump;
  }

  // At the last look.
  bool is_trusted() const { return !even_since_ || steady_ - *even_since_ >= kEvenFor; }

 private:
  SysTime wall_;
  SteadyTime steady_;
  std::optional<SteadyTime> even_since_;  // since the latest jump
};

}  // namespace rollwatch
