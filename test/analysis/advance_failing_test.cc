// When a condition fails, and what then happens in each state; patience, and pauses the engine
// lifts itself.
#include <gtest/gtest.h>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

using Tweak = std::function<void(Plan&)>;

Tweak counting(int fail_after, int within) {
  return [=](Plan& p) {
    p.conditions[0].fail_after = fail_after;
    p.conditions[0].within = within;
    p.steps[0].hold = duration("1h");
  };
}

Tweak on_fail(OnFail what) {
  return [=](Plan& p) { p.conditions[0].on_fail = what; };
}

Tweak on_missing(OnMissing no_data, OnMissing error) {
  return [=](Plan& p) {
    p.conditions[0].on_no_data = no_data;
    p.conditions[0].on_error = error;
    p.patience = duration("1h");
  };
}

Tweak patience(const char* span, OnInconclusive then = OnInconclusive::kPause) {
  return [=](Plan& p) {
    p.patience = duration(span);
    p.on_inconclusive = then;
    threshold(p.conditions[0]).rule.pass_if = comparison("< 0.02");
    counting_events(p.conditions[0]);
  };
}

constexpr const char* kRollingBack = "rolling_back step 0 (5 %) failed, out: rollback 0 %";

TEST(FailAfterTest, CountsFailingSlotsAmongTheLastWithAnAnswer) {
  expect_stories({
      {"two of three are not three", {}, "begin ack fail fail", "analyzing step 0 (5 %) failing"},
      {"three in a row", {}, "begin ack fail*3", kRollingBack},
      {"a pass between", counting(3, 3), "begin ack fail fail pass fail fail",
       "analyzing step 0 (5 %) failing"},
      {"no data between does not count", {}, "begin ack fail fail empty fail", kRollingBack},
      {"nor an error", {}, "begin ack fail error fail error fail", kRollingBack},
      {"nor a missed slot", {}, "begin ack fail missed fail missed fail", kRollingBack},
      {"nor NaN", {}, "begin ack fail nan fail nan fail", kRollingBack},
      {"an inconclusive one is an answer",
       [](Plan& p) { threshold(p.conditions[0]).rule.pass_if = comparison("< 0.02"); },
       "begin ack fail fail between fail fail", "analyzing step 0 (5 %) failing"},
      {"the first failing slot is enough", counting(1, 1), "begin ack fail", kRollingBack},
      {"two of five: in a row", counting(2, 5), "begin ack fail fail", kRollingBack},
      {"two of five: apart", counting(2, 5), "begin ack fail pass pass pass fail", kRollingBack},
      {"two of five: too far apart", counting(2, 5), "begin ack fail pass*4 fail",
       "analyzing step 0 (5 %) failing"},
      {"three of all", counting(3, kWithinAll), "begin ack fail pass*9 fail pass*9 fail",
       kRollingBack},
      {"two of all are not three", counting(3, kWithinAll), "begin ack fail pass*9 fail",
       "analyzing step 0 (5 %) failing"},
      {"they are counted over steps",
       {},
       "begin ack pass*3 fail fail ack fail",
       "rolling_back step 1 (25 %) failed, out: rollback 0 %"},
  });
}

TEST(FailAfterTest, TheReasonHasValueLimitAndCount) {
  struct Row {
    int within;
    const char* story;
    const char* reason;
  };
  const Row rows[] = {
      {3, "begin ack fail*3", "error-rate 0.09 > 0.05, 3 of the last 3"},
      {5, "begin ack fail pass fail pass fail", "error-rate 0.09 > 0.05, 3 of the last 5"},
      {5, "begin ack fail*3", "error-rate 0.09 > 0.05, 3 of the last 3"},
      {kWithinAll, "begin ack pass fail pass fail*2", "error-rate 0.09 > 0.05, 3 of all 5"},
  };
  for (const Row& row : rows) {
    Plan plan = error_rate();
    plan.steps[0].hold = duration("1h");
    plan.conditions[0].within = row.within;
    Rollout r(plan);
    r.play(row.story);
    EXPECT_EQ(r.state.reason, row.reason);
    ASSERT_EQ(r.last.decisions.size(), 1U);
    EXPECT_EQ(r.last.decisions[0].reason, row.reason);
    EXPECT_EQ(r.last.decisions[0].condition, 0U);
    const Event& decided = r.events.at(r.events.size() - 2);
    EXPECT_EQ(decided.type, EventType::kDecided);
    EXPECT_EQ(decided.condition, "error-rate");
    EXPECT_EQ(decided.value, 0.09);
    EXPECT_EQ(decided.rule, "> 0.05");
  }
}

