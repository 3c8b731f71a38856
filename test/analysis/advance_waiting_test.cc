// What stands before a rollout, and how long: readiness with its attempts, freezes, extensions.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

void soaks_briefly(Plan& plan) { plan.soak = duration("10m"); }

void pauses_when_lost(Plan& plan) {
  needs_three_ready(plan);
  plan.conditions.back().on_fail = OnFail::kPause;
}

TEST(ReadinessTest, IsWaitedForInAttempts) {
  expect_stories({
      {"ready at once", needs_three_ready, "ready:pass begin ack",
       "analyzing step 0 (5 %) pending"},
      {"two of three is not enough", needs_three_ready, "ready:fail begin", "waiting pending"},
      {"three after two", needs_three_ready, "ready:fail*3 ready:pass begin",
       "analyzing pending, out: advance 5 %"},
      {"ready, and then no longer, before it could begin", needs_three_ready,
       "ready:pass ready:fail begin", "waiting pending"},
      {"an empty answer is not ready", needs_three_ready, "ready:empty begin", "waiting pending"},
      {"the first attempt's end is not the end", needs_three_ready, "ready:fail wait=1m",
       "waiting pending"},
      {"in the second attempt", needs_three_ready, "ready:fail wait=1m wait=30s ready:pass begin",
       "analyzing pending, out: advance 5 %"},
      {"an answer of the first attempt does not count in the second", needs_three_ready,
       "behind ready:pass clear ready:fail wait=1m wait=30s begin", "waiting pending"},
      {"too few at the last attempt's end", needs_three_ready,
       "ready:fail wait=1m wait=30s ready:fail wait=1m", "rolling_back pending, out: rollback 0 %"},
      {"no answer at that moment", needs_three_ready,
       "ready:fail wait=1m wait=30s ready:fail ready:error wait=1m",
       "paused pending, asks: not_ready"},
      {"never asked at all", needs_three_ready, "wait=1m wait=30s wait=1m",
       "paused pending, asks: not_ready"},
      {"which lifts itself", needs_three_ready, "wait=1m wait=30s wait=1m ready:pass begin",
       "analyzing pending, out: advance 5 %"},
      {"and a person's pause does not", needs_three_ready,
       "wait=1m wait=30s wait=1m pause ready:pass begin", "paused pending, asks: person_paused"},
      {"a person's yes waits again, from the first attempt", needs_three_ready,
       "wait=1m wait=30s wait=1m resume wait=1m", "waiting pending"},
      {"a person begins without it", needs_three_ready, "ready:fail advance begin",
       "analyzing pending, out: advance 5 %"},
      {"more time", needs_three_ready, "ready:fail extend=5m wait=5m", "waiting pending"},
  });
}

TEST(ReadinessTest, ItsTimeStandsStillBehindAFreezeAndARollback) {
  expect_stories({
      {"frozen", needs_three_ready, "ready:fail freeze wait=3h thaw wait=30s", "waiting pending"},
      {"frozen, then the rest of it", needs_three_ready,
       "ready:fail freeze wait=3h thaw wait=1m wait=30s ready:fail wait=1m",
       "rolling_back pending, out: rollback 0 %"},
      {"behind a rollback", needs_three_ready, "ready:fail behind wait=20m clear wait=30s",
       "waiting pending"},
      {"behind both, one after the other", needs_three_ready,
       "ready:fail freeze wait=1h behind wait=20m thaw wait=20m clear wait=30s", "waiting pending"},
      {"ready meanwhile", needs_three_ready, "freeze ready:pass thaw begin",
       "analyzing pending, out: advance 5 %"},
      {"ready meanwhile and no longer", needs_three_ready,
       "freeze ready:pass ready:fail thaw begin", "waiting pending"},
  });
}

TEST(ReadinessTest, ShowsHowManyAreReady) {
  Plan plan = error_rate();
  needs_three_ready(plan);
  Rollout r(plan);
  EXPECT_EQ(r.state.reason, "waits until it is ready: no answer yet (attempt 1 of 2)");
  r.play("ready:fail");
  EXPECT_EQ(r.state.reason, "waits until it is ready: 2 of 3 (attempt 1 of 2)");
  r.play("ready:empty");
  EXPECT_EQ(r.state.reason,
            "waits until it is ready: no data: the query found no series (attempt 1 of 2)");
  r.play("wait=1m");
  EXPECT_EQ(r.state.reason, "was not ready in time (attempt 1 of 2); looks again 30s after that");
  EXPECT_FALSE(r.of("ready").watched_from) << "between two attempts nothing is asked";
}

