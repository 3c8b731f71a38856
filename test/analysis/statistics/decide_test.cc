#include "analysis/statistics/decide.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "analysis/statistics/log_space.h"
#include "analysis/statistics/mann_whitney.h"

namespace rollwatch::statistics {
namespace {

using testing::ElementsAre;

double between(std::mt19937_64& random, double from, double to) {
  return std::uniform_real_distribution<double>(from, to)(random);
}

// ---- Mann-Whitney

TEST(MannWhitney, TurnsAroundWithItsLists) {
  std::mt19937_64 random(9);
  for (int i = 0; i < 30; ++i) {
    std::vector<double> x(15), y(20);
    for (double& value : x) value = std::round(between(random, 0, 30));
    for (double& value : y) value = std::round(between(random, 5, 30));
    const auto there = mann_whitney(x, y, 0.9).value();
    const auto back = mann_whitney(y, x, 0.9).value();
    EXPECT_DOUBLE_EQ(there.u + back.u, 300);
    EXPECT_DOUBLE_EQ(there.p_greater, back.p_less);
    EXPECT_DOUBLE_EQ(there.p_two_sided, back.p_two_sided);
    EXPECT_DOUBLE_EQ(there.shift, -back.shift);
    EXPECT_EQ(mann_whitney_test(x, y)->p_less, there.p_less);
    ASSERT_TRUE(there.interval && back.interval);
    EXPECT_LE(there.interval->low, there.shift);
    EXPECT_GE(there.interval->high, there.shift);
  }
}

// Kayenta looks for the interval with an absolute tolerance of 1e-4, and is blind to error ratios.
TEST(MannWhitney, UnitsMakeNoDifference) {
  std::vector<double> x(20), y(20);
  std::iota(x.begin(), x.end(), 13);
  std::iota(y.begin(), y.end(), 1);
  const auto plain = mann_whitney(x, y, 0.98).value();
  for (double& value : x) value *= 0x1p-40;
  for (double& value : y) value *= 0x1p-40;
  const auto tiny = mann_whitney(x, y, 0.98).value();
  EXPECT_EQ(plain.interval->low * 0x1p-40, tiny.interval->low);
  EXPECT_EQ(plain.interval->high * 0x1p-40, tiny.interval->high);
  EXPECT_EQ(plain.p_greater, tiny.p_greater);
  EXPECT_GT(tiny.interval->low, 0);
}

TEST(MannWhitney, RefusesWhatItCannotDoWhole) {
  const std::vector<double> many(1001, 1.0), thousand(1000, 2.0);
  EXPECT_FALSE(mann_whitney(many, thousand, 0.98));
  EXPECT_TRUE(mann_whitney_test(many, thousand));
  EXPECT_FALSE(mann_whitney(many, {}, 0.98));
  EXPECT_FALSE(mann_whitney_test(std::vector{std::nan("")}, many));
  MannWhitneyState state;
  state.update(1, std::nullopt);
  state.update(std::nan(""), 2);
  EXPECT_THAT(state.candidate, ElementsAre(1));
  EXPECT_THAT(state.stable, ElementsAre(2));
}

// ---- Deciding

TEST(Combine, SpeaksWheneverOneMetricReachesItsPartOfAlpha) {
  const double alpha = 0.01;
  const std::vector<double> weights{2, 1, 1};
  const double own_part = log_threshold(alpha * 0.25);
  EXPECT_GE(combine(std::vector{-kInfinite, own_part, -kInfinite}, weights),
            log_threshold(alpha) - 1e-12);
  EXPECT_EQ(combine({}, {}), 0);
}

TEST(Causes, AreThoseThatSpeakAloneElseTheLargest) {
  const double alpha = 0.01;
  EXPECT_THAT(causes(std::vector<ComparedMetric>{{6}, {0}, {7}}, alpha), ElementsAre(0, 2));
  EXPECT_THAT(causes(std::vector<ComparedMetric>{{4.6}, {4.7}, {4.5}}, alpha), ElementsAre(1));
  EXPECT_THAT(causes(std::vector<ComparedMetric>{{4, 1}, {4, 2}, {9, 0}}, alpha), ElementsAre(1));
}

TEST(Decide, AlsoKnowsWhatTheVectorsDoNotAsk) {
  const std::vector<ComparedMetric> quiet{{0, 1, 5, 1000}};
  DecisionRules rules;
  rules.early_promote = false;
  rules.at_the_end = AtTheEnd::kPauseIfInconclusive;
  EXPECT_EQ(decide(rules, quiet, {60}).because, Because::kInconclusive);
  rules.early_promote = true;
  EXPECT_EQ(decide(rules, quiet, {60}).because, Because::kNonInferior);
  EXPECT_EQ(decide(rules, {}, {10}).advice, Advice::kContinue) << "nothing proves nothing";
  std::vector<ComparedMetric> optional = quiet;
  optional.push_back({0, 1, -5, 0, 100, false});
  EXPECT_EQ(decide(rules, optional, {10}).advice, Advice::kPromote);
  const std::vector<ComparedMetric> bad{{9}};
  Standing standing{10};
  EXPECT_EQ(decide(rules, bad, standing).advice, Advice::kRollback);
  standing.placebo = 9.5;
  EXPECT_EQ(decide(rules, bad, standing).because, Because::kSuspicious);
  standing.rolled_back = true;
  EXPECT_EQ(decide(rules, quiet, standing).because, Because::kEvidence) << "it is not taken back";
}

TEST(PlaceboGuard, HoldsBackWhatStablesOwnPodsShowAsWell) {
  EXPECT_EQ(PlaceboGuard::groups_for(50, 950, 19), 19U);
  EXPECT_EQ(PlaceboGuard::groups_for(50, 950, 8), 8U);
  EXPECT_EQ(PlaceboGuard::groups_for(50, 200, 8), 0U) << "four groups say too little";
  EXPECT_EQ(PlaceboGuard::groups_for(0, 200, 8), 0U);
  EXPECT_TRUE(PlaceboGuard::start(0).allows(-100));
  PlaceboGuard even = PlaceboGuard::start(8), uneven = even;
  std::vector<ArmCounts> alike(8, ArmCounts{100, 1}), one_worse = alike;
  one_worse[3].bad = 6;
  for (int i = 0; i < 60; ++i) {
    even.update({1.25, 0.0005}, alike, 1);
    uneven.update({1.25, 0.0005}, one_worse, 1);
  }
  EXPECT_TRUE(even.allows(log_threshold(0.01)));
  EXPECT_FALSE(uneven.allows(log_threshold(0.01)));
  EXPECT_TRUE(uneven.allows(uneven.log_most + 1));
  EXPECT_LT(even.group_of(12'345), 8U);
}

}  // namespace
}  // namespace rollwatch::statistics
