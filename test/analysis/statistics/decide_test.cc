#include "analysis/statistics/decide.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "analysis/statistics/counters.h"
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

// ---- Who is in which group

using Sources = std::vector<std::uint64_t>;

std::vector<std::size_t> sizes_of(const PlaceboGuard& guard, const Sources& present) {
  std::vector<std::size_t> sizes(guard.groups.size());
  for (const std::uint64_t source : present) ++sizes[guard.group_of(source)];
  return sizes;
}

Sources some_keys(std::size_t count) {
  Sources keys;
  for (std::size_t i = 0; i < count; ++i)
    keys.push_back(series_key("checkout-" + std::to_string(i)));
  std::ranges::sort(keys);
  return keys;
}

// By the hash alone a third of 19 groups of 19 pods stayed empty, and others had three.
TEST(PlaceboGuard, GroupsAreAsEvenAsCanBe) {
  for (const std::size_t groups : {5U, 7U, 19U})
    for (const std::size_t pods : {19U, 20U, 200U}) {
      PlaceboGuard guard = PlaceboGuard::start(groups);
      const Sources all = some_keys(pods);
      guard.deal(all, all);
      const auto sizes = sizes_of(guard, all);
      EXPECT_LE(std::ranges::max(sizes) - std::ranges::min(sizes), 1U) << groups << " of " << pods;
    }
}

TEST(PlaceboGuard, NobodyChangesGroupsAndNewcomersGoWhereFewestAre) {
  PlaceboGuard guard = PlaceboGuard::start(6);
  Sources present = some_keys(18), known = present;
  guard.deal(present, known);
  std::mt19937_64 random(7);
  for (int slot = 0; slot < 200; ++slot) {
    const PlaceboGuard before = guard;
    // Some go for a while, some for good, and others come.
    if (present.size() > 10)
      present.erase(present.begin() + static_cast<std::ptrdiff_t>(random() % present.size()));
    const std::uint64_t newcomer = series_key("new-" + std::to_string(slot));
    if (slot % 2 == 0) {
      present.insert(std::ranges::lower_bound(present, newcomer), newcomer);
      known.insert(std::ranges::lower_bound(known, newcomer), newcomer);
    }
    guard.deal(present, known);
    for (const PlaceboGuard::Member& member : before.members)
      ASSERT_EQ(guard.group_of(member.source), member.group);
    if (slot % 2 == 0) {
      auto sizes = sizes_of(guard, present);
      --sizes[guard.group_of(newcomer)];
      ASSERT_EQ(sizes[guard.group_of(newcomer)], std::ranges::min(sizes));
    }
  }
  EXPECT_EQ(guard.members.size(), known.size());
  guard.deal(present, present);
  EXPECT_EQ(guard.members.size(), present.size()) << "who is forgotten is forgotten here as well";
}

TEST(PlaceboGuard, WhatWasSavedBeforeMembersWereKeptGoesOnWithItsGroups) {
  PlaceboGuard guard = PlaceboGuard::start(6);
  guard.update({1.25, 0.0005}, std::vector<ArmCounts>(6, ArmCounts{100, 1}), 1);
  Sources all = some_keys(12);
  guard.deal(all, all);
  for (const std::uint64_t source : all) EXPECT_EQ(guard.group_of(source), source % 6);
  const std::uint64_t newcomer = series_key("new");
  auto sizes = sizes_of(guard, all);
  all.insert(std::ranges::lower_bound(all, newcomer), newcomer);
  guard.deal(all, all);
  EXPECT_EQ(sizes[guard.group_of(newcomer)], std::ranges::min(sizes));
}

}  // namespace
}  // namespace rollwatch::statistics