// It is about beginning: it moves no step, and lost it stops only who asked for that.
TEST(ReadinessTest, GatesNoStepAndIsNoEvidence) {
  const auto alone = [](Plan& plan) {
    plan.conditions.clear();
    needs_three_ready(plan);
  };
  expect_stories({
      {"its passes promote nothing", alone,
       "ready:pass begin ack ready:pass*3 wait=30s ack ready:pass*3 wait=30s",
       "paused step 1 (25 %) pending, asks: nothing_measured, out: pause 25 %"},
      {"its silence uses up no patience", needs_three_ready,
       "ready:pass begin ack pass ready:empty*60", "analyzing step 0 (5 %) passing"},
      {"lost and ignored", needs_three_ready, "ready:pass begin ack pass ready:fail*9",
       "analyzing step 0 (5 %) passing"},
      {"lost for one slot", pauses_when_lost, "ready:pass begin ack pass ready:fail*2 ready:pass",
       "analyzing step 0 (5 %) passing"},
      {"lost", pauses_when_lost, "ready:pass begin ack pass ready:fail*3",
       "paused step 0 (5 %) failed, asks: ready_lost, out: pause 5 %"},
      {"lost, and a person goes on", pauses_when_lost,
       "ready:pass begin ack pass ready:fail*3 resume",
       "analyzing step 0 (5 %) pending, out: resume 5 %"},
      {"what failed before the beginning does not count after it", pauses_when_lost,
       "ready:fail*2 ready:pass begin ack ready:fail", "analyzing step 0 (5 %) pending"},
  });
}

