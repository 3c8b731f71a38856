// What the orchestrator reports on its own account, and what other rollouts of the target do.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

const auto kHourOfSoak = [](Plan& p) { p.soak = duration("1h"); };

TEST(WeightReportedTest, IsAlwaysBelieved) {
  const auto approving = [](Plan& p) { p.steps[0].approve = true; };
  const auto from_zero = [](Plan& p) {
    p.steps.insert(p.steps.begin(), {0, duration("30s"), false});
  };
  const auto pausing = [](Plan& p) {
    p.soak = duration("1h");
    p.conditions[0].on_fail = OnFail::kPause;
  };
  expect_stories({
      {"the weight that is ordered is its acknowledgement",
       {},
       "begin report=5",
       "analyzing step 0 (5 %) pending"},
      {"of the next step", {}, "begin ack pass*3 report=25", "analyzing step 1 (25 %) pending"},
      {"more than the step's is the step",
       {},
       "begin ack report=30",
       "analyzing step 1 (25 %) pending"},
      {"between two steps is the lower",
       {},
       "begin ack report=24",
       "analyzing step 0 (5 %) pending"},
      {"a step ahead", {}, "begin report=25", "analyzing step 1 (25 %) pending"},
      {"a step back", {}, "begin ack pass*3 ack report=5", "analyzing step 0 (5 %) pending"},
      {"a step back, the promotion out",
       {},
       "begin ack pass*3 ack pass*3 report=5",
       "analyzing step 0 (5 %) pending"},
      {"the current one leaves the order out",
       {},
       "begin ack pass*3 report=5",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"also the promotion",
       {},
       "begin ack pass*3 ack pass*3 report=25",
       "promoting step 1 (25 %) passing, out: promote 100 %"},
      {"all of it begins the soak", kHourOfSoak, "begin ack report=100",
       "soaking step 1 (100 %) pending"},
      {"all of it, before the first step", kHourOfSoak, "begin report=100",
       "soaking step 1 (100 %) pending"},
      {"all of it, without a soak", {}, "begin ack report=100", "promoted step 1 (100 %) passed"},
      {"all of it, as ordered",
       {},
       "begin ack pass*3 ack pass*3 report=100",
       "promoted step 1 (100 %) passed"},
      {"all of it again", kHourOfSoak, "begin ack report=100 pass report=100",
       "soaking step 1 (100 %) passing"},
      {"back from the soak", kHourOfSoak, "begin ack report=100 pass report=25",
       "analyzing step 1 (25 %) pending"},
      {"further back from the soak", kHourOfSoak, "begin ack report=100 pass report=5",
       "analyzing step 0 (5 %) pending"},
      {"none ends it", {}, "begin ack report=0", "rolled_back step 0 (5 %) pending"},
      {"less than the first step's ends it",
       {},
       "begin ack report=4.9",
       "rolled_back step 0 (5 %) pending"},
      {"none from the soak", kHourOfSoak, "begin ack report=100 report=0",
       "rolled_back step 1 (100 %) pending"},
      {"none while paused", {}, "begin ack pause report=0", "rolled_back step 0 (5 %) pending"},
      {"none before the first step says nothing",
       {},
       "begin report=0",
       "analyzing pending, out: advance 5 %"},
      {"none is a step of the plan", from_zero, "begin report=0", "analyzing step 0 (0 %) pending"},
      {"rolling back: none is its acknowledgement",
       {},
       "begin ack fail*3 report=0",
       "rolled_back step 0 (5 %) failed"},
      {"rolling back: anything else is of no consequence",
       {},
       "begin ack fail*3 report=25",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
      {"rolling back: not even all of it",
       {},
       "begin ack fail*3 report=100",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
      {"paused by a person: stays so",
       {},
       "begin ack pause report=25",
       "paused step 1 (25 %) pending, asks: person_paused, out: pause 5 %"},
      {"the approval is given by the fact", approving, "begin ack pass*3 report=25",
       "analyzing step 1 (25 %) pending"},
      {"but not by where it is", approving, "begin ack pass*3 report=5",
       "paused step 0 (5 %) passing, asks: approve_step, out: pause 5 %"},
      {"an expired order that took effect",
       {},
       "begin ack pass*3 expire report=25",
       "analyzing step 1 (25 %) pending"},
      {"a refused one that did all the same",
       {},
       "begin ack pass*3 refuse report=25",
       "analyzing step 1 (25 %) pending"},
      {"an expired promotion that did",
       {},
       "begin ack pass*3 ack pass*3 expire report=100",
       "promoted step 1 (100 %) passed"},
      {"what failed in the soak is asked about", pausing, "begin ack report=100 fail*3 report=25",
       "paused step 1 (25 %) failed, asks: condition_failed, out: pause 25 %"},
  });
}

TEST(WeightReportedTest, SettlesOrWithdrawsTheOrderThatIsOut) {
  struct Row {
    const char* name;
    const char* story;
    double weight;
    std::vector<unsigned> settled;
    std::vector<unsigned> withdrawn;
  };
  const Row rows[] = {
      {"the same", "begin", 5, {1}, {}},
      {"the same step", "begin", 7, {1}, {}},
      {"further", "begin", 25, {}, {1}},
      {"back", "begin ack pass*3 ack pass*3", 5, {}, {3}},
      {"the current one", "begin ack pass*3", 5, {}, {}},
      {"all, which is ordered", "begin promote", 100, {2}, {}},
      {"all, which is not", "begin", 100, {}, {1}},
      {"none, which is ordered", "begin ack fail*3", 0, {2}, {}},
      {"none, which is not", "begin ack pass*3", 0, {}, {2}},
      {"none is ordered", "begin ack", 25, {}, {}},
  };
  for (const Row& row : rows) {
    Rollout r(error_rate());
    r.play(row.story);
    r.withdrawn.clear();
    EXPECT_EQ(r.report(row.weight), "") << row.name;
    EXPECT_EQ(r.last.settled, row.settled) << row.name;
    EXPECT_EQ(r.withdrawn, row.withdrawn) << row.name;
  }
}

TEST(WeightReportedTest, CountsFromWhenItWasReached) {
  Rollout r(error_rate());
  r.play("begin ack pass wait=5m");
  const SysTime since = r.now - duration("2m");
  r.happens(WeightReported{25, since, "argo"});
  EXPECT_EQ(r.state.step_since, since);
  EXPECT_EQ(r.state.hold_since, since);
  r.happens(WeightReported{5, r.now + duration("1h"), "argo"});
  EXPECT_EQ(r.state.step_since, r.now) << "never from the future";
}

// The first step was reached long ago, but nobody was told: what was due since then was never asked
// for.
TEST(WeightReportedTest, WatchingBeginsNowAtTheEarliest) {
  Plan plan = error_rate();
  plan.patience = duration("1m");
  Rollout r(plan, "");
  r.begin();
  r.happens(WeightReported{5, r.now - duration("1h"), "argo"});
  const auto next = next_slot(plan.conditions[0], r.state.conditions[0], Millis(0));
  ASSERT_TRUE(next);
  EXPECT_GE((Grid{Millis(0), duration("10s")}.at(*next)), r.now);
  r.play("pass");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing");
}

TEST(WeightReportedTest, IsRefusedWhereItSaysNothing) {
  struct Row {
    const char* story;
    const char* refusal;
  };
  const Row rows[] = {
      {"", "it has not begun: it begins at once"},
      {"begin cancel", "it is cancelled already"},
      {"begin ack fail*3 ack", "it is rolled_back already"},
  };
  for (const Row& row : rows) {
    Rollout r(error_rate());
    r.play(row.story);
    EXPECT_EQ(r.report(25), row.refusal);
  }
}

TEST(WeightReportedTest, ItsSenderIsNamed) {
  Rollout r(error_rate());
  r.play("begin ack report=25");
  EXPECT_EQ(r.last.events.front().summary, "25 % reported by argo");
  EXPECT_EQ(r.last.events.front().by, "argo");
  r.play("report=0");
  EXPECT_EQ(r.state.reason, "0 % reported by argo");
  EXPECT_EQ(r.state.reached_weight, 0);
}

TEST(SupersededTest, InEveryState) {
  const auto approving = [](Plan& p) { p.approve_start = true; };
  expect_stories({
      {"waiting", {}, "superseded", "superseded pending"},
      {"waiting for an approval", approving, "superseded", "superseded pending"},
      {"analyzing", {}, "begin ack pass superseded", "superseded step 0 (5 %) passing"},
      {"an order out", {}, "begin superseded", "superseded pending"},
      {"paused", {}, "begin ack pause superseded", "superseded step 0 (5 %) pending"},
      {"promoting",
       {},
       "begin ack pass*3 ack pass*3 superseded",
       "superseded step 1 (25 %) passing"},
      {"soaking ends promoted", kHourOfSoak, "begin ack promote ack superseded",
       "promoted step 1 (100 %) passed"},
      {"rolling back is waited for",
       {},
       "begin ack fail*3 superseded",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
      {"promoted stays", {}, "begin report=100 superseded", "promoted step 1 (100 %) passed"},
      {"rolled back stays",
       {},
       "begin ack fail*3 ack superseded",
       "rolled_back step 0 (5 %) failed"},
      {"rollback failed stays",
       {},
       "begin ack fail*3 refuse superseded",
       "rollback_failed step 0 (5 %) failed"},
      {"cancelled stays", {}, "cancel superseded", "cancelled pending"},
  });
  Rollout r(error_rate());
  r.play("begin ack superseded");
  EXPECT_EQ(r.state.reason, "superseded by a newer rollout (1.25, ro_2)");
  EXPECT_TRUE(r.state.ended_at);
}

TEST(PredecessorTest, IsWaitedForWhileItRollsBack) {
  Rollout r(error_rate());
  r.happens(PredecessorRollingBack{true});
  EXPECT_EQ(r.state.waits_for, "waits for an earlier rollout of this target to be rolled back");
  r.begin();
  EXPECT_EQ(r.show(), "waiting pending");
  EXPECT_FALSE(r.last.changed());
  r.happens(PredecessorRollingBack{true});
  EXPECT_FALSE(r.last.changed()) << "told once";
  r.happens(PredecessorRollingBack{false});
  EXPECT_EQ(r.show(), "waiting pending");
  r.begin();
  EXPECT_EQ(r.show(), "analyzing pending, out: advance 5 %");
  r.happens(PredecessorRollingBack{true});
  EXPECT_FALSE(r.last.changed()) << "it has begun";
}

TEST(PredecessorTest, TheApprovalIsStillAskedFor) {
  Plan plan = error_rate();
  plan.approve_start = true;
  Rollout r(plan);
  r.happens(PredecessorRollingBack{true});
  r.happens(PredecessorRollingBack{false});
  r.begin();
  EXPECT_EQ(r.show(), "waiting pending, asks: approve_start");
  EXPECT_EQ(r.state.waits_for, "waits for an approval to start");
}

TEST(BeginTest, OnlyOnce) {
  for (const char* story :
       {"begin", "begin ack", "begin ack pause", "begin ack fail*3", "begin cancel"}) {
    Rollout r(error_rate());
    r.play(story);
    r.begin();
    EXPECT_FALSE(r.last.changed()) << story;
  }
}

}  // namespace
}  // namespace rollwatch
