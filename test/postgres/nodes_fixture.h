// Several nodes in one process, over a database of their own on one real server: each with a store
// and as a member, and a record of what it was told to do.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/net/system_clock.h"
#include "daemon/postgres/members.h"
#include "daemon/postgres/store.h"
#include "test/storage/samples.h"
#include "test/support/real_servers.h"

namespace rollwatch {

RealPostgres& postgres();
std::string new_database();

struct Node {
  Node(net::io_context& io, const std::string& url, const std::string& name, Millis lease);
  ~Node();

  std::vector<Place> sorted_places() const;

  SystemClock clock;
  PgStore store;
  PgMembers members;
  // What it was told, and what it has by that.
  std::map<Place, Epoch> has;
  std::map<Place, Cause> why;
  std::vector<std::string> heard;
  std::vector<std::string> told;  // "gained 3", "give up 1", "lost 2", "member", "no member: …"
  std::vector<std::size_t> counted;  // how many nodes there are, each time that changed
  int listens = 0;                   // how often it began to listen
  int fenced = 0;
  bool takes_over = true;  // false: what it gains cannot be loaded
  bool is_slow = false;    // true: neither taking over nor giving up comes to an end
};

class NodesTest : public testing::Test {
 protected:
  NodesTest() : url_(new_database()) {}
  ~NodesTest() override;

  // Runs the loop until the coroutine has ended; what it throws comes out here.
  template <class T>
  T wait(awaitable<T> work);
  void wait(awaitable<void> work);
  // Runs the loop until the condition holds.
  bool until(const std::function<bool()>& condition, Millis limit = Millis{30'000});

  Node& node(const std::string& name, Millis lease = Millis{2'000});  // joined
  void stop(Node& node);                                              // as kill -9 would

  // A rollout that is active in that place, registered by the node, which claims it.
  void register_at(Node& node, const std::string& id, const std::string& target);
  std::string refusal(Node& node, Commit commit);
  std::int64_t number(const std::string& sql);

  std::string url_;
  net::io_context io_;
  std::vector<std::unique_ptr<Node>> nodes_;
};

template <class T>
T NodesTest::wait(awaitable<T> work) {
  std::optional<T> result;
  std::exception_ptr failure;
  bool done = false;
  net::co_spawn(io_, std::move(work), [&](std::exception_ptr error, T value) {
    failure = error;
    result = std::move(value);
    done = true;
  });
  EXPECT_TRUE(until([&] { return done; }));
  if (failure) std::rethrow_exception(failure);
  return std::move(*result);
}

}  // namespace rollwatch
