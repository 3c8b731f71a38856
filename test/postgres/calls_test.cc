// Calls from one node to another: answered, never taken, or taken and not answered.
#include "daemon/postgres/calls.h"

#include "test/postgres/nodes_fixture.h"
#include "test/support/relay.h"

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

  // The same number, by way of the server; sent once.
  std::int64_t asked(PgPool& pool, int number) {
    const auto ask = [&pool, number]() -> awaitable<std::int64_t> {
      PgStatement statement = pg("SELECT $1::bigint", number);
      const PgRows rows = co_await pool.ask_once(std::move(statement));
      co_return rows.integer(0, 0);
    };
    return wait<std::int64_t>(ask());
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

// The call was placed, and the answer to that was lost with the connection. Placed once more, an
// `advance` would go two steps.
TEST_F(CallsTest, ACallWhosePlacingIsNotKnownIsNotPlacedAgain) {
  Relay relay(postgres().port());
  std::string by_relay = url_;
  const std::string port = ":" + std::to_string(postgres().port());
  by_relay.replace(by_relay.find(port), port.size(), ":" + std::to_string(relay.port()));
  PgPool pool(io_.get_executor(), {by_relay}, 1);
  EXPECT_EQ(asked(pool, 1), 1);  // so that its connection has been used before
  PgCalls a(io_.get_executor(), a_.clock, pool, a_.members, {});
  relay.cut_answers();
  bool may_be_done = false;
  spawn(io_.get_executor(), "ask", [&]() -> awaitable<void> {
    try {
      co_await a.ask(place(), "x", Millis{20'000});
    } catch (const NoAnswer&) {
      may_be_done = true;
    }
  });
  ASSERT_TRUE(until([&] { return number("SELECT count(*) FROM calls") == 1; }));
  relay.hang_up();
  EXPECT_TRUE(until([&] { return may_be_done; }));
  relay.mend();
  EXPECT_EQ(number("SELECT count(*) FROM calls"), 1);
}

// The server was restarted: that is seen before anything is sent, so it can be.
TEST_F(CallsTest, AConnectionThatWasLostWhileIdleCostsNothing) {
  PgPool pool(io_.get_executor(), {url_}, 1);
  EXPECT_EQ(asked(pool, 1), 1);
  number(
      "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname ="
      " current_database() AND pid <> pg_backend_pid()");  // waits until they have ended
  EXPECT_EQ(asked(pool, 2), 2);
}

}  // namespace
}  // namespace rollwatch
