// What went wrong once. Most of it was found by playing random rollouts against the slow model in
// test/model; each test has its story on top.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

// The clock was put back by an hour while a rollback was out: people were told that it is not
// acknowledged only when the old time had come again.
TEST(MendedTest, RemindersOfARollbackGoOnAfterTheClockWasPutBack) {
  for (const char* before : {"wait=30s", "wait=2m"}) {
    Rollout r(error_rate());
    r.play("begin ack fail*3");
    r.play(before);
    r.now -= duration("1h");
    r.happens(WatchResumed{Cause::kMissedClockJump});
    const int reminders = r.told(EventType::kReminder);
    r.play("wait=5m");
    EXPECT_GT(r.told(EventType::kReminder), reminders) << before;
  }
}

// Where nothing is timed and nothing watched there is nothing to tell.
TEST(MendedTest, ARestartIsNoEventForWhatIsNotWatched) {
  Rollout r(error_rate());
  r.play("begin ack pass fail*3");
  const Verdict before = r.state.verdict;
  r.happens(WatchResumed{Cause::kMissedDowntime});
  EXPECT_FALSE(r.last.changed());
  EXPECT_EQ(r.state.verdict, before);
}

// A condition that looks at a window longer than `recovery` is watched for that long after a
// rollback. A restart cut it down to `recovery`, so that it was never known whether it got better.
TEST(MendedTest, ARestartDoesNotShortenTheWatchingAfterARollback) {
  Plan plan = error_rate();
  windowed(plan.conditions[0], "5m");
  plan.recovery = duration("1m");
  Rollout r(plan);
  r.play("begin ack fail*3 ack");
  ASSERT_TRUE(r.state.recovery);
  const SysTime until = r.state.recovery->until;
  EXPECT_EQ(until - r.now, duration("5m10s"));
  r.play("away=10s");
  EXPECT_EQ(r.state.recovery->until, until);
  r.play("wait=5m");
  ASSERT_TRUE(r.state.recovery && r.state.recovery->prolonged);
  r.play("away=1s");
  EXPECT_EQ(*next_timer(r.fixed(), r.state) - r.now, duration("4m59s"));
}

// A slot that was asked before a person's yes and then missed began the silence before the step
// that the yes began: the first slot without an answer after it used up all of the patience.
TEST(MendedTest, AMissedSlotFromBeforeAYesUsesUpNoPatience) {
  Plan plan = error_rate();
  windowed(plan.conditions[0], "10m");
  plan.patience = duration("5m");
  plan.steps[0].hold = duration("1h");
  Rollout r(plan);
  r.play("begin ack pass pause");
  r.now += duration("10s");
  r.play("resume");
  const std::int64_t slot = r.of("error-rate").last_slot + 1;
  r.happens(SlotsMissed{0, slot, slot, r.now - duration("1s"), Cause::kMissedOverlap});
  EXPECT_EQ(r.last.evaluations.size(), 1U) << "recorded all the same";
  r.play("empty");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) unknown, out: resume 5 %");
  r.play("empty*30");
  EXPECT_EQ(r.state.state, State::kPaused);
}

// What had kept a rollout waiting until it was ready was counted as readiness lost: with fail_after
// 3 within 5 it was rolled back by the first passing slot after it began, before its first step.
TEST(MendedTest, WhatWasNotReadyBeforeTheBeginningIsNotReadinessLost) {
  struct Row {
    const char* name;
    int within;
    const char* story;
    const char* ends;
  };
  const Row rows[] = {
      {"a pass after it", 5, "ready:fail*3 ready:pass begin ready:pass",
       "analyzing pending, out: advance 5 %"},
      {"of all slots", kWithinAll, "ready:fail*5 ready:pass begin ready:fail*2",
       "analyzing pending, out: advance 5 %"},
      {"lost before the first step", 5, "ready:fail*3 ready:pass begin ready:fail*3",
       "rolling_back failed, out: rollback 0 %"},
      {"lost over the first step", 3, "ready:pass begin ready:fail*2 ack ready:fail",
       "rolling_back step 0 (5 %) failed, out: rollback 0 %"},
  };
  for (const Row& row : rows) {
    Plan plan = error_rate();
    needs_three_ready(plan);
    plan.conditions[1].on_fail = OnFail::kRollback;
    plan.conditions[1].within = row.within;
    Rollout r(plan);
    r.play(row.story);
    EXPECT_EQ(r.show(), row.ends) << row.name;
  }
}

