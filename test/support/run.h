// Runs a coroutine on an io_context until it is done and gives its result to a test that is not
// one.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "analysis/time.h"
#include "daemon/net/net.h"

namespace rollwatch {

// `work` is a callable that returns awaitable<T>. What it throws is thrown here. Other work of the
// io_context goes on meanwhile and stays where it is afterwards.
template <class T>
T run(net::io_context& io, std::function<awaitable<T>()> work) {
  std::optional<T> result;
  std::exception_ptr failure;
  net::co_spawn(io, std::move(work), [&](std::exception_ptr error, T value) {
    failure = error;
    result.emplace(std::move(value));
  });
  io.restart();
  while (!result && io.run_one() != 0) {
  }
  if (failure) std::rethrow_exception(failure);
  return std::move(result.value());
}

// Runs the io_context until the condition holds, which other threads may bring about.
inline void run_until(net::io_context& io, const std::function<bool()>& condition) {
  while (!condition()) {
    io.restart();
    io.run_one_for(Millis{5});
  }
}

}  // namespace rollwatch
