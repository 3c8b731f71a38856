// What keeps a target that fails from being hammered: after so many failed attempts in a row, over
// all rollouts, the breaker opens and its messages wait. Then one attempt at a time goes out, the
// probe, at intervals that double up to a bound. Any answer that is no failure, to the probe or to
// an attempt that goes out regardless (a rollback's), closes it.
//
// An example with the rules of an orchestrator (5 failures, 5 s doubling up to 30 s): the fifth
// failure at +18s opens it; probes may go at +23s, and if they fail at once at +33s, +53s, +1m23s
// and every 30 s from then on.
//
// A value that reads no clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analysis/time.h"
#include "daemon/net/clock.h"

namespace rollwatch {

struct BreakerRules {
  unsigned failures = 5;  // in a row
  Millis first{5'000};    // from opening to the first probe
  Millis most{30'000};
};

enum class BreakerState : std::uint8_t { kClosed, kOpen, kProbing };
std::string_view name_of(BreakerState state);

// What an attempt's end has changed.
enum class BreakerChange : std::uint8_t { kNone, kOpened, kClosed };

class Breaker {
 public:
  explicit Breaker(BreakerRules rules) : rules_(rules) {}

  BreakerState state() const { return state_; }
  unsigned failures() const { return failures_; }                // in a row, until now
  const std::string& last_error() const { return last_error_; }  // stays after an answer
  SteadyTime opened_at() const { return opened_at_; }            // unless closed
  SteadyTime next_probe() const { return next_probe_; }          // if open

  // Whether an attempt that respects it may go out.
  bool admits(SteadyTime now) const {
    return state_ == BreakerState::kClosed || (state_ == BreakerState::kOpen && now >= next_probe_);
  }

  // It goes out; if the breaker is open it is the probe. `sender` is a number of its own, by which
  // its end is told from the ends of other attempts.
  void begins(std::uint64_t sender);
  bool is_probe(std::uint64_t sender) const {
    return state_ == BreakerState::kProbing && probe_ == sender;
  }

  BreakerChange failed(std::uint64_t sender, SteadyTime now, std::string error);
  BreakerChange answered();
  // It was not sent after all: if it was the probe, another may go at once.
  void given_up(std::uint64_t sender, SteadyTime now);

  // Something about the target was changed by a person: if it is open, the next probe may go now.
  void hurry(SteadyTime now);

 private:
  BreakerRules rules_;
  BreakerState state_ = BreakerState::kClosed;
  unsigned failures_ = 0;
  std::string last_error_;
  SteadyTime opened_at_{};
  SteadyTime next_probe_{};
  Millis interval_{0};
  std::uint64_t probe_ = 0;
};

}  // namespace rollwatch
