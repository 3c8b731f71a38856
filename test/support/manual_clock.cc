#include "test/support/manual_clock.h"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

namespace rollwatch {

struct ManualClock::Sleeper {
  explicit Sleeper(net::io_context& io) : timer(io, Timer::time_point::max()) {}
  Timer timer;
  bool woken = false;
};

ManualClock::ManualClock(net::io_context& io, SysTime start, std::function<void()> run_until_idle)
    : io_(io), run_until_idle_(std::move(run_until_idle)), wall_(start) {
  if (!run_until_idle_) {
    run_until_idle_ = [&io] {
      io.restart();
      while (io.poll() != 0) {
      }
    };
  }
}

awaitable<void> ManualClock::sleep(Millis span) {
  if (span <= Millis{0}) {
    co_await net::post(io_, net::use_awaitable);
    co_return;
  }
  const auto sleeper = std::make_shared<Sleeper>(io_);
  const auto place = sleepers_.emplace(steady_ + span, sleeper);
  boost::system::error_code ended;
  co_await sleeper->timer.async_wait(net::redirect_error(net::use_awaitable, ended));
  if (sleeper->woken) co_return;
  sleepers_.erase(place);
  throw boost::system::system_error(net::error::operation_aborted);
}

void ManualClock::advance(Millis span) {
  const SteadyTime end = steady_ + span;
  const auto move_to = [this](SteadyTime instant) {
    wall_ += std::chrono::duration_cast<Millis>(instant - steady_);
    steady_ = instant;
  };
  settle();
  while (!sleepers_.empty() && sleepers_.begin()->first <= end) {
    const SteadyTime due = sleepers_.begin()->first;
    move_to(due);
    while (!sleepers_.empty() && sleepers_.begin()->first == due) {
      const auto sleeper = sleepers_.begin()->second;
      sleepers_.erase(sleepers_.begin());
      sleeper->woken = true;
      sleeper->timer.cancel();
    }
    settle();
  }
  move_to(end);
}

}  // namespace rollwatch
