// When a candidate that is shown to be fine is promoted before its steps are over, and when not.
#include <gmock/gmock.h>

#include "test/analysis/compare_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

Plan early(ConditionPlan plan) {
  comparison(plan).early_promote = true;
  return long_steps(std::move(plan));
}

TEST(Compare, OneThatIsBeyondDoubtIsPromotedEarly) {
  Compared r(early(compared_rate()));
  r.warm_up();
  while (r.state.state == State::kAnalyzing && r.now < *parse_time("2026-01-02T03:09:00Z"))
    r.serve(kManyFine, kManyStable);
  EXPECT_EQ(r.show(), "promoting step 0 (5 %) passing, out: promote 100 %");
  EXPECT_THAT(r.decisions.back().reason, HasSubstr("promoted early"));
}

TEST(Compare, AYesToAnEarlyPromotionPromotes) {
  Plan plan = early(compared_rate());
  plan.approve_promote = true;
  Compared r(plan);
  r.warm_up();
  r.serve_times(20, kManyFine, kManyStable);
  ASSERT_THAT(r.show(), HasSubstr("asks: approve_promote"));
  EXPECT_EQ(r.person(DecisionKind::kResume, "yes"), "");
  EXPECT_EQ(r.show(), "promoting step 0 (5 %) passing, out: promote 100 %");
}

TEST(Compare, WhoIsAskedInsteadOfToldIsNotPromotedEarly) {
  Compared r(early(compared_rate()), "");
  r.begin();
  r.report(5);
  r.serve_times(30, kManyFine, kManyStable);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing") << "the deployer says which share it has";
}

// In the last step there was no next one whose report is waited for, and it was promoted.
TEST(Compare, NorInItsLastStep) {
  Compared r(early(compared_rate()), "");
  r.begin();
  r.report(25);
  r.serve_times(30, kManyFine, kManyStable);
  EXPECT_EQ(r.show(), "analyzing step 1 (25 %) passing");
}

TEST(Compare, APersonWhoExtendsTheStepIsNotOverruled) {
  Compared r(early(compared_rate()));
  r.warm_up();
  EXPECT_EQ(r.extend(duration("30m")), "");
  r.serve_times(20, kManyFine, kManyStable);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing");
}

TEST(Compare, AGuardOfALaterStepIsNotSkipped) {
  Plan plan = early(compared_rate());
  plan.conditions.push_back(condition("cpu", "> 0.9"));
  plan.conditions.back().steps = {25};
  Compared r(plan);
  r.warm_up();
  r.serve_times(20, kManyFine, kManyStable);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing");
}

TEST(Compare, NobodyIsPromotedEarlyWhoDidNotAskForIt) {
  Compared r(long_steps(compared_rate()));
  r.warm_up();
  r.serve_times(40, kManyFine, kManyStable);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) passing");
}

TEST(Compare, AnEarlyPromotionStillAsksWhoIsToBeAsked) {
  Plan plan = early(compared_rate());
  plan.approve_promote = true;
  Compared r(plan);
  r.warm_up();
  r.serve_times(20, kManyFine, kManyStable);
  EXPECT_THAT(r.show(), HasSubstr("asks: approve_promote"));
  plan.steps[1].approve = true;
  Compared steps(plan);
  steps.warm_up();
  steps.serve_times(20, kManyFine, kManyStable);
  EXPECT_EQ(steps.show(), "analyzing step 0 (5 %) passing");
}

TEST(Compare, AnEarlyPromotionWaitsForTheOtherConditions) {
  Plan plan = early(compared_rate());
  plan.conditions.push_back(condition("guard", "> 0.5"));
  Compared r(plan);
  r.warm_up();
  r.serve_times(20, kManyFine, kManyStable);
  EXPECT_EQ(r.show(), "analyzing step 0 (5 %) pending");
  r.slot("guard", 0.1);
  EXPECT_EQ(r.show(), "promoting step 0 (5 %) passing, out: promote 100 %");
}

}  // namespace
}  // namespace rollwatch
