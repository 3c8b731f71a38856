// Steps: how they begin, hold and end, and that nothing is promoted without evidence.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

TEST(StepsTest, FromRegistrationToPromotion) {
  Rollout r(error_rate());
  EXPECT_EQ(r.show(), "waiting pending");
  r.begin();
  EXPECT_EQ(r.show(), "analyzing pending, out: advance 5 %");
  r.ack();
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) pending");
  r.play("pass pass");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing");
  r.play("pass");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing, out: advance 25 %");
  r.play("ack pass pass pass");
  EXPECT_EQ(r.show(), "promoting step 1 (25 %) passing, out: promote 100 %");
  r.play("ack");
  EXPECT_EQ(r.show(), "promoted step 1 (100 %) passed");
  EXPECT_EQ(r.decided(), "advance advance promote");
  EXPECT_EQ(r.ordered(), "advance 5 %, advance 25 %, promote 100 %");
  EXPECT_EQ(r.state.ended_at, r.now);
  EXPECT_EQ(r.state.reached_weight, 100);
  EXPECT_TRUE(r.withdrawn.empty());
}

TEST(StepsTest, HowAStepEnds) {
  expect_stories({
      {"not before its order is acknowledged",
       {},
       "begin wait=1h",
       "analyzing pending, out: advance 5 %"},
      {"its clock starts when it is acknowledged",
       {},
       "begin wait=10m ack pass pass",
       "analyzing step 0 (5 %) passing"},
      {"accepted is not acknowledged",
       {},
       "begin accept wait=1h",
       "analyzing pending, out: advance 5 %"},
      {"not before its hold has passed",
       {},
       "begin ack pass pass",
       "analyzing step 0 (5 %) passing"},
      {"nor by time alone", {}, "begin ack pass pass wait=2h", "analyzing step 0 (5 %) passing"},
      {"not with a failing latest slot",
       {},
       "begin ack pass pass fail",
       "analyzing step 0 (5 %) failing"},
      {"but with the next pass",
       {},
       "begin ack pass pass fail pass",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"not without an answer", {}, "begin ack pass pass empty", "analyzing step 0 (5 %) unknown"},
      {"nor on an error", {}, "begin ack pass pass error", "analyzing step 0 (5 %) unknown"},
      {"nor on a missed slot", {}, "begin ack pass pass missed", "analyzing step 0 (5 %) unknown"},
      {"nor on a NaN", {}, "begin ack pass pass nan", "analyzing step 0 (5 %) unknown"},
      {"without a hold at the first pass", [](Plan& p) { p.steps[0].hold = Millis(0); },
       "begin ack pass", "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"without a hold not before it", [](Plan& p) { p.steps[0].hold = Millis(0); },
       "begin ack wait=1h", "analyzing step 0 (5 %) pending"},
      {"min_passes are counted", [](Plan& p) { p.conditions[0].min_passes = 5; },
       "begin ack pass*4", "analyzing step 0 (5 %) pending"},
      {"min_passes reached", [](Plan& p) { p.conditions[0].min_passes = 5; }, "begin ack pass*5",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"min_passes need not be consecutive", [](Plan& p) { p.conditions[0].min_passes = 3; },
       "begin ack pass fail pass empty pass", "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"min_passes are counted in each step", [](Plan& p) { p.conditions[0].min_passes = 5; },
       "begin ack pass*5 ack pass*4", "analyzing step 1 (25 %) pending"},
      {"inconclusive holds back",
       [](Plan& p) { threshold(p.conditions[0]).rule.pass_if = comparison("< 0.02"); },
       "begin ack pass pass between between", "analyzing step 0 (5 %) pending"},
      {"and a pass goes on",
       [](Plan& p) { threshold(p.conditions[0]).rule.pass_if = comparison("< 0.02"); },
       "begin ack between*4 pass", "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"few events lengthen the step", [](Plan& p) { counting_events(p.conditions[0]); },
       "begin ack pass few*20", "analyzing step 0 (5 %) pending"},
  });
}

