#include "daemon/delivery/alarm.h"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

namespace rollwatch {

// Shared with the sleeping coroutine, which may end after the alarm was moved or destroyed: `alarm`
// is null then.
struct Alarm::Wait {
  Alarm* alarm = nullptr;
  SteadyTime at{};
  net::cancellation_signal cancel;
};

Alarm::Alarm(net::any_io_executor executor, Clock& clock, std::function<void()> ring)
    : executor_(std::move(executor)), clock_(clock), ring_(std::move(ring)) {}

Alarm::~Alarm() { clear(); }

void Alarm::set(SteadyTime at) {
  if (wait_ && wait_->at == at) return;
  clear();
  wait_ = std::make_shared<Wait>();
  wait_->alarm = this;
  wait_->at = at;
  const Millis span = std::max(Millis{0}, std::chrono::ceil<Millis>(at - clock_.steady()));
  auto sleep = [&clock = clock_, span]() -> awaitable<void> { co_await clock.sleep(span); };
  auto woken = [wait = wait_](std::exception_ptr) {
    Alarm* alarm = wait->alarm;
    if (alarm == nullptr) return;
    alarm->wait_.reset();
    alarm->ring_();
  };
  net::co_spawn(executor_, std::move(sleep),
                net::bind_cancellation_slot(wait_->cancel.slot(), std::move(woken)));
}

void Alarm::clear() {
  if (!wait_) return;
  const std::shared_ptr<Wait> wait = std::exchange(wait_, nullptr);
  wait->alarm = nullptr;
  wait->cancel.emit(net::cancellation_type::terminal);
}

}  // namespace rollwatch