// Readiness was lost while the first order was out, a person said yes, and it could be lost again
// without anybody being asked: the yes forgot nothing as long as no step was reached.
TEST(MendedTest, AYesBeforeTheFirstStepForgetsThatReadinessWasLost) {
  Plan plan = error_rate();
  needs_three_ready(plan);
  plan.conditions[1].on_fail = OnFail::kPause;
  Rollout r(plan);
  r.play("ready:pass begin ready:fail*3");
  ASSERT_EQ(r.show(), "paused failed, asks: ready_lost, out: pause 0 %");
  r.play("resume");
  EXPECT_EQ(r.show(), "analyzing pending, out: advance 5 %");
  r.play("ready:fail*2");
  EXPECT_EQ(r.state.state, State::kAnalyzing);
  r.play("ready:fail");
  EXPECT_EQ(r.show(), "paused failed, asks: ready_lost, out: pause 0 %");
}

// A start that was approved after the deadline was paused again at once, or with on_deadline =
// "rollback" rolled back: the engine undid what a person had decided.
TEST(MendedTest, AStartApprovedAfterTheDeadlineGetsAnotherOne) {
  for (const OnDeadline what : {OnDeadline::kPause, OnDeadline::kRollback}) {
    Plan plan = error_rate();
    plan.approve_start = true;
    plan.deadline = duration("1h");
    plan.on_deadline = what;
    Rollout r(plan);
    r.play("wait=2h resume wait=59m");
    EXPECT_EQ(r.show(), "waiting pending");
    r.play("wait=1m");
    EXPECT_NE(r.state.state, State::kWaiting) << "the other one passes as well";
  }
}

// The clock was put back between two attempts to be ready: the next one began when the old time had
// come again.
TEST(MendedTest, TheNextAttemptToBeReadyDoesNotWaitForTheOldTime) {
  Plan plan = error_rate();
  needs_three_ready(plan);
  Rollout r(plan);
  r.play("ready:fail wait=1m");
  ASSERT_TRUE(r.state.ready->retry_at);
  r.now -= duration("1h");
  r.happens(WatchResumed{Cause::kMissedClockJump});
  r.play("wait=30s ready:pass");
  EXPECT_EQ(r.state.ready->attempt, 2U);
  EXPECT_TRUE(may_begin(r.fixed(), r.state));
}

// A person went on in spite of missing answers, and the next slot without one withdrew that order
// and asked again: the silence before it had used up the patience already.
TEST(MendedTest, APersonsAdvanceIsNotUndoneByTheSilenceBeforeIt) {
  struct Row {
    const char* before;
    const char* after;
    const char* again;
  };
  const Row rows[] = {{"begin ack empty*7", "empty*6", "empty"},
                      {"begin ack between*7", "between*6", "between"},
                      {"begin ack pass empty*6", "empty*6", "empty"}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.before);
    Plan plan = error_rate();
    plan.patience = duration("1m");
    threshold(plan.conditions[0]).rule.pass_if = comparison("< 0.02");
    Rollout r(plan);
    r.play(row.before);
    r.play("advance");
    r.play(row.after);
    EXPECT_EQ(r.state.state, State::kAnalyzing);
    ASSERT_TRUE(r.state.order);
    EXPECT_EQ(r.state.order->kind, DecisionKind::kAdvance);
    r.play(row.again);
    EXPECT_EQ(r.state.state, State::kPaused) << "the silence after it is another one";
  }
}

// The same of an approval: while it was asked for nobody answered, and the first silent slot after
// the yes took the order back that the yes had given.
TEST(MendedTest, AnApprovalIsNotUndoneByTheSilenceBeforeIt) {
  Plan plan = error_rate();
  plan.patience = duration("1m");
  plan.steps[0].approve = true;
  Rollout r(plan);
  r.play("begin ack pass*3 empty*10 resume empty*6");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) unknown, out: advance 25 %");
  r.play("empty");
  EXPECT_EQ(r.show(), "paused step 0 (5 %) unknown, asks: no_answers, out: pause 5 %");
}

