// What a rollout will be able to see, told when it is registered.
#include <gmock/gmock.h>

#include "analysis/compare/outlook.h"
#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint32_t kPastSlots = 30;

// Of stable, which had so much in each slot before.
std::string outlook(const Plan& plan, Counts each) {
  statistics::ComparisonState state;
  state.process = statistics::RateState::start();
  state.history_slots = kPastSlots;
  state.history = {kPastSlots * each.events, kPastSlots * each.bad};
  return outlook_of(plan, 0, state);
}

Plan held_for(const char* hold) {
  Plan plan = two_steps(compared_rate());
  for (StepPlan& step : plan.steps) step.hold = duration(hold);
  return plan;
}

TEST(Outlook, WhatIsFoundAndWhatIsNotBeforeTheEnd) {
  EXPECT_THAT(
      outlook(held_for("10m"), {4000, 20}),
      ContainsRegex("^at 400 a second, 5 % of it: a doubling of stable's 0.5 % is found within "
                    "about [0-9]+ minutes; less than 1\\.[0-9] times is not found before the "
                    "end of the last step$"));
}

// The example of docs/conditions.md.
TEST(Outlook, TheExampleIsTrue) {
  Plan plan = two_steps(compared_rate());
  plan.conditions[0].interval = duration("30s");
  comparison(plan.conditions[0]).warmup = duration("1m");
  plan.steps[0].hold = duration("2m");
  plan.steps[1].hold = duration("5m");
  EXPECT_EQ(
      outlook(plan, {12'000, 60}),
      "at 400 a second, 5 % of it: a doubling of stable's 0.5 % is found within about 6 minutes; "
      "less than 1.8 times is not found before the end of the last step");
}

// It said "within about 9 hours" of a rollout that takes four minutes.
TEST(Outlook, WhatTakesLongerThanThePlanIsNotFoundBeforeItsEnd) {
  EXPECT_THAT(outlook(held_for("2m"), {400, 2}),
              ContainsRegex("a doubling of stable's 0.5 % is not found before the end of the last "
                            "step, only [0-9.]+ times or more$"));
  EXPECT_THAT(outlook(held_for("2m"), {400, 0}),
              ContainsRegex("0.2 % bad, where stable has none, is not found before the end of the "
                            "last step, only [0-9.]+ % or more$"));
  EXPECT_THAT(outlook(held_for("2m"), {1, 0.01}),
              HasSubstr("is not found before the end of the last step, nor is anything else"));
}

// In the first step alone it would not be found, and with the share of the second it is.
TEST(Outlook, AllStepsCountWithTheirShares) {
  Plan one = held_for("10m"), both = one;
  one.steps.pop_back();
  const Counts each{1000, 5};
  EXPECT_THAT(outlook(one, each), HasSubstr("a doubling of stable's 0.5 % is not found"));
  EXPECT_THAT(outlook(both, each), ContainsRegex("is found within about 1[0-9] minutes"));
  both.conditions[0].steps = {5};
  EXPECT_THAT(outlook(both, each), HasSubstr("a doubling of stable's 0.5 % is not found"))
      << "it is not asked in the second";
}

TEST(Outlook, WithoutHoldsNobodyKnowsTheEnd) {
  const Plan plan = held_for("0s");
  EXPECT_THAT(outlook(plan, {4000, 20}), ContainsRegex("is found within about [0-9]+ minutes$"));
  EXPECT_THAT(outlook(plan, {1, 0.005}),
              ContainsRegex("is found within about [0-9]+ (hours|days)$"));
  // More slots than an int holds.
  EXPECT_THAT(outlook(plan, {1e-9, 5e-12}), HasSubstr("is found within about 999 days, or more"));
}

TEST(Outlook, WhatIsToleratedIsNeverFound) {
  Plan plan = held_for("10m");
  std::get<statistics::RateRules>(comparison(plan.conditions[0]).rules).tolerance = {3, 0};
  EXPECT_THAT(
      outlook(plan, {400'000, 2'000}),
      HasSubstr("a doubling of stable's 0.5 % is within the tolerance, and never found; less "
                "than 3"));
}

TEST(Outlook, WithoutWeightsTheShareIsAGuessAndWithoutTrafficNothingIsKnown) {
  Plan plan = for_duration("1h");
  plan.conditions = {compared_rate()};
  EXPECT_THAT(outlook(plan, {4000, 20}),
              HasSubstr("10 % of it (a guess: the plan has no weights)"));
  EXPECT_EQ(outlook(plan, {0, 0}),
            "stable has served nothing lately: what can be seen is not known");
}

}  // namespace
}  // namespace rollwatch