TEST(FailingTest, WhatAFailedConditionDoesInEachState) {
  const auto soak = [](Plan& p) { p.soak = duration("1h"); };
  const auto pause_in_soak = [](Plan& p) {
    p.soak = duration("1h");
    p.conditions[0].on_fail = OnFail::kPause;
  };
  expect_stories({
      {"while the next step is ordered: replaced", {}, "begin ack pass*3 fail*3", kRollingBack},
      {"paused by a person", {}, "begin ack pause fail*3", kRollingBack},
      {"promoting: replaced",
       {},
       "begin ack pass*3 ack pass*3 fail*3",
       "rolling_back step 1 (25 %) failed, out: rollback 0 %"},
      {"soaking", soak, "begin ack pass*3 ack pass*3 ack fail*3",
       "rolling_back step 1 (100 %) failed, out: rollback 0 %"},
      {"acknowledged", {}, "begin ack fail*3 ack", "rolled_back step 0 (5 %) failed"},
      {"no later sample undoes it", {}, "begin ack fail*3 wait=5h", kRollingBack},
      {"pause: asks a person", on_fail(OnFail::kPause), "begin ack fail*3",
       "paused step 0 (5 %) failed, asks: condition_failed, out: pause 5 %"},
      {"pause: not lifted by passes", on_fail(OnFail::kPause), "begin ack fail*3 pass*50",
       "paused step 0 (5 %) failed, asks: condition_failed, out: pause 5 %"},
      {"pause: a yes begins the step afresh", on_fail(OnFail::kPause),
       "begin ack fail*3 resume pass*2", "analyzing step 0 (5 %) passing, out: resume 5 %"},
      {"pause: the yes begins the counts afresh", on_fail(OnFail::kPause),
       "begin ack fail*3 resume fail*2", "analyzing step 0 (5 %) failing, out: resume 5 %"},
      {"pause: and can fail again", on_fail(OnFail::kPause), "begin ack fail*3 resume fail*3",
       "paused step 0 (5 %) failed, asks: condition_failed, out: pause 5 %"},
      {"pause: while promoting", on_fail(OnFail::kPause), "begin ack pass*3 ack pass*3 fail*3",
       "paused step 1 (25 %) failed, asks: condition_failed, out: pause 25 %"},
      {"pause: in the soak it is only told", pause_in_soak,
       "begin ack pass*3 ack pass*3 ack fail*3", "soaking step 1 (100 %) failed"},
      {"pause: a person's pause stays a person's", on_fail(OnFail::kPause),
       "begin ack pause fail*3", "paused step 0 (5 %) failed, asks: person_paused, out: pause 5 %"},
      {"observe", on_fail(OnFail::kObserve), "begin ack fail*3",
       "analyzing step 0 (5 %) pending, out: advance 25 %"},
  });
}

// A yes that was given before the condition failed must not send the rollout on after it.
TEST(FailingTest, AnApprovalThatIsAskedForBecomesTheFailedCondition) {
  const auto approving = [](Plan& p) {
    p.steps[0].approve = true;
    p.conditions[0].on_fail = OnFail::kPause;
  };
  expect_stories({
      {"the question is another one", approving, "begin ack pass*3 fail*3",
       "paused step 0 (5 %) failed, asks: condition_failed, out: pause 5 %"},
      {"whose yes begins the step afresh", approving, "begin ack pass*3 fail*3 resume pass*2",
       "analyzing step 0 (5 %) passing, out: resume 5 %"},
  });
  Plan plan = error_rate();
  approving(plan);
  Rollout r(plan);
  r.play("begin ack pass*3");
  const std::string asked = question_id(*r.state.question);
  r.play("fail*3");
  EXPECT_EQ(r.person(DecisionKind::kResume, "", asked),
            "question q1 is no longer open; the open one is q2");
}

