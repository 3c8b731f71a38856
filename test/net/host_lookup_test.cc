// Names that are looked up beside each other, and what becomes of a look-up that has no end.
#include "daemon/net/host_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "test/support/run.h"

namespace rollwatch {
namespace {

using testing::Contains;
using testing::ElementsAre;

// A name server that answers for "slow" when it is let.
std::mutex name_server;
std::condition_variable name_server_moves;
bool answers_for_slow = false;
int asked_for_slow = 0, answered_for_slow = 0;

HostAddresses ask_name_server(const std::string& host) {
  std::unique_lock lock(name_server);
  if (host != "slow") return std::vector<std::string>{"192.0.2.1"};
  ++asked_for_slow;
  name_server_moves.notify_all();
  name_server_moves.wait(lock, [] { return answers_for_slow; });
  ++answered_for_slow;
  name_server_moves.notify_all();
  return Unexpected(std::string("no such host"));
}

class HostLookup : public testing::Test {
 protected:
  HostLookup() {
    const std::lock_guard lock(name_server);
    answers_for_slow = false;
    asked_for_slow = answered_for_slow = 0;
  }
  // No thread is left to look at what the next test has.
  ~HostLookup() override {
    let_slow_be_answered();
    std::unique_lock lock(name_server);
    name_server_moves.wait(lock, [] { return answered_for_slow == asked_for_slow; });
  }

  static void let_slow_be_answered() {
    const std::lock_guard lock(name_server);
    answers_for_slow = true;
    name_server_moves.notify_all();
  }
  static void wait_until_slow_is_asked_for() {
    std::unique_lock lock(name_server);
    name_server_moves.wait(lock, [] { return asked_for_slow > 0; });
  }
  void look_up(const std::string& host) {
    look_up_host(
        io_->get_executor(), host,
        [this, host](const HostAddresses& found) {
          told_.push_back(host + ": " + (found ? found->at(0) : found.error()));
        },
        ask_name_server);
  }

  std::optional<net::io_context> io_{std::in_place};
  std::vector<std::string> told_;
};

TEST_F(HostLookup, OneThatHangsKeepsNobodyFromAnother) {
  look_up("slow");
  wait_until_slow_is_asked_for();
  look_up("fast");
  EXPECT_TRUE(told_.empty()) << "never from within";
  run_until(*io_, [this] { return !told_.empty(); });
  EXPECT_THAT(told_, ElementsAre("fast: 192.0.2.1"));
  let_slow_be_answered();
  io_->restart();
  io_->run();  // which ends when nobody waits any more
  EXPECT_THAT(told_, ElementsAre("fast: 192.0.2.1", "slow: no such host"));
}

TEST_F(HostLookup, WhoAsksForTheSameNameMeanwhileGetsTheSameAnswer) {
  for (int i = 0; i < 3; ++i) look_up("slow");
  wait_until_slow_is_asked_for();
  look_up("slow");
  let_slow_be_answered();
  io_->run();
  EXPECT_EQ(told_.size(), 4U);
  EXPECT_EQ(asked_for_slow, 1);
  look_up("slow");
  io_->restart();
  io_->run();
  EXPECT_EQ(told_.size(), 5U);
  EXPECT_EQ(asked_for_slow, 2) << "nothing is kept";
}

TEST_F(HostLookup, TheEventLoopEndsWithoutIt) {
  look_up("slow");
  wait_until_slow_is_asked_for();
  io_.reset();
  let_slow_be_answered();
  EXPECT_TRUE(told_.empty());
}

TEST(FindHost, KnowsThisMachineAndNoneThatThereIsNot) {
  const HostAddresses here = find_host("localhost");
  ASSERT_TRUE(here);
  EXPECT_THAT(*here, Contains(testing::AnyOf("127.0.0.1", "::1")));
  const HostAddresses nowhere = find_host("no-such-host.invalid");
  ASSERT_FALSE(nowhere);
  EXPECT_NE(nowhere.error(), "");
}

}  // namespace
}  // namespace rollwatch
