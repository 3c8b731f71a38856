// What becomes of orders: acknowledged, accepted, refused, expired, late, replaced.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

const auto kSoak = [](Plan& p) { p.soak = duration("1h"); };

TEST(OrdersTest, EveryEndOfEveryKind) {
  expect_stories({
      {"advance: done", {}, "begin ack", "analyzing step 0 (5 %) pending"},
      {"advance: accepted", {}, "begin accept", "analyzing pending, out: advance 5 %"},
      {"advance: accepted, then done", {}, "begin accept ack", "analyzing step 0 (5 %) pending"},
      {"advance: refused", {}, "begin refuse", "paused pending, asks: order_refused"},
      {"advance: expired", {}, "begin expire", "paused pending, asks: order_expired"},
      {"advance: accepted, then refused",
       {},
       "begin accept refuse",
       "paused pending, asks: order_refused"},
      {"advance: accepted, then expired",
       {},
       "begin accept expire",
       "paused pending, asks: order_expired"},
      {"next advance: done", {}, "begin ack pass*3 ack", "analyzing step 1 (25 %) pending"},
      {"next advance: refused",
       {},
       "begin ack pass*3 refuse",
       "paused step 0 (5 %) passing, asks: order_refused"},
      {"next advance: expired",
       {},
       "begin ack pass*3 expire",
       "paused step 0 (5 %) passing, asks: order_expired"},
      {"promote: done", {}, "begin ack pass*3 ack pass*3 ack", "promoted step 1 (100 %) passed"},
      {"promote: done, soaking", kSoak, "begin ack pass*3 ack pass*3 ack",
       "soaking step 1 (100 %) pending"},
      {"promote: accepted",
       {},
       "begin ack pass*3 ack pass*3 accept",
       "promoting step 1 (25 %) passing, out: promote 100 %"},
      {"promote: refused",
       {},
       "begin ack pass*3 ack pass*3 refuse",
       "paused step 1 (25 %) passing, asks: order_refused"},
      {"promote: expired",
       {},
       "begin ack pass*3 ack pass*3 expire",
       "paused step 1 (25 %) passing, asks: order_expired"},
      {"pause: done",
       {},
       "begin ack pause ack",
       "paused step 0 (5 %) pending, asks: person_paused"},
      {"pause: refused changes nothing",
       {},
       "begin ack pause refuse",
       "paused step 0 (5 %) pending, asks: person_paused"},
      {"pause: expired changes nothing",
       {},
       "begin ack pause expire",
       "paused step 0 (5 %) pending, asks: person_paused"},
      {"resume: done", {}, "begin ack pause resume ack", "analyzing step 0 (5 %) pending"},
      {"resume: refused changes nothing",
       {},
       "begin ack pause resume refuse",
       "analyzing step 0 (5 %) pending"},
      {"resume: expired changes nothing",
       {},
       "begin ack pause resume expire",
       "analyzing step 0 (5 %) pending"},
      {"resume: not acknowledged blocks nothing",
       {},
       "begin ack pause resume pass*3",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"rollback: done", {}, "begin ack fail*3 ack", "rolled_back step 0 (5 %) failed"},
      {"rollback: accepted",
       {},
       "begin ack fail*3 accept",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
      {"rollback: accepted, then done",
       {},
       "begin ack fail*3 accept ack",
       "rolled_back step 0 (5 %) failed"},
      {"rollback: refused", {}, "begin ack fail*3 refuse", "rollback_failed step 0 (5 %) failed"},
      {"rollback: expired", {}, "begin ack fail*3 expire", "rollback_failed step 0 (5 %) failed"},
      {"rollback: accepted, then expired",
       {},
       "begin ack fail*3 accept expire",
       "rollback_failed step 0 (5 %) failed"},
  });
}

TEST(OrdersTest, ALateAcknowledgementCountsAsLongAsNoLaterOrderWasGiven) {
  const auto two_fails = [](Plan& p) { p.conditions[0].on_fail = OnFail::kPause; };
  expect_stories({
      {"advance", {}, "begin expire late-ack", "analyzing step 0 (5 %) pending"},
      {"next advance", {}, "begin ack pass*3 expire late-ack", "analyzing step 1 (25 %) pending"},
      {"promote",
       {},
       "begin ack pass*3 ack pass*3 expire late-ack",
       "promoted step 1 (100 %) passed"},
      {"promote, soaking", kSoak, "begin ack pass*3 ack pass*3 expire late-ack",
       "soaking step 1 (100 %) pending"},
      {"a second time changes nothing",
       {},
       "begin ack pass*3 expire late-ack late-ack",
       "analyzing step 1 (25 %) pending"},
      {"and the rollout goes on",
       {},
       "begin expire late-ack pass*3",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"not of a refused one", {}, "begin refuse late-ack", "paused pending, asks: order_refused"},
      {"not after a person's yes",
       {},
       "begin ack pass*3 expire resume late-ack",
       "analyzing step 0 (5 %) pending"},
      {"not after a rollback",
       {},
       "begin ack pass*3 expire fail*3 ack",
       "rolled_back step 0 (5 %) failed"},
      {"a condition that failed meanwhile is asked about", two_fails,
       "begin ack pass*3 expire fail*3 late-ack",
       "paused step 1 (25 %) failed, asks: condition_failed, out: pause 25 %"},
  });
  Rollout r(error_rate());
  r.play("begin ack pass*3 expire resume");
  const unsigned stale = 2;
  ASSERT_EQ(r.orders.at(1).number, stale);
  r.order_ends(stale, OrderEnd::kDone);
  EXPECT_FALSE(r.last.changed());
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) pending, out: resume 5 %");
}