// A pause and a yes within a condition's initial delay cut that delay short: caches that were still
// cold were judged.
TEST(MendedTest, AYesDoesNotCutTheInitialDelayShort) {
  Plan plan = error_rate();
  plan.conditions[0].initial_delay = duration("5m");
  Rollout r(plan);
  r.play("begin ack");
  const SysTime began = r.now;
  r.play("pause wait=1m resume pass");
  EXPECT_EQ(r.now - began, duration("5m10s"));
  r.play("pause");
  const SysTime resumed = r.now;
  r.play("resume pass");
  EXPECT_EQ(r.now - resumed, duration("10s")) << "it comes once";
}

// Two answers that decide nothing, and between them an outage that on_error = "ignore" ignores: the
// outage was counted as undecided time and, with on_inconclusive = "rollback", rolled back.
TEST(MendedTest, AnIgnoredOutageIsNotATimeOfUndecidedAnswers) {
  struct Row {
    const char* story;
    const char* ends;
  };
  const Row rows[] = {
      {"begin ack between error*30 between", "analyzing step 0 (5 %) pending"},
      {"begin ack between*3 error*30 between*3", "analyzing step 0 (5 %) pending"},
      {"begin ack between*3 error*30 between*4",
       "rolling_back step 0 (5 %) pending, out: rollback 0 %"},
      {"begin ack between*3 error empty*3 error*3 between*3", "analyzing step 0 (5 %) pending"},
      {"begin ack between*3 missed*3 error*3 between*3", "analyzing step 0 (5 %) pending"},
  };
  for (const Row& row : rows) {
    Plan plan = error_rate();
    plan.patience = duration("1m");
    plan.on_inconclusive = OnInconclusive::kRollback;
    plan.conditions[0].on_error = OnMissing::kIgnore;
    threshold(plan.conditions[0]).rule.pass_if = comparison("< 0.02");
    Rollout r(plan);
    r.play(row.story);
    EXPECT_EQ(r.show(), row.ends) << row.story;
  }
}

// A thaw ordered the first step of a rollout that a newer one, registered during the freeze, was
// about to supersede. And had the thaw not, nothing would have, once the newer one was cancelled.
TEST(MendedTest, NoFirstStepIsOrderedWhileANewerRolloutWaits) {
  Rollout r(error_rate());
  r.play("begin freeze");
  r.happens(NewerWaits{true});
  r.play("thaw wait=1h");
  EXPECT_EQ(r.show(), "analyzing pending");
  r.happens(NewerWaits{false});
  EXPECT_EQ(r.show(), "analyzing pending, out: advance 5 %");

  Rollout frozen(error_rate());
  frozen.play("begin freeze");
  frozen.happens(NewerWaits{true});
  frozen.happens(NewerWaits{false});
  EXPECT_EQ(frozen.show(), "analyzing pending") << "it is frozen still";
}

// Readiness that was lost behind another question (or in the soak) was asked about as a condition
// that failed, not as readiness.
TEST(MendedTest, ReadinessLostEarlierIsAskedAboutAsSuch) {
  Plan plan = error_rate();
  plan.soak = duration("1h");
  needs_three_ready(plan);
  plan.conditions[1].on_fail = OnFail::kPause;
  for (const char* story : {"ready:pass begin refuse ready:fail*3 report=5",
                            "ready:pass begin ack report=100 ready:fail*3 report=5",
                            "ready:pass begin expire ready:fail*3 late-ack"}) {
    Rollout r(plan);
    r.play(story);
    ASSERT_TRUE(r.state.question) << story;
    EXPECT_EQ(r.state.question->kind, QuestionKind::kReadyLost) << story;
    EXPECT_EQ(r.state.reason, "readiness was lost before") << story;
  }
}

// An order that a freeze took back was carried out all the same, and acknowledged between the thaw
// and the next slot: that did not count, though no later order had been given.
TEST(MendedTest, ALateAcknowledgementCountsAfterAThawAsWell) {
  struct Row {
    const char* story;
    const char* ends;
  };
  const Row rows[] = {
      {"begin ack pass*3 freeze thaw late-ack", "analyzing step 1 (25 %) pending"},
      {"begin ack pass*3 ack pass*3 freeze thaw late-ack", "promoted step 1 (100 %) passed"},
      {"begin ack pass*3 freeze thaw pass late-ack",  // a later order, and its acknowledgement
       "analyzing step 1 (25 %) pending"},
      {"begin ack pause resume expire late-ack", "analyzing step 0 (5 %) pending"},
  };
  for (const Row& row : rows) {
    Rollout r(error_rate());
    r.play(row.story);
    EXPECT_EQ(r.show(), row.ends) << row.story;
  }
  Rollout r(error_rate());
  r.play("begin ack pause resume expire");
  const std::string reason = r.state.reason;
  r.play("late-ack");
  EXPECT_EQ(r.state.reason, reason) << "a resume moves nothing";
}

