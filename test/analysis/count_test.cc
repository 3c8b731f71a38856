// Counters that are judged by what they count in a step.
#include <gmock/gmock.h>

#include "analysis/judge.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

ConditionPlan counting(std::string_view fail_if) {
  ConditionPlan plan = condition("oom", fail_if);
  threshold(plan).counts = true;
  plan.fail_after = plan.within = 1;
  return plan;
}

Answer counters(double a, double b) {
  return Answer{
      Vector{{Series{{{"pod", "a"}}, a}, Series{{{"pod", "b"}}, b}}}, {}, false, nullptr, {}};
}

TEST(Count, MoreThanThreeInThisStepFail) {
  Compared r(long_steps(counting("> 3")));
  r.play("begin ack");
  r.answer("oom", counters(7, 0));
  EXPECT_EQ(r.judged().cause, Cause::kCountingBegins);
  r.answer("oom", counters(8, 2));
  EXPECT_EQ(r.judged().value, 3);
  EXPECT_EQ(r.judged().outcome, Outcome::kPass);
  r.answer("oom", counters(8, 3));
  EXPECT_EQ(r.state.state, State::kRollingBack);
  EXPECT_THAT(r.decisions.back().reason, HasSubstr("oom 4 > 3"));
}

TEST(Count, TheNextStepBeginsAtZeroAndRestartsLoseNothing) {
  Plan plan = two_steps(counting("> 3"));
  Compared r(plan);
  r.play("begin ack");
  r.answer("oom", counters(0, 0));
  r.answer("oom", counters(2, 0));
  r.answer("oom", counters(1, 0));  // it began anew, and counted one since
  EXPECT_EQ(r.judged().value, 3);
  r.answer("oom", counters(1, 0));
  ASSERT_THAT(r.ordered(), HasSubstr("advance 25 %"));
  r.ack();
  r.answer("oom", counters(2, 0));
  EXPECT_EQ(r.judged().value, 1) << "of this step";
}

// It is asked at 5 % and at 50 %: the kills of the step between, in which nobody looked, were held
// against the last one.
TEST(Count, WhatHappenedInAStepInWhichItIsNotAskedIsNobodys) {
  ConditionPlan oom = counting("> 3");
  oom.steps = {5, 50};
  Plan plan;
  for (const double weight : {5, 25, 50}) plan.steps.push_back({weight, duration("30s"), false});
  plan.conditions = {oom, condition("other", "> 0.5")};
  Compared r(plan);
  r.play("begin ack");
  for (const double count : {0, 1, 1, 1, 1}) {
    if (r.of("oom").watched_from) r.answer("oom", counters(count, 0));
    r.slot("other", 0.01);
  }
  ASSERT_THAT(r.ordered(), HasSubstr("advance 25 %"));
  r.ack();
  for (int i = 0; i < 8 && !r.state.order; ++i) r.slot("other", 0.01);
  ASSERT_THAT(r.ordered(), HasSubstr("advance 50 %"));
  r.ack();
  r.answer("oom", counters(5, 0));
  EXPECT_EQ(r.judged().cause, Cause::kCountingBegins);
  r.answer("oom", counters(6, 2));
  EXPECT_EQ(r.judged().value, 3) << "of this step";
}

// A metrics system that has just been set up anew answers without its data: what counters had done
// before counted as new in the next slot.
TEST(Count, CountingDoesNotBeginWhereTheEvidenceFindsNobodyEither) {
  ConditionPlan with = counting("> 3");
  counting_events(with);
  Compared r(long_steps(with));
  r.play("begin ack");
  const Answer none{Vector{}, {}, false, nullptr, {}};
  r.answer("oom", none, 0);
  EXPECT_EQ(r.judged().cause, Cause::kNoEvents);
  r.answer("oom", counters(7, 0));
  EXPECT_EQ(r.judged().cause, Cause::kCountingBegins);
  r.answer("oom", counters(8, 2));
  EXPECT_EQ(r.judged().value, 3);
}

TEST(Count, APersonWhoGoesOnBeginsTheCountAnew) {
  ConditionPlan pauses = counting("> 3");
  pauses.on_fail = OnFail::kPause;
  Compared r(long_steps(pauses));
  r.play("begin ack");
  r.answer("oom", counters(0, 0));
  r.answer("oom", counters(5, 0));
  ASSERT_THAT(r.show(), HasSubstr("asks: condition_failed"));
  EXPECT_EQ(r.person(DecisionKind::kResume, "known"), "");
  r.answer("oom", counters(6, 0));
  EXPECT_EQ(r.judged().value, 1);
}

TEST(Count, NoCounterIsNoAnswerUnlessSomethingSaysThatSomebodyWasThere) {
  Compared r(long_steps(counting("> 3")));
  r.play("begin ack");
  const Answer none{Vector{}, {}, false, nullptr, {}};
  r.answer("oom", none);
  r.answer("oom", none);
  EXPECT_EQ(r.judged().outcome, Outcome::kNoData);
  ConditionPlan with = counting("> 3");
  counting_events(with);
  Compared evidence(long_steps(with));
  evidence.play("begin ack");
  evidence.answer("oom", none);
  evidence.answer("oom", none);
  EXPECT_EQ(evidence.judged().outcome, Outcome::kPass);
  evidence.answer("oom", counters(2, 3));
  EXPECT_EQ(evidence.state.state, State::kRollingBack) << "the first ones count";
}

}  // namespace
}  // namespace rollwatch
