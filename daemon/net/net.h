// The one place that names Asio for everybody: short aliases, and coroutine helpers that report
// what plain `detached` would swallow.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace rollwatch {

namespace net = boost::asio;
template <class T>
using awaitable = net::awaitable<T>;
using Timer = net::use_awaitable_t<>::as_default_on_t<net::steady_timer>;

// Runs `work` on `executor` to its end. An exception that leaves it is a bug of ours: it is logged
// with `name` and ends the process, rather than leaving a part of the daemon silently dead.
// Cancellation (operation_aborted) at shutdown is not an error. Pass the lambda, never its result:
// the frame then owns it.
void spawn(const net::any_io_executor& executor, std::string name,
           std::function<awaitable<void>()> work);

// A value that arrives once: set() wakes the one waiter, however they are ordered. Io thread only.
template <class T>
class Promise {
 public:
  explicit Promise(const net::any_io_executor& executor)
      : timer_(executor, net::steady_timer::time_point::max()) {}

  void set(T value) {
    if (value_) return;
    value_.emplace(std::move(value));
    timer_.cancel();
  }
  bool is_set() const { return value_.has_value(); }

  awaitable<T> get() {
    while (!value_) {
      boost::system::error_code ignored;
      co_await timer_.async_wait(net::redirect_error(net::use_awaitable, ignored));
    }
    co_return std::move(*value_);
  }

 private:
  Timer timer_;
  std::optional<T> value_;
};

}  // namespace rollwatch
