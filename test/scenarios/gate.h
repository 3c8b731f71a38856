// Where calls wait until they are let go.
#pragma once

#include <boost/asio/this_coro.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "daemon/net/net.h"

namespace rollwatch {

class Gate {
 public:
  awaitable<void> wait() {
    auto turn = std::make_shared<Promise<bool>>(co_await net::this_coro::executor);
    waiting_.push_back(turn);
    co_await turn->get();
  }
  void let_go() {
    for (const auto& turn : std::exchange(waiting_, {})) turn->set(true);
  }

 private:
  std::vector<std::shared_ptr<Promise<bool>>> waiting_;
};

}  // namespace rollwatch