// The slot grid, the steps' clock and the deadline are three things: a freeze stops the last only.
TEST(FreezeTest, StopsProgressAndNothingElse) {
  const auto late = [](Plan& plan) { plan.deadline = duration("1h"); };
  expect_stories({
      {"no order to go on", {}, "begin ack freeze pass*9", "analyzing step 0 (5 %) passing"},
      {"afterwards the next passing slot goes on",
       {},
       "begin ack freeze pass*9 thaw pass",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"a failure rolls back",
       {},
       "begin ack freeze pass fail*3",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
      {"silence pauses",
       {},
       "begin ack freeze empty*31",
       "paused step 0 (5 %) unknown, asks: no_answers, out: pause 5 %"},
      {"and is lifted",
       {},
       "begin ack freeze empty*31 pass",
       "analyzing step 0 (5 %) passing, out: resume 5 %"},
      {"the deadline stands still", late, "begin ack pass freeze wait=5h thaw wait=30m",
       "analyzing step 0 (5 %) passing"},
      {"and then runs on", late, "begin ack pass freeze wait=5h thaw wait=1h",
       "paused step 0 (5 %) passing, asks: deadline, out: pause 5 %"},
      {"the soak goes on", soaks_briefly, "begin ack pass promote ack freeze pass*60 wait=0s",
       "promoted step 1 (100 %) passed"},
      {"an accepted order is on its way",
       {},
       "begin ack pass*4 accept freeze ack",
       "analyzing step 1 (25 %) pending"},
      {"one that was taken back is acknowledged late",
       {},
       "begin ack pass*4 freeze late-ack",
       "analyzing step 1 (25 %) pending"},
      {"but not once a later one was given",
       {},
       "begin ack pass*4 freeze thaw pass late-ack",
       "analyzing step 1 (25 %) pending"},
      {"a person's promotion is taken up again",
       {},
       "begin ack pass promote freeze thaw",
       "promoting step 0 (5 %) pending, out: promote 100 %"},
      {"the engine's needs a new pass",
       {},
       "begin ack pass*4 ack pass*4 freeze thaw",
       "analyzing step 1 (25 %) passing"},
      {"so does one before a failure",
       {},
       "begin ack pass*4 ack pass*4 freeze fail*3",
       "rolling_back step 1 (25 %) failed, out: rollback 0 %"},
      {"a yes that begins the step afresh gives no order",
       {},
       "begin ack pass pause freeze resume",
       "analyzing step 0 (5 %) pending, out: resume 5 %"},
      {"a message that nobody took is not",
       {},
       "begin ack pass pause resume freeze expire thaw",
       "analyzing step 0 (5 %) pending"},
      {"a refused first step is ordered again afterwards",
       {},
       "begin refuse freeze resume thaw",
       "analyzing pending, out: advance 5 %"},
  });
}

TEST(FreezeTest, AHotfixWaitsForItToo) {
  Rollout r(error_rate(), "deployer", true);
  r.play("freeze begin");
  EXPECT_EQ(r.show(), "waiting pending");
  r.play("thaw begin");
  EXPECT_EQ(r.show(), "promoting pending, out: promote 100 %");
}

TEST(FreezeTest, ANewReasonIsToldAndTheSameOneIsNot) {
  Rollout r(error_rate());
  r.play("begin ack freeze");
  r.freeze();
  EXPECT_FALSE(r.last.changed());
  r.happens(FreezeChanged{"frozen by bo: an incident"});
  EXPECT_TRUE(r.last.changed());
  EXPECT_EQ(r.state.freeze->text, "frozen by bo: an incident");
}

TEST(ExtendTest, AddsToTheTimeThatRuns) {
  const auto late = [](Plan& plan) { plan.deadline = duration("1h"); };
  expect_stories({
      {"the hold", {}, "begin ack extend=30s pass*5", "analyzing step 0 (5 %) passing"},
      {"the hold, to its end",
       {},
       "begin ack extend=30s pass*6",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"twice", {}, "begin ack extend=30s extend=30s pass*8", "analyzing step 0 (5 %) passing"},
      {"this step only",
       {},
       "begin ack extend=30s pass*6 ack pass*4",
       "promoting step 1 (25 %) passing, out: promote 100 %"},
      {"the soak", soaks_briefly, "begin ack promote ack extend=5m pass*89 wait=0s",
       "soaking step 1 (100 %) pending"},
      {"the soak, to its end", soaks_briefly, "begin ack promote ack extend=5m pass*90 wait=0s",
       "promoted step 1 (100 %) passed"},
      {"the deadline", late, "begin ack pass extend=1h wait=1h59m",
       "analyzing step 0 (5 %) passing"},
      {"the deadline, to its end", late, "begin ack pass extend=1h wait=2h",
       "paused step 0 (5 %) passing, asks: deadline, out: pause 5 %"},
  });
}

TEST(RecoveryTest, TellsOnceAndChangesNothing) {
  struct Row {
    const char* name;
    const char* story;
    EventType told;
    const char* summary;
  };
  const Row rows[] = {
      {"passes again", "begin ack fail*3 ack pass*9 wait=10m", EventType::kRecovered,
       "recovered after the rollback: error-rate 0.01 (rule > 0.05)"},
      {"fails still", "begin ack fail*3 ack pass*3 fail wait=10m", EventType::kStillBad,
       "rolled back, but error-rate 0.09 > 0.05 is still bad: probably not this release"},
      {"nothing is measured any more", "begin ack fail*3 ack empty*9 wait=10m", EventType::kNote,
       "rolled back; whether it got better is not known: error-rate no data: the query found no "
       "series"},
      {"no slot came back", "begin ack fail*3 ack wait=20m", EventType::kNote,
       "rolled back; whether it got better is not known: error-rate was not evaluated"},
      {"a slot after that", "begin ack fail*3 ack wait=5m pass", EventType::kRecovered,
       "recovered after the rollback: error-rate 0.01 (rule > 0.05)"},
      {"reported, not acknowledged", "begin ack fail*3 report=0 pass*9 wait=10m",
       EventType::kRecovered, "recovered after the rollback: error-rate 0.01 (rule > 0.05)"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Rollout r(error_rate());
    r.play(row.story);
    EXPECT_EQ(r.show().substr(0, 11), "rolled_back");
    EXPECT_EQ(r.state.verdict, Verdict::kFailed);
    EXPECT_EQ(r.events.back().type, row.told);
    EXPECT_EQ(r.events.back().summary, row.summary);
    EXPECT_TRUE(is_over(r.state)) << "the watching ends";
    EXPECT_EQ(r.decided(), "advance rollback");
  }
}

TEST(RecoveryTest, WatchesOnlyWhatFailedAndWholeWindowsOnly) {
  Plan plan = two_steps({condition("errors", "> 0.05"), condition("latency", "> 0.5")});
  windowed(plan.conditions[0], "1m");
  Rollout r(plan);
  r.play("begin ack errors:fail*3 ack");
  ASSERT_TRUE(r.of("errors").watched_from);
  EXPECT_EQ(*r.of("errors").watched_from - r.now, duration("1m"));
  EXPECT_FALSE(r.of("latency").watched_from);
}

TEST(RecoveryTest, IsNotWatchedWhereNothingFailed) {
  const auto none = [](Plan& plan) { plan.recovery = Millis{0}; };
  for (const auto& [change, story] :
       std::vector<std::pair<std::function<void(Plan&)>, const char*>>{
           {[](Plan&) {}, "begin ack pass rollback ack"},
           {[](Plan&) {}, "begin ack fail*3 refuse"},
           {none, "begin ack fail*3 ack"},
           {needs_three_ready, "ready:fail wait=1m wait=30s ready:fail wait=1m ack"}}) {
    Plan plan = error_rate();
    change(plan);
    Rollout r(plan);
    r.play(story);
    EXPECT_TRUE(is_final(r.state.state) && !r.state.recovery) << story;
    EXPECT_FALSE(is_watching(r.state)) << story;
  }
}

}  // namespace
}  // namespace rollwatch