TEST(StepsTest, EveryGatingConditionMustPass) {
  const auto latency = [](Plan& p) { p.conditions.push_back(condition("latency", "> 0.05")); };
  const auto observed = [](Plan& p) {
    p.conditions.push_back(condition("latency", "> 0.05"));
    p.conditions.back().on_fail = OnFail::kObserve;
  };
  const auto only_at_25 = [](Plan& p) {
    p.conditions.push_back(condition("latency", "> 0.05"));
    p.conditions.back().steps = {25};
  };
  expect_stories({
      {"the other one is not asked yet", latency, "begin ack pass*5",
       "analyzing step 0 (5 %) pending"},
      {"both pass", latency, "begin ack pass*3 latency:pass*3",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"the other one fails", latency, "begin ack latency:fail pass*5",
       "analyzing step 0 (5 %) failing"},
      {"the other one has no answer", latency, "begin ack latency:pass*2 latency:empty pass*5",
       "analyzing step 0 (5 %) unknown"},
      {"an observing one holds nothing back", observed, "begin ack latency:fail pass*3",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"one that does not apply yet holds nothing back", only_at_25, "begin ack pass*3",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"but in its step", only_at_25, "begin ack pass*3 ack pass*5",
       "analyzing step 1 (25 %) pending"},
      {"and passes there", only_at_25, "begin ack pass*3 ack pass*3 latency:pass*3",
       "promoting step 1 (25 %) passing, out: promote 100 %"},
  });
}

TEST(StepsTest, WithoutGatingConditionsTheHoldDecides) {
  const auto from_25_on = [](Plan& p) { p.conditions[0].steps = {25}; };
  const auto none = [](Plan& p) { p.conditions.clear(); };
  expect_stories({
      {"not before it", from_25_on, "begin ack wait=29s", "analyzing step 0 (5 %) pending"},
      {"when it has passed", from_25_on, "begin ack wait=30s",
       "analyzing step 0 (5 %) pending, out: advance 25 %"},
      {"the next step asks for evidence", from_25_on, "begin ack wait=30s ack wait=1h",
       "analyzing step 1 (25 %) pending"},
      {"which it gets", from_25_on, "begin ack wait=30s ack pass*3",
       "promoting step 1 (25 %) passing, out: promote 100 %"},
      {"without any condition nothing is promoted by itself", none,
       "begin ack wait=30s ack wait=30s",
       "paused step 1 (25 %) pending, asks: nothing_measured, out: pause 25 %"},
      {"a person may", none, "begin ack wait=30s ack wait=30s resume",
       "promoting step 1 (25 %) pending, out: promote 100 %"},
  });
}

TEST(StepsTest, NothingMeasuredIsNeverPromoted) {
  const auto ignore = [](Plan& p) {
    p.conditions[0].on_no_data = p.conditions[0].on_error = OnMissing::kIgnore;
  };
  const auto observe_only = [](Plan& p) { p.conditions[0].on_fail = OnFail::kObserve; };
  const auto two_ignore = [](Plan& p) {
    p.conditions[0].on_no_data = OnMissing::kIgnore;
    p.conditions.push_back(condition("latency", "> 0.05"));
    p.conditions[1].on_no_data = OnMissing::kIgnore;
  };
  expect_stories({
      {"no data, ignored", ignore, "begin ack empty*100", "analyzing step 0 (5 %) pending"},
      {"errors, ignored", ignore, "begin ack error*100", "analyzing step 0 (5 %) pending"},
      {"one pass in the step is evidence", ignore, "begin ack pass empty empty",
       "analyzing step 0 (5 %) pending, out: advance 25 %"},
      {"but not in the next step", ignore, "begin ack pass empty empty ack empty*100",
       "analyzing step 1 (25 %) pending"},
      {"another condition's pass is evidence", two_ignore, "begin ack empty latency:pass*3 empty*2",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"neither has an answer", two_ignore, "begin ack empty*9 latency:empty*9",
       "analyzing step 0 (5 %) pending"},
      {"observing and never answered", observe_only, "begin ack wait=30s ack wait=30s",
       "paused step 1 (25 %) pending, asks: nothing_measured, out: pause 25 %"},
      {"observing and measured", observe_only, "begin ack pass wait=30s ack wait=30s",
       "promoting step 1 (25 %) pending, out: promote 100 %"},
      {"all are missed", {}, "begin ack missed*20", "analyzing step 0 (5 %) unknown"},
  });
}

