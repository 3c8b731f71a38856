// Time and interruption for a client that waits: the only place of the command line that reads
// clocks, sleeps or knows about signals.
#pragma once

#include <chrono>
#include <functional>

#include "analysis/time.h"

namespace rollwatch {

class Pace {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  virtual ~Pace() = default;
  virtual Steady steady() const = 0;
  virtual SysTime wall() const = 0;
  // Waits; returns early and false once the user interrupted. Calls the tick several times a
  // second.
  virtual bool sleep(Millis span) = 0;
  virtual bool interrupted() const = 0;
  // From now on the first SIGINT sets interrupted(); a second one ends the process as usual.
  virtual void catch_interrupts() = 0;

  // What is done several times a second while something is awaited, such as redrawing a countdown.
  void on_tick(std::function<void()> tick) { tick_ = std::move(tick); }
  // False once the user interrupted.
  bool tick() {
    if (tick_) tick_();
    return !interrupted();
  }

 private:
  std::function<void()> tick_;
};

class ProcessPace : public Pace {
 public:
  Steady steady() const override;
  SysTime wall() const override;
  bool sleep(Millis span) override;
  bool interrupted() const override;
  void catch_interrupts() override;
};

}  // namespace rollwatch
