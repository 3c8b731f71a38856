// Time that a test drives by hand. advance() stops at every instant at which somebody wakes, sets
// both clocks to it and lets everything run that can, before it goes on to the next: an hour of
// retries takes milliseconds, and every run is the same.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>

#include "daemon/net/clock.h"
#include "daemon/net/net.h"

namespace rollwatch {

class ManualClock : public Clock {
 public:
  // Declare it after the io_context. `run_until_idle` lets run what can until nothing can any more;
  // where other threads post back (a store), it must wait for what they owe. By default it polls.
  explicit ManualClock(net::io_context& io, SysTime start = SysTime{Millis{1'767'323'045'678}},
                       std::function<void()> run_until_idle = {});

  SysTime wall() const override { return wall_; }
  SteadyTime steady() const override { return steady_; }
  awaitable<void> sleep(Millis span) override;

  void advance(Millis span);
  // Lets run what can, without time passing.
  void settle() { run_until_idle_(); }
  // The wall clock alone is set, forward or back, as by hand or after a suspended machine woke.
  void jump_wall(Millis by) { wall_ += by; }
  std::size_t sleepers() const { return sleepers_.size(); }

 private:
  struct Sleeper;

  net::io_context& io_;
  std::function<void()> run_until_idle_;
  SysTime wall_;
  SteadyTime steady_{};
  std::multimap<SteadyTime, std::shared_ptr<Sleeper>> sleepers_;
};

}  // namespace rollwatch