// After a rollback no slot had come back in time, so that the watching was prolonged; a missed slot
// then ended it, with nothing known.
TEST(MendedTest, AMissedSlotDoesNotEndTheProlongedWatching) {
  for (const Cause cause : {Cause::kMissedLate, Cause::kMissedDowntime}) {
    Rollout r(error_rate());
    r.play("begin ack fail*3 ack wait=5m");
    ASSERT_TRUE(r.state.recovery && r.state.recovery->prolonged);
    r.missed("error-rate", 1, cause);
    r.play("pass");
    EXPECT_EQ(r.told(EventType::kRecovered), 1) << name_of(cause);
    EXPECT_FALSE(r.state.recovery);
  }
}

// The clock was put back while a rollback was out. What failed was then asked again only when the
// old time had come, and its slots from before the rollback were taken for ones from after it.
TEST(MendedTest, WhatFailedIsWatchedAfterARollbackAlsoIfTheClockWasPutBackMeanwhile) {
  Rollout r(error_rate());
  r.play("begin ack fail*3");
  r.now -= duration("1h");
  r.happens(WatchResumed{Cause::kMissedClockJump});
  r.play("ack");
  const SysTime acknowledged = r.now;
  r.play("pass");
  EXPECT_LE(r.now - acknowledged, duration("20s"));
  r.play("wait=5m");
  EXPECT_EQ(r.told(EventType::kRecovered), 1);

  Rollout late(error_rate());
  late.play("begin ack fail*3");
  late.now -= duration("1h");
  late.play("ack wait=5m");
  EXPECT_EQ(late.told(EventType::kStillBad), 0) << "there was no slot since";
}

// An answer from before an attempt to be ready (its question was out when the attempt before it
// ended) made it ready after the clock was put back.
TEST(MendedTest, AnAnswerFromBeforeAnAttemptNeverMakesItReady) {
  Plan plan = error_rate();
  needs_three_ready(plan);
  Rollout r(plan);
  r.play("ready:fail wait=90s");
  ASSERT_EQ(r.state.ready->attempt, 2U);
  const std::int64_t slot = r.of("ready").last_slot + 1;
  r.happens(SlotAnswered{1, slot, r.now - duration("1s"), Answer{Scalar{3}, {}, false, nullptr, {}},
                         std::nullopt});
  EXPECT_FALSE(may_begin(r.fixed(), r.state));
  r.now -= duration("10s");
  r.happens(WatchResumed{Cause::kMissedClockJump});
  EXPECT_FALSE(may_begin(r.fixed(), r.state));
}

// The last attempt to be ready had no answer of its own; one from before it was taken for it and
// rolled back what nobody knew not to be ready.
TEST(MendedTest, AnAnswerFromBeforeTheLastAttemptDoesNotRollBack) {
  Plan plan = error_rate();
  needs_three_ready(plan);
  Rollout r(plan);
  r.play("ready:fail wait=90s");
  ASSERT_EQ(r.state.ready->attempt, 2U);
  const std::int64_t slot = r.of("ready").last_slot + 1;
  r.happens(SlotAnswered{1, slot, r.now - duration("1s"), Answer{Scalar{2}, {}, false, nullptr, {}},
                         std::nullopt});
  r.play("wait=1m");
  EXPECT_EQ(r.show(), "paused pending, asks: not_ready");
}

// If a label of `select` had no value (registration refuses that, so only a later version could),
// every rollout's series was judged as this one's.
TEST(MendedTest, WithoutALabelsValueNobodysSeriesAreJudged) {
  Plan plan = error_rate();
  threshold(plan.conditions[0]).select = {
      {"colour", promql::parse_text_template("{{args.colour}}").value()}};
  Rollout r(plan);
  r.play("begin ack fail*3");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) unknown");
  EXPECT_EQ(r.of("error-rate").last->cause, Cause::kNotAsked);
}

}  // namespace
}  // namespace rollwatch