TEST(OrdersTest, WhatBecomesOfAnOlderOrderChangesNothing) {
  struct Row {
    const char* name;
    const char* story;
    unsigned order;
  };
  const Row rows[] = {
      {"a pause replaced an advance", "begin pause", 1},
      {"a rollback replaced an advance", "begin ack pass*3 fail*3", 2},
      {"a rollback replaced a promotion", "begin ack pass*3 ack pass*3 fail*3", 3},
      {"a promotion replaced an advance", "begin promote", 1},
      {"an order that was done", "begin ack pass*3", 1},
      {"an order of a rollout that ended", "begin cancel", 1},
      {"a superseded one's", "begin superseded", 1},
      {"an order that was never given", "begin", 77},
      {"no order", "begin ack", 0},
  };
  for (const Row& row : rows) {
    for (const OrderEnd end :
         {OrderEnd::kDone, OrderEnd::kAccepted, OrderEnd::kRefused, OrderEnd::kExpired}) {
      Rollout r(error_rate());
      r.play(row.story);
      const std::string before = r.show();
      r.order_ends(row.order, end);
      EXPECT_FALSE(r.last.changed()) << row.name;
      EXPECT_EQ(r.show(), before) << row.name;
    }
  }
}

TEST(OrdersTest, ALaterOrderWithdrawsTheOneThatIsOut) {
  struct Row {
    const char* name;
    const char* story;
    std::vector<unsigned> withdrawn;
    const char* ordered;
  };
  const Row rows[] = {
      {"a rollback an advance",
       "begin ack pass*3 fail*3",
       {2},
       "advance 5 %, advance 25 %, rollback 0 %"},
      {"a pause an advance", "begin pause", {1}, "advance 5 %, pause 0 %"},
      {"a yes gives it again", "begin pause resume", {1, 2}, "advance 5 %, pause 0 %, advance 5 %"},
      {"an accepted one, too", "begin accept pause", {1}, "advance 5 %, pause 0 %"},
      {"a pause that was done is not",
       "begin ack pause ack resume",
       {},
       "advance 5 %, pause 5 %, resume 5 %"},
      {"a promotion an advance", "begin promote", {1}, "advance 5 %, promote 100 %"},
      {"cancelling all", "begin cancel", {1}, "advance 5 %"},
      {"superseding all", "begin ack pass*3 superseded", {2}, "advance 5 %, advance 25 %"},
      {"a refused one is gone already", "begin refuse resume", {}, "advance 5 %, advance 5 %"},
      {"an approval is one order, not two",
       "begin ack pass*3 pause ack resume pass*3",
       {2, 4},
       "advance 5 %, advance 25 %, pause 5 %, resume 5 %, advance 25 %"},
  };
  for (const Row& row : rows) {
    Rollout r(error_rate());
    r.play(row.story);
    EXPECT_EQ(r.withdrawn, row.withdrawn) << row.name;
    EXPECT_EQ(r.ordered(), row.ordered) << row.name;
  }
}

