// Calls from one node to another: answered, never taken, or taken and not answered.
#include "daemon/postgres/calls.h"

#include "test/postgres/nodes_fixture.h"

namespace rollwatch {
namespace {

class CallsTest : public NodesTest {
 protected:
  CallsTest() : a_(node("a", Millis{10'000})), b_(node("b", Millis{10'000})) {
    register_at(b_, rollout_id(1), "t1");
  }
  static Place place() { return place_of(registration(rollout_id(1), "t1").insert->spec); }
  PgCalls calls_of(Node& node, PgCalls::Answerer answerer = {}) {
    return PgCalls(io_.get_executor(), node.clock, node.store.pool(), node.members,
                   std::move(answerer));
  }

  Node& a_;
  Node& b_;
};

TEST_F(CallsTest, TheOwnerAnswers) {
  PgCalls a = calls_of(a_);
  PgCalls b = calls_of(b_, [&b = b_](std::string request) -> awaitable<std::string> {
    co_return request + " by " + std::to_string(b.members.number());
  });
  std::optional<std::string> answer;
  spawn(io_.get_executor(), "ask",
        [&]() -> awaitable<void> { answer = co_await a.ask(place(), "done", Millis{20'000}); });
  EXPECT_TRUE(until([&] {
    b.look();
    return answer.has_value();
  }));
  EXPECT_EQ(answer, "done by " + std::to_string(b_.members.number()));
  EXPECT_EQ(number("SELECT count(*) FROM calls"), 0);
}

TEST_F(CallsTest, WhatNobodyTookIsNotCarriedOut) {
  PgCalls a = calls_of(a_);
  EXPECT_EQ(wait(a.ask(place(), "x", Millis{10})), std::nullopt);
  EXPECT_EQ(number("SELECT count(*) FROM calls"), 0) << "nor later";
  const Place nowhere{"default", "checkout", "nowhere"};
  EXPECT_EQ(wait(a.ask(nowhere, "x", Millis{20'000})), std::nullopt);
}

TEST_F(CallsTest, WhatWasTakenAndNotAnsweredMayHaveBeenDone) {
  PgCalls a = calls_of(a_);
  bool taken = false;
  PgCalls b = calls_of(b_, [this, &taken](std::string) -> awaitable<std::string> {
    taken = true;
    Promise<bool> never(io_.get_executor());
    co_await never.get();
    co_return "";
  });
  bool may_be_done = false;
  spawn(io_.get_executor(), "ask", [&]() -> awaitable<void> {
    try {
      co_await a.ask(place(), "x", Millis{1'500});
    } catch (const NoAnswer&) {
      may_be_done = true;
    }
  });
  EXPECT_TRUE(until([&] {
    if (!taken) b.look();
    return may_be_done;
  }));
}

}  // namespace
}  // namespace rollwatch
