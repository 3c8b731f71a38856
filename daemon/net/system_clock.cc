#include "daemon/net/system_clock.h"

#include <boost/asio/this_coro.hpp>

namespace rollwatch {

SysTime SystemClock::wall() const {
  return std::chrono::floor<Millis>(std::chrono::system_clock::now());
}

SteadyTime SystemClock::steady() const { return std::chrono::steady_clock::now(); }

awaitable<void> SystemClock::sleep(Millis span) {
  Timer timer(co_await net::this_coro::executor);
  timer.expires_after(span);
  co_await timer.async_wait();
}

}  // namespace rollwatch