TEST(FailingTest, APersonMayGoOnInSpiteOfIt) {
  Plan plan = error_rate();
  plan.conditions[0].on_fail = OnFail::kPause;
  Rollout r(plan);
  r.play("begin ack fail*3 advance");
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) failing, out: advance 25 %");
  r.play("ack pass*3");
  EXPECT_EQ(r.show(), "promoting step 1 (25 %) passing, out: promote 100 %");

  Rollout again(plan);
  again.play("begin ack fail*3 advance ack fail*2");
  EXPECT_EQ(again.show(), "analyzing step 1 (25 %) failing");
  again.play("fail");
  EXPECT_EQ(again.show(), "paused step 1 (25 %) failed, asks: condition_failed, out: pause 25 %");
}

TEST(FailingTest, WhatWouldHaveBeenDoneIsRecordedOnce) {
  struct Row {
    const char* name;
    OnFail on_fail;
    const char* story;
    DecisionKind would_have;
    const char* told;
  };
  const Row rows[] = {
      {"an observing condition", OnFail::kObserve, "begin ack fail*9 ack fail*9",
       DecisionKind::kRollback, "would have rolled back: error-rate 0.09 > 0.05, 3 of the last 3"},
      {"after a person's promotion", OnFail::kRollback, "begin ack promote fail*9",
       DecisionKind::kRollback, "would have rolled back: error-rate 0.09 > 0.05, 3 of the last 3"},
      {"where it would have paused", OnFail::kPause, "begin ack promote fail*9",
       DecisionKind::kPause, "would have paused: error-rate 0.09 > 0.05, 3 of the last 3"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Plan plan = error_rate();
    plan.conditions[0].on_fail = row.on_fail;
    Rollout r(plan);
    r.play(row.story);
    std::vector<Decision> would_have;
    for (const Decision& d : r.decisions)
      if (d.would_have) would_have.push_back(d);
    ASSERT_EQ(would_have.size(), 1U);
    EXPECT_EQ(would_have[0].kind, row.would_have);
    EXPECT_EQ(would_have[0].condition, 0U);
    std::vector<std::string> told;
    for (const Event& event : r.events)
      if (event.type == EventType::kConditionFailed) told.push_back(event.summary);
    EXPECT_EQ(told, std::vector<std::string>{row.told});
  }
}

TEST(MissingTest, WaitsFailsOrIsIgnoredAsTheConditionSays) {
  const auto wait = on_missing(OnMissing::kWait, OnMissing::kWait);
  const auto no_data_fails = on_missing(OnMissing::kFail, OnMissing::kWait);
  const auto error_fails = on_missing(OnMissing::kWait, OnMissing::kFail);
  const auto ignore = on_missing(OnMissing::kIgnore, OnMissing::kWait);
  expect_stories({
      {"wait: no data never fails", wait, "begin ack empty*200", "analyzing step 0 (5 %) unknown"},
      {"wait: errors never fail", wait, "begin ack error*200", "analyzing step 0 (5 %) unknown"},
      {"fail: no data counts", no_data_fails, "begin ack empty*3", kRollingBack},
      {"fail: NaN is no data", no_data_fails, "begin ack nan*3", kRollingBack},
      {"fail: together with failing answers", no_data_fails, "begin ack fail empty fail",
       kRollingBack},
      {"fail: broken by a pass", no_data_fails, "begin ack empty pass empty empty",
       "analyzing step 0 (5 %) unknown"},
      {"fail: no data, but this is an error", no_data_fails, "begin ack error*9",
       "analyzing step 0 (5 %) unknown"},
      {"fail: errors count", error_fails, "begin ack error*3", kRollingBack},
      {"fail: errors, but this is no data", error_fails, "begin ack empty*9",
       "analyzing step 0 (5 %) unknown"},
      {"fail: a missed slot never counts", on_missing(OnMissing::kFail, OnMissing::kFail),
       "begin ack missed*50", "analyzing step 0 (5 %) unknown"},
      {"ignore: no data gates nothing", ignore, "begin ack pass empty*2",
       "analyzing step 0 (5 %) pending, out: advance 25 %"},
      {"ignore: an error is not ignored", ignore, "begin ack pass error*2",
       "analyzing step 0 (5 %) unknown"},
  });
}

constexpr const char* kNoAnswers = "paused step 0 (5 %) unknown, asks: no_answers, out: pause 5 %";

TEST(PatienceTest, EndsInAPauseThatIsLiftedByAnswers) {
  expect_stories({
      {"not before it is over", patience("1m"), "begin ack pass empty*6",
       "analyzing step 0 (5 %) unknown"},
      {"no data", patience("1m"), "begin ack pass empty*7", kNoAnswers},
      {"errors", patience("1m"), "begin ack pass error*7", kNoAnswers},
      {"missed slots", patience("1m"), "begin ack pass missed*7", kNoAnswers},
      {"all mixed", patience("1m"), "begin ack empty error missed nan none error empty",
       kNoAnswers},
      {"any answer starts it again", patience("1m"), "begin ack empty*6 between empty*6",
       "analyzing step 0 (5 %) unknown"},
      {"also a failing one", patience("1m"), "begin ack empty*6 fail empty*6",
       "analyzing step 0 (5 %) unknown"},
      {"lifted by a pass", patience("1m"), "begin ack empty*7 pass",
       "analyzing step 0 (5 %) passing, out: resume 5 %"},
      {"not by a failing slot", patience("1m"), "begin ack empty*7 fail",
       "paused step 0 (5 %) failing, asks: no_answers, out: pause 5 %"},
      {"not by an inconclusive one", patience("1m"), "begin ack empty*7 between*50",
       "paused step 0 (5 %) pending, asks: no_answers, out: pause 5 %"},
      {"not by time", patience("1m"), "begin ack empty*7 wait=5h", kNoAnswers},
      {"the hold starts again", patience("1m"), "begin ack pass*2 empty*7 pass*3",
       "analyzing step 0 (5 %) passing, out: resume 5 %"},
      {"and is then over", patience("1m"), "begin ack pass*2 empty*7 pass*4",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"the pause order is acknowledged", patience("1m"), "begin ack empty*7 ack pass",
       "analyzing step 0 (5 %) passing, out: resume 5 %"},
      {"a failed condition rolls back", patience("1m"), "begin ack empty*7 fail*3", kRollingBack},
      {"a person's yes begins the step afresh", patience("1m"), "begin ack empty*7 resume empty*6",
       "analyzing step 0 (5 %) unknown, out: resume 5 %"},
      {"a person's pause is not lifted", patience("1m"), "begin ack empty*7 pause pass*9",
       "paused step 0 (5 %) passing, asks: person_paused, out: pause 5 %"},
      {"an order that is out is withdrawn", patience("1m"), "begin ack pass*3 empty*7", kNoAnswers},
      {"and given again in time", patience("1m"), "begin ack pass*3 empty*7 pass*4",
       "analyzing step 0 (5 %) passing, out: advance 25 %"},
      {"none in the promotion", patience("1m"), "begin ack pass*3 ack pass*3 empty*50",
       "promoting step 1 (25 %) unknown, out: promote 100 %"},
      {"ignored answers use up none",
       [](Plan& p) {
         p.patience = duration("1m");
         p.conditions[0].on_no_data = OnMissing::kIgnore;
       },
       "begin ack empty*50", "analyzing step 0 (5 %) pending"},
      {"and end the silence before them",
       [](Plan& p) {
         p.patience = duration("1m");
         p.conditions[0].on_no_data = OnMissing::kIgnore;
       },
       "begin ack error*3 empty*10 error", "analyzing step 0 (5 %) unknown"},
  });
}

TEST(PatienceTest, EveryConditionMustPassToLiftThePause) {
  const auto two = [](Plan& p) {
    p.patience = duration("1m");
    p.conditions.push_back(condition("latency", "> 0.05"));
  };
  const auto observed = [](Plan& p) {
    p.patience = duration("1m");
    p.conditions.push_back(condition("latency", "> 0.05"));
    p.conditions[1].on_fail = OnFail::kObserve;
  };
  const auto ignoring = [](Plan& p) {
    p.patience = duration("1m");
    p.conditions.push_back(condition("latency", "> 0.05"));
    p.conditions[1].on_no_data = OnMissing::kIgnore;
  };
  expect_stories({
      {"one is not enough", two, "begin ack empty*7 latency:empty*7 pass",
       "paused step 0 (5 %) unknown, asks: no_answers, out: pause 5 %"},
      {"both are", two, "begin ack empty*7 latency:empty*7 pass latency:pass",
       "analyzing step 0 (5 %) passing, out: resume 5 %"},
      {"the other one never answered", two, "begin ack empty*7 pass",
       "paused step 0 (5 %) pending, asks: no_answers, out: pause 5 %"},
      {"what is ignored is not waited for", ignoring, "begin ack latency:empty empty*7 pass",
       "analyzing step 0 (5 %) passing, out: resume 5 %"},
      {"but it cannot lift the pause either", ignoring, "begin ack empty*7 latency:empty*9",
       "paused step 0 (5 %) unknown, asks: no_answers, out: pause 5 %"},
      {"an observing one uses up no patience", observed, "begin ack latency:empty*60",
       "analyzing step 0 (5 %) pending"},
      {"and is not waited for", observed, "begin ack latency:empty*7 empty*7 pass",
       "analyzing step 0 (5 %) passing, out: resume 5 %"},
  });
}

TEST(PatienceTest, InconclusiveAnswersUseItUpUnlessItIsTooEarly) {
  expect_stories({
      {"not before it is over", patience("1m"), "begin ack between*6",
       "analyzing step 0 (5 %) pending"},
      {"asks", patience("1m"), "begin ack between*7",
       "paused step 0 (5 %) pending, asks: inconclusive, out: pause 5 %"},
      {"not lifted by passes", patience("1m"), "begin ack between*7 pass*9",
       "paused step 0 (5 %) passing, asks: inconclusive, out: pause 5 %"},
      {"a failing slot starts it again", patience("1m"), "begin ack between*6 fail between*6",
       "analyzing step 0 (5 %) pending"},
      {"the time without answers is not counted", patience("1m"),
       "begin ack between*3 empty*3 between*3", "analyzing step 0 (5 %) pending"},
      {"but what was before it is", patience("1m"), "begin ack between*3 empty*3 between*4",
       "paused step 0 (5 %) pending, asks: inconclusive, out: pause 5 %"},
      {"or rolls back", patience("1m", OnInconclusive::kRollback), "begin ack between*7",
       "rolling_back step 0 (5 %) pending, out: rollback 0 %"},
      {"no data never does", patience("1m", OnInconclusive::kRollback), "begin ack empty*50",
       kNoAnswers},
      {"nor after one inconclusive answer", patience("1m", OnInconclusive::kRollback),
       "begin ack between empty*7", kNoAnswers},
      {"nor with one on either side", patience("1m", OnInconclusive::kRollback),
       "begin ack between error*6 between", "analyzing step 0 (5 %) pending"},
      {"few events use up none", patience("1m", OnInconclusive::kRollback), "begin ack few*50",
       "analyzing step 0 (5 %) pending"},
      {"a yes begins it afresh", patience("1m"), "begin ack between*7 resume between*6",
       "analyzing step 0 (5 %) pending, out: resume 5 %"},
  });
  Plan plan = error_rate();
  windowed(plan.conditions[0], "10m");
  plan.patience = duration("1m");
  plan.on_inconclusive = OnInconclusive::kRollback;
  Rollout r(plan);
  r.play("begin ack pass ack pass*59");
  EXPECT_EQ(r.show(), "analyzing step 1 (25 %) pending") << "windows that reach back use up none";
}

// Where nobody was there to hear an answer, its absence says nothing about the datasource.
TEST(PatienceTest, OnlySlotsThatCouldHaveBeenAnsweredUseItUp) {
  struct Row {
    Cause cause;
    bool uses_it_up;
  };
  const Row rows[] = {
      {Cause::kMissedLate, true},       {Cause::kMissedOverlap, true},
      {Cause::kMissedOverload, true},   {Cause::kMissedDowntime, false},
      {Cause::kMissedClockJump, false}, {Cause::kMissedStore, false},
      {Cause::kMissedDelay, true},
  };
  for (const Row& row : rows) {
    Plan plan = error_rate();
    plan.patience = duration("1m");
    Rollout r(plan);
    r.play("begin ack pass empty*3");
    r.missed("error-rate", 100, row.cause);
    EXPECT_EQ(r.state.state == State::kPaused, row.uses_it_up) << name_of(row.cause);
  }
}

TEST(PatienceTest, TheSilenceOfARunOfMissedSlotsIsAsLongAsTheRun) {
  Plan plan = error_rate();
  plan.patience = duration("1m");
  Rollout r(plan);
  r.play("begin ack pass");
  r.missed("error-rate", 6);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) unknown");
  EXPECT_EQ(r.of("error-rate").counts[static_cast<std::size_t>(Outcome::kMissed)], 6U);
  r.missed("error-rate", 1);
  EXPECT_EQ(r.show(), kNoAnswers);
}

}  // namespace
}  // namespace rollwatch
