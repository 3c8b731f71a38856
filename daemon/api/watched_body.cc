#include "daemon/api/watched_body.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

namespace rollwatch {
namespace {

constexpr Millis kStuck{60'000};

}  // namespace

awaitable<BodyPiece> WatchedBody::next() {
  given_at_.reset();
  BodyPiece piece;
  if (stopped_) co_return piece;
  std::string text = co_await make();
  if (stopped_ || text.empty()) co_return piece;
  given_at_ = clock_.steady();
  if (!watched_) {
    watched_ = true;
    const auto executor = co_await net::this_coro::executor;
    spawn(executor, "body reader",
          [weak = weak_from_this(), &clock = clock_] { return watch_reader(weak, clock); });
  }
  piece.push_back(std::make_shared<const std::string>(std::move(text)));
  co_return piece;
}

awaitable<void> WatchedBody::watch_reader(std::weak_ptr<WatchedBody> weak, Clock& clock) {
  Millis left{0};
  do {
    if (left > Millis{0}) co_await clock.sleep(left);
    const auto self = weak.lock();
    left = self ? self->patience_left() : Millis{0};
  } while (left > Millis{0});
}

// How long it is still waited for the reader; 0: no longer.
Millis WatchedBody::patience_left() {
  const bool waits = given_at_ && !stopped_;
  const auto left =
      waits ? std::chrono::ceil<Millis>(*given_at_ + kStuck - clock_.steady()) : Millis{0};
  watched_ = left > Millis{0};
  if (waits && !watched_) {
    spdlog::info("{} is cut: its reader takes nothing", name_);
    stopped_ = true;
    if (cut) cut();
  }
  return std::max(left, Millis{0});
}

}  // namespace rollwatch
