#include "daemon/delivery/breaker.h"

#include <algorithm>
#include <utility>

namespace rollwatch {

std::string_view name_of(BreakerState state) {
  switch (state) {
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kProbing:
      return "half_open";
    case BreakerState::kClosed:
      break;
  }
  return "closed";
}

void Breaker::begins(std::uint64_t sender) {
  if (state_ != BreakerState::kOpen) return;
  state_ = BreakerState::kProbing;
  probe_ = sender;
}

// Attempts that were out already when it opened, and rollbacks, fail without moving the next probe:
// only probes are paced.
BreakerChange Breaker::failed(std::uint64_t sender, SteadyTime now, std::string error) {
  ++failures_;
  last_error_ = std::move(error);
  if (state_ == BreakerState::kClosed) {
    if (failures_ < rules_.failures) return BreakerChange::kNone;
    state_ = BreakerState::kOpen;
    opened_at_ = now;
    interval_ = rules_.first;
    next_probe_ = now + interval_;
    return BreakerChange::kOpened;
  }
  if (is_probe(sender)) {
    state_ = BreakerState::kOpen;
    interval_ = std::min(interval_ * 2, rules_.most);
    next_probe_ = now + interval_;
  }
  return BreakerChange::kNone;
}

BreakerChange Breaker::answered() {
  failures_ = 0;
  return std::exchange(state_, BreakerState::kClosed) == BreakerState::kClosed
             ? BreakerChange::kNone
             : BreakerChange::kClosed;
}

void Breaker::given_up(std::uint64_t sender, SteadyTime now) {
  if (!is_probe(sender)) return;
  state_ = BreakerState::kOpen;
  next_probe_ = now;
}

void Breaker::hurry(SteadyTime now) {
  if (state_ == BreakerState::kOpen) next_probe_ = std::min(next_probe_, now);
}

}  // namespace rollwatch