TEST(OrdersTest, EachBelongsToItsDecision) {
  Plan plan = error_rate();
  plan.steps[0].approve = true;
  Rollout r(plan);
  r.play("begin ack pass*3 resume ack pass*3 fail*3");
  ASSERT_EQ(r.orders.size(), 5U) << r.ordered();
  for (const Order& order : r.orders) {
    ASSERT_GE(order.decision, 1U);
    ASSERT_LE(order.decision, r.decisions.size());
    const Decision& decision = r.decisions[order.decision - 1];
    EXPECT_EQ(decision.number, order.decision);
    EXPECT_EQ(decision.kind, order.kind);
  }
}

TEST(OrdersTest, NothingIsAskedOnceARollbackIsDecided) {
  Rollout r(error_rate());
  r.play("begin ack fail*3");
  EXPECT_FALSE(next_slot(r.plan().conditions[0], r.state.conditions[0], Millis(0)));
  const std::int64_t last = r.of("error-rate").last_slot;
  r.happens(
      SlotAnswered{0, last + 1, r.now, Answer{Scalar{0}, {}, false, nullptr, {}}, std::nullopt});
  EXPECT_FALSE(r.last.changed());
}

TEST(OrdersTest, TheReceiversWordsAreTold) {
  Rollout r(error_rate());
  r.play("begin ack pass*3");
  r.order_ends(2, OrderEnd::kRefused, "cluster is\nfrozen");
  EXPECT_EQ(r.state.reason, "advance to 25 % was refused: cluster is frozen");
  EXPECT_EQ(r.state.question->text, r.state.reason);

  Rollout lost(error_rate());
  lost.play("begin ack fail*3 expire");
  EXPECT_EQ(lost.state.reason, "rollback failed: rollback was not acknowledged in time");
  EXPECT_TRUE(lost.state.ended_at);
}

TEST(OrdersTest, WithoutAnOrchestratorDecisionsTakeEffectAtOnce) {
  expect_stories(
      {
          {"it waits for the first weight", {}, "begin", "analyzing pending"},
          {"which is reported", {}, "begin report=5", "analyzing step 0 (5 %) pending"},
          {"steps move only by reports",
           {},
           "begin report=5 pass*9",
           "analyzing step 0 (5 %) passing"},
          {"they do", {}, "begin report=5 pass*9 report=25", "analyzing step 1 (25 %) pending"},
          {"the last step's end promotes",
           {},
           "begin report=25 pass*3",
           "promoted step 1 (100 %) passed"},
          {"and begins the soak", kSoak, "begin report=25 pass*3",
           "soaking step 1 (100 %) pending"},
          {"a failed condition rolls back",
           {},
           "begin report=5 fail*3",
           "rolled_back step 0 (5 %) failed"},
          {"from the soak, too", kSoak, "begin report=25 pass*3 fail*3",
           "rolled_back step 1 (100 %) failed"},
          {"a person promotes", {}, "begin report=5 promote", "promoted step 1 (100 %) passed"},
          {"a person rolls back",
           {},
           "begin report=5 rollback",
           "rolled_back step 0 (5 %) pending"},
          {"a pause has no order",
           {},
           "begin report=5 pause",
           "paused step 0 (5 %) pending, asks: person_paused"},
          {"nor has its end", {}, "begin report=5 pause resume", "analyzing step 0 (5 %) pending"},
          {"paused before the first report", {}, "begin pause resume", "analyzing pending"},
          {"without conditions only reports count", [](Plan& p) { p.conditions.clear(); },
           "begin report=5 wait=1h", "analyzing step 0 (5 %) pending"},
          {"but at the end a person", [](Plan& p) { p.conditions.clear(); },
           "begin report=25 wait=30s", "paused step 1 (25 %) pending, asks: nothing_measured"},
          {"a duration", [](Plan& p) { p = for_duration("30s"); }, "begin pass*3",
           "promoted step 0 passed"},
      },
      "");
  Rollout r(error_rate(), "");
  r.play("begin report=5 fail*3");
  EXPECT_EQ(r.ordered(), "");
  EXPECT_EQ(r.state.reached_weight, 0);
  EXPECT_TRUE(r.state.ended_at);
}

}  // namespace
}  // namespace rollwatch