TEST(StepsTest, DurationIsOneStepWithoutAWeight) {
  const auto five_minutes = [](Plan& p) { p = for_duration("30s"); };
  expect_stories({
      {"it begins at once", five_minutes, "begin", "analyzing step 0 pending"},
      {"and is watched", five_minutes, "begin pass*2", "analyzing step 0 passing"},
      {"then promoted", five_minutes, "begin pass*3",
       "promoting step 0 passing, out: promote 100 %"},
      {"acknowledged", five_minutes, "begin pass*3 ack", "promoted step 0 passed"},
      {"or rolled back", five_minutes, "begin fail*3",
       "rolling_back step 0 failed, out: rollback 0 %"},
      {"nothing measured",
       [](Plan& p) {
         p = for_duration("30s");
         p.conditions.clear();
       },
       "begin wait=1h", "paused step 0 pending, asks: nothing_measured, out: pause 0 %"},
  });
}

TEST(StepsTest, Approvals) {
  const auto start = [](Plan& p) { p.approve_start = true; };
  const auto step = [](Plan& p) { p.steps[0].approve = true; };
  const auto promote = [](Plan& p) { p.approve_promote = true; };
  expect_stories({
      {"to start: waits", start, "begin wait=1h", "waiting pending, asks: approve_start"},
      {"to start: approved, then nothing stands before it", start, "resume begin",
       "analyzing pending, out: advance 5 %"},
      {"to start: approved, not begun", start, "resume", "waiting pending"},
      {"at the end of a step", step, "begin ack pass*3",
       "paused step 0 (5 %) passing, asks: approve_step, out: pause 5 %"},
      {"it goes on at once when approved", step, "begin ack pass*3 resume",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"not asked before the end", step, "begin ack pass*2", "analyzing step 0 (5 %) passing"},
      {"still watched while it asks", step, "begin ack pass*3 fail*3",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
      {"not lifted by passes", step, "begin ack pass*30",
       "paused step 0 (5 %) passing, asks: approve_step, out: pause 5 %"},
      {"before the last order", promote, "begin ack pass*3 ack pass*3",
       "paused step 1 (25 %) passing, asks: approve_promote, out: pause 25 %"},
      {"promoted when approved", promote, "begin ack pass*3 ack pass*3 resume",
       "promoting step 1 (25 %) passing, out: promote 100 %"},
      {"a step that asks and a promotion that asks ask once",
       [](Plan& p) { p.approve_promote = p.steps[1].approve = true; },
       "begin ack pass*3 ack pass*3 resume", "promoting step 1 (25 %) passing, out: promote 100 %"},
  });
}

TEST(StepsTest, Soaking) {
  const auto soak = [](Plan& p) {
    p.steps = {{5, Millis(0), false}};
    p.soak = duration("1m");
  };
  expect_stories({
      {"begins when the promotion is acknowledged", soak, "begin ack pass ack",
       "soaking step 0 (100 %) pending"},
      {"goes on being watched", soak, "begin ack pass ack pass", "soaking step 0 (100 %) passing"},
      {"ends with the slot of its end", soak, "begin ack pass ack pass*6 wait=0s",
       "promoted step 0 (100 %) passed"},
      {"not before", soak, "begin ack pass ack pass*5 wait=10s", "soaking step 0 (100 %) passing"},
      {"missing answers delay nothing", soak, "begin ack pass ack empty*6 wait=0s",
       "promoted step 0 (100 %) passed"},
      {"nor do missed slots", soak, "begin ack pass ack missed*6 wait=0s",
       "promoted step 0 (100 %) passed"},
      {"a slot that never ends holds it up for an hour", soak,
       "begin ack pass ack pass*5 wait=1h10s", "promoted step 0 (100 %) passed"},
      {"and not longer", soak, "begin ack pass ack pass*5 wait=1h9s",
       "soaking step 0 (100 %) passing"},
      {"a failed condition rolls back", soak, "begin ack pass ack fail*3",
       "rolling_back step 0 (100 %) failed, out: rollback 0 %"},
      {"fails are counted on", soak, "begin ack pass fail fail",
       "promoting step 0 (5 %) failing, out: promote 100 %"},
      {"over the promotion", soak, "begin ack pass fail fail ack fail",
       "rolling_back step 0 (100 %) failed, out: rollback 0 %"},
      {"on_fail = pause only tells",
       [](Plan& p) {
         p.steps = {{5, Millis(0), false}};
         p.soak = duration("1m");
         p.conditions[0].on_fail = OnFail::kPause;
       },
       "begin ack pass ack fail*3", "soaking step 0 (100 %) failed"},
      {"a newer rollout ends it promoted", soak, "begin ack pass ack superseded",
       "promoted step 0 (100 %) passed"},
  });
}

// With a delay of five minutes a soak of four was over before any of it had been looked at, and a
// release that was bad only at 100 % ended promoted.
TEST(StepsTest, ASoakLastsUntilAllOfItWasLookedAt) {
  struct Row {
    const char* name;
    const char* soak;
    const char* story;  // after the acknowledgement of the promotion
    const char* ends;
    const char* reason;
  };
  const Row rows[] = {
      {"nothing was looked at by its end", "4m", "wait=4m", "soaking step 0 (100 %) pending",
       nullptr},
      {"nor is it over before the last slot", "4m", "pass*53 wait=0s",
       "soaking step 0 (100 %) passing", nullptr},
      {"what failed in it is seen", "4m", "pass*51 fail*3",
       "rolling_back step 0 (100 %) failed, out: rollback 0 %", nullptr},
      {"then it ends", "4m", "pass*54 wait=0s", "promoted step 0 (100 %) passed",
       "promoted, and watched for 4m after it"},
      {"without a single answer it says so", "4m", "pass*30 empty*20 error*2 missed*2 wait=0s",
       "promoted step 0 (100 %) passed",
       "promoted; in the 4m after it no condition gave an answer"},
      {"one is enough", "4m", "pass*31 empty*23 wait=0s", "promoted step 0 (100 %) passed",
       "promoted, and watched for 4m after it"},
      {"too short for a slot", "5s", "pass*30 wait=0s", "promoted step 0 (100 %) passed",
       "promoted; in the 5s after it no condition gave an answer"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Plan plan = error_rate();
    plan.steps = {{5, Millis(0), false}};
    plan.soak = duration(row.soak);
    Rollout r(plan);
    r.delay = duration("5m");
    r.play("begin ack pass ack");
    r.play(row.story);
    EXPECT_EQ(r.show(), row.ends);
    if (row.reason != nullptr) {
      EXPECT_EQ(r.state.reason, row.reason);
    }
  }
}

TEST(StepsTest, ASoakThatOneConditionNeverSawNamesIt) {
  Plan plan = two_steps({condition("error-rate", "> 0.05"), condition("latency", "> 1")});
  plan.steps = {{5, Millis(0), false}};
  plan.soak = duration("1m");
  Rollout r(plan);
  r.play("begin ack pass latency:pass ack");
  for (int i = 0; i < 6; ++i) r.play("pass latency:empty");
  r.play("wait=0s");
  EXPECT_EQ(r.state.reason,
            "promoted, and watched for 1m after it, but there was no answer for latency");
}

TEST(StepsTest, MissingAnswersInTheSoakAreToldOnce) {
  Plan plan = error_rate();
  plan.steps = {{5, Millis(0), false}};
  plan.soak = duration("1h");
  plan.patience = duration("1m");
  Rollout r(plan);
  r.play("begin ack pass ack pass empty*6");
  const int told_before = r.told(EventType::kNote);
  r.play("empty");
  EXPECT_EQ(r.told(EventType::kNote), told_before + 1);
  EXPECT_EQ(r.events.back().condition, "error-rate");
  r.play("error*20");
  EXPECT_EQ(r.told(EventType::kNote), told_before + 1);
  EXPECT_EQ(r.show(), "soaking step 0 (100 %) unknown");
  r.play("pass empty*7");
  EXPECT_EQ(r.told(EventType::kNote), told_before + 2) << "the next silence is another one";
}

// A window that reaches back before the step can fail, but is no evidence for it.
TEST(StepsTest, OnlyWindowsOfTheStepCount) {
  Plan plan = error_rate();
  windowed(plan.conditions[0], "1m");
  Rollout r(plan);
  r.play("begin ack");
  const SysTime began = r.now;
  r.play("pass");
  EXPECT_EQ(r.now - began, duration("1m")) << "the first slot has a whole window";
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing, out: advance 25 %");

  r.play("ack pass*5");
  EXPECT_EQ(r.show(), "analyzing step 1 (25 %) pending") << "the slots go on, but reach back";
  EXPECT_EQ(r.of("error-rate").counts[static_cast<std::size_t>(Outcome::kInconclusive)], 5U);
  r.play("pass");
  EXPECT_EQ(r.show(), "promoting step 1 (25 %) passing, out: promote 100 %");

  Rollout failing(plan);
  failing.play("begin ack pass ack fail*3");
  EXPECT_EQ(failing.show(), "rolling_back step 1 (25 %) failed, out: rollback 0 %");
}

TEST(StepsTest, TheFirstSlotWaitsForTheInitialDelayOnce) {
  Plan plan = error_rate();
  plan.conditions[0].initial_delay = duration("5m");
  Rollout r(plan);
  r.play("begin ack");
  const SysTime began = r.now;
  r.play("pass");
  EXPECT_EQ(r.now - began, duration("5m10s")) << "and one interval";
  r.play("ack");
  const SysTime second = r.now;
  r.play("pass");
  EXPECT_EQ(r.now - second, duration("10s"));
}

TEST(StepsTest, ObserveIsPromotedAtOnceAndOnlyWatched) {
  Plan plan = error_rate();
  plan.soak = duration("10m");
  plan.approve_start = plan.approve_promote = true;
  Rollout r(plan, "deployer", true);
  EXPECT_EQ(r.show(), "waiting pending");
  r.begin();
  EXPECT_EQ(r.show(), "promoting pending, out: promote 100 %");
  r.ack();
  EXPECT_EQ(r.show(), "soaking step 1 (100 %) pending");
  r.play("fail*3");
  EXPECT_EQ(r.show(), "soaking step 1 (100 %) pending");
  EXPECT_EQ(r.decided(), "promote would-have-rollback");
  r.play("fail*30");
  EXPECT_EQ(r.decided(), "promote would-have-rollback") << "once";
  r.play("fail*27 wait=0s");
  EXPECT_EQ(r.show(), "promoted step 1 (100 %) passed");
}

TEST(StepsTest, AReadOrderOfThingsIsKept) {
  Rollout r(error_rate());
  r.play("begin ack pass*3");
  std::string types;
  for (const Event& event : r.events) types += std::string(name_of(event.type)) + " ";
  EXPECT_EQ(types, "registered started decided order_done step_began verdict decided ");
  EXPECT_EQ(r.events.back().summary, "advance: all conditions passed at 5 % for 30s: on to 25 %");
  EXPECT_EQ(r.state.reason, "all conditions passed at 5 % for 30s: on to 25 %");
}

}  // namespace
}  // namespace rollwatch
