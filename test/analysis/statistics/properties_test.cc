#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "analysis/statistics/gauge.h"
#include "analysis/statistics/histogram.h"
#include "analysis/statistics/log_space.h"
#include "analysis/statistics/rate.h"
#include "analysis/statistics/rate_report.h"

namespace rollwatch::statistics {
namespace {

using testing::ElementsAre;

double drawn(std::mt19937_64& random, double from, double to) {
  return std::uniform_real_distribution<double>(from, to)(random);
}

double poisson(std::mt19937_64& random, double mean) {
  return static_cast<double>(std::poisson_distribution<int>(mean)(random));
}

std::vector<FedTick> some_ticks(std::mt19937_64& random, int count) {
  std::vector<FedTick> ticks;
  for (int i = 0; i < count; ++i) {
    const double candidate = std::floor(drawn(random, 10, 500));
    const double stable = std::floor(drawn(random, 100, 10'000));
    const double rate = drawn(random, 0.001, 0.05);
    ticks.push_back(
        {{{candidate, poisson(random, candidate * rate)}, {stable, poisson(random, stable * rate)}},
         drawn(random, 1, 3)});
  }
  return ticks;
}

// ---- Intervals

TEST(RateIntervals, WidenWithTheConfidenceAsked) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20; ++i) {
    const auto ticks = some_ticks(random, 10);
    const RateIntervals narrow = rate_intervals(ticks, 0.2);
    const RateIntervals wide = rate_intervals(ticks, 0.01);
    EXPECT_LE(narrow.ratio.low, narrow.ratio.high);
    EXPECT_LE(wide.ratio.low, narrow.ratio.low);
    EXPECT_GE(wide.ratio.high, narrow.ratio.high);
    EXPECT_LE(wide.difference.low, narrow.difference.low);
    EXPECT_GE(wide.difference.high, narrow.difference.high);
  }
}

TEST(RateIntervals, RiseWithErrorsOfTheCandidateAndFallWithThoseOfStable) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20; ++i) {
    const auto ticks = some_ticks(random, 8);
    const RateIntervals before = rate_intervals(ticks, 0.05);
    auto worse = ticks;
    worse[3].tick.candidate.bad += 3;
    auto better = ticks;
    better[3].tick.stable.bad += 20;
    const RateIntervals after = rate_intervals(worse, 0.05);
    EXPECT_GE(after.ratio.low, before.ratio.low);
    EXPECT_GE(after.ratio.high, before.ratio.high);
    EXPECT_GE(after.difference.low, before.difference.low);
    EXPECT_GE(after.difference.high, before.difference.high);
    const RateIntervals shared = rate_intervals(better, 0.05);
    EXPECT_LE(shared.ratio.low, before.ratio.low);
    EXPECT_LE(shared.ratio.high, before.ratio.high);
    EXPECT_LE(shared.difference.low, before.difference.low);
    EXPECT_LE(shared.difference.high, before.difference.high);
  }
}

TEST(RateIntervals, EvidenceFallsWithTheToleranceAndThatForPromotionRises) {
  std::mt19937_64 random(3);
  const auto ticks = some_ticks(random, 12);
  for (const double extra : {0.0, 0.001, 0.01}) {
    double harm = kInfinite, promote = -kInfinite;
    for (double factor = 0.01; factor < 100; factor *= 1.3) {
      const double next_harm = plain_evidence(ticks, Side::kHarm, {factor, extra});
      const double next_promote = plain_evidence(ticks, Side::kPromote, {factor, extra});
      EXPECT_LE(next_harm, harm + 1e-9);
      EXPECT_GE(next_promote, promote - 1e-9);
      harm = next_harm;
      promote = next_promote;
    }
  }
}

TEST(RateIntervals, OfNothingKnowNothing) {
  const RateIntervals intervals = rate_intervals({}, 0.05);
  EXPECT_EQ(intervals.ratio.low, 0);
  EXPECT_EQ(intervals.ratio.high, kInfinite);
  EXPECT_EQ(intervals.difference.low, -1);
  EXPECT_EQ(intervals.difference.high, 1);
}

// ---- One slot is as good as two halves

TEST(RateBets, SplittingASlotCreatesNoEvidence) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 100; ++i) {
    const FedTick whole = some_ticks(random, 1)[0];
    const double part = drawn(random, 0.1, 0.9);
    const auto [candidate, stable] = whole.tick;
    // Errors fall where they fall.
    const double bad = std::floor(drawn(random, 0, candidate.bad));
    const double bad_stable = std::floor(drawn(random, 0, stable.bad));
    const std::vector<FedTick> halves{
        {{{candidate.events * part, bad}, {stable.events * part, bad_stable}}, whole.dispersion},
        {{{candidate.events * (1 - part), candidate.bad - bad},
          {stable.events * (1 - part), stable.bad - bad_stable}},
         whole.dispersion}};
    for (const Side side : {Side::kHarm, Side::kPromote}) {
      const Tolerance tolerance{1.25, 0.0005};
      const auto once = rate_bets(whole.tick, side, tolerance, whole.dispersion);
      const auto first = rate_bets(halves[0].tick, side, tolerance, whole.dispersion);
      const auto second = rate_bets(halves[1].tick, side, tolerance, whole.dispersion);
      // Through the process as well, while nothing is capped or dealt out anew.
      const WealthRules plain{0.1, 0, kInfinite};
      Wealth one = Wealth::start(plain, 6), two = one;
      one.update(plain, once->increments);
      two.update(plain, first->increments);
      two.update(plain, second->increments);
      for (std::size_t j = 0; j < 6; ++j) {
        const double sum = first->increments[j] + second->increments[j];
        EXPECT_NEAR(sum, once->increments[j], 1e-10 * std::max(1.0, std::fabs(sum)));
      }
      EXPECT_NEAR(one.log_evidence, two.log_evidence, 1e-9);
      EXPECT_NEAR(plain_evidence(halves, side, tolerance),
                  plain_evidence(std::vector{whole}, side, tolerance), 1e-9);
    }
    const Interval split = rate_intervals(halves, 0.05).ratio;
    const Interval kept = rate_intervals(std::vector{whole}, 0.05).ratio;
    EXPECT_NEAR(split.low, kept.low, 1e-9 * kept.low);
    if (std::isfinite(kept.high)) {
      EXPECT_NEAR(split.high, kept.high, 1e-9 * kept.high);
    }
  }
}

TEST(RateState, SlotsWithoutDataChangeNothing) {
  const RateRules rules;
  RateState state = RateState::start();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(state.update(rules, {{0, 0}, {100, 1}}, {}).use, Use::kNoCandidate);
  EXPECT_EQ(state.update(rules, {{100, 1}, {0, 0}}, {}).use, Use::kNoStable);
  EXPECT_EQ(state.update(rules, {{nan, 0}, {100, 1}}, {}).use, Use::kUnusable);
  EXPECT_EQ(state.update(rules, {{1, -1}, {100, 1}}, {}).use, Use::kUnusable);
  EXPECT_EQ(state.update(rules, {{1e300, 1}, {100, 1}}, {}).use, Use::kUnusable);
  EXPECT_EQ(state, RateState::start());
}

TEST(RateState, TroubleThatBothShareIsNoEvidence) {
  const RateRules rules;
  RateState state = RateState::start();
  for (int i = 0; i < 30; ++i) state.update(rules, {{50, 1}, {950, 19}}, {});
  const double before = state.harm.log_evidence;
  for (int i = 0; i < 10; ++i) state.update(rules, {{50, 30}, {950, 570}}, {});
  EXPECT_LT(state.harm.log_most, 0.5);
  EXPECT_LE(state.harm.log_evidence, before);
}

TEST(RateState, ARegressionThatBeginsLateIsFoundToo) {
  const RateRules rules;
  RateState state = RateState::start();
  const std::vector<ArmCounts> pods(19, ArmCounts{500, 2.5});
  for (int i = 0; i < 40; ++i) state.observe(rules, pods);
  for (int i = 0; i < 200; ++i) state.update(rules, {{500, 2.5}, {9500, 47.5}}, pods);
  EXPECT_FALSE(state.harm.reaches(0.2));
  int slots = 0;
  while (!state.harm.reaches(0.01) && slots < 60) {
    state.update(rules, {{500, 10}, {9500, 47.5}}, pods);
    ++slots;
  }
  EXPECT_LE(slots, 12);
  EXPECT_GE(slots, 3) << "the cap asks for three slots at least";
}

// The rule of three: 3 / 0.005 = 600 without errors would show it for one look, and one bet.
TEST(RateState, NoErrorsAtAllPromoteBeforeAThousandRequests) {
  RateRules rules;
  rules.margin = {1, 0.005};
  rules.dispersion.mode = DispersionMode::kOff;
  RateState state = RateState::start();
  while (!state.promote.reaches(0.05)) state.update(rules, {{10, 0}, {190, 0}}, {});
  EXPECT_GT(state.candidate_events, 600);
  EXPECT_LT(state.candidate_events, 1000);
}

// ---- Dispersion

TEST(Dispersion, OrderOfSeriesMakesNoDifference) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 50; ++i) {
    std::vector<ArmCounts> series(12);
    for (ArmCounts& one : series) one = {drawn(random, 0, 100), poisson(random, 2)};
    Dispersion forwards, shuffled;
    forwards.update({}, series);
    std::shuffle(series.begin(), series.end(), random);
    shuffled.update({}, series);
    EXPECT_NEAR(forwards.squares, shuffled.squares, 1e-12 * (1 + forwards.squares));
    EXPECT_EQ(forwards.degrees, shuffled.degrees);
  }
}

TEST(Dispersion, BurstsAreSeenInSeriesAndWhatAllShareIsNot) {
  std::mt19937_64 random(6);
  Dispersion bursts, shared;
  for (int tick = 0; tick < 300; ++tick) {
    std::vector<ArmCounts> burst(10), calm(10);
    const double rate = tick % 10 == 0 ? 50 : 5;
    for (std::size_t i = 0; i < 10; ++i) {
      burst[i] = {500, 8 * poisson(random, 0.6)};  // eight at a time
      calm[i] = {500, poisson(random, rate)};
    }
    bursts.update({}, burst);
    shared.update({}, calm);
  }
  EXPECT_NEAR(bursts.factor({}), 8, 1);
  EXPECT_NEAR(shared.factor({}), 1, 0.1);
}

TEST(Dispersion, AutoTakesWhatIsThere) {
  const std::vector<ArmCounts> one{{1000, 5}}, other{{1000, 9}};
  Dispersion automatic, successive;
  DispersionRules rules;
  for (const auto& series : {one, other}) automatic.update(rules, series);
  rules.mode = DispersionMode::kSuccessive;
  for (const auto& series : {one, other}) successive.update(rules, series);
  EXPECT_EQ(automatic, successive);
  EXPECT_GT(automatic.degrees, 0);
  rules.mode = DispersionMode::kSeries;
  Dispersion none;
  for (const auto& series : {one, other}) none.update(rules, series);
  EXPECT_EQ(none.degrees, 0);
  EXPECT_EQ(none.factor({DispersionMode::kOff}), 1);
  EXPECT_EQ(none.factor({DispersionMode::kFixed, 7}), 7);
}

// ---- What can be seen

TEST(ExpectedSlots, AreFewerForWorseCandidatesAndMoreTraffic) {
  const Tolerance none{1, 0};
  const ExpectedTick small{50, 950, 0.005, 1}, large{500, 9500, 0.005, 1};
  // Where 41 were simulated: a little pessimistic.
  EXPECT_NEAR(expected_slots(small, Side::kHarm, none, 0.01, 0.05).value(), 55, 1);
  EXPECT_LT(expected_slots(large, Side::kHarm, none, 0.01, 0.05).value(), 10);
  EXPECT_EQ(expected_slots(large, Side::kHarm, none, 0.5, 0.05).value(), 2) << "the cap";
  EXPECT_FALSE(expected_slots(small, Side::kHarm, none, 0.005, 0.05));
  EXPECT_TRUE(expected_slots(large, Side::kPromote, {1.5, 0.005}, 0.005, 0.05));
  EXPECT_FALSE(expected_slots(large, Side::kPromote, {1.5, 0.005}, 0.02, 0.05));
}

TEST(SmallestVisibleRate, IsFoundInTimeAndNothingSmallerIs) {
  const Tolerance tolerance{1.25, 0.0005};
  const ExpectedTick expected{500, 9500, 0.005, 2};
  const double rate = smallest_visible_rate(expected, tolerance, 0.01, 60).value();
  EXPECT_GT(rate, 0.005 * 1.25 + 0.0005);
  EXPECT_LE(expected_slots(expected, Side::kHarm, tolerance, rate, 0.01).value(), 60);
  EXPECT_GT(expected_slots(expected, Side::kHarm, tolerance, 0.999 * rate, 0.01).value(), 60);
  EXPECT_FALSE(smallest_visible_rate(expected, tolerance, 0.01, 1)) << "the cap asks for three";
  EXPECT_FALSE(smallest_visible_rate({0, 100, 0.1, 1}, tolerance, 0.01, 60));
}

// ---- Histograms

TEST(Histogram, CumulativeCountsBecomeThoseOfBuckets) {
  std::vector<double> counts{3, 5, 4.5, 10};
  take_apart(counts);
  EXPECT_THAT(counts, ElementsAre(3, 2, 0, 5.5));
}

TEST(Histogram, BoundariesRiseAndAreAboveZeroWhereSomethingIsSlowed) {
  const std::vector<double> zero{0, 1}, equal{1, 1}, endless{1, kInfinite};
  EXPECT_TRUE(are_boundaries(zero, 0));
  EXPECT_FALSE(are_boundaries(zero, 0.1));
  EXPECT_FALSE(are_boundaries(equal, 0));
  EXPECT_FALSE(are_boundaries(endless, 0));
  EXPECT_FALSE(are_boundaries({}, 0));
}

TEST(Histogram, FindsASlowTailAndPromotesWhatIsAlike) {
  const std::vector<double> bounds{0.1, 0.25, 0.5, 1};
  const HistogramRules rules;
  const HistogramScales scales(rules, bounds);
  const std::vector<double> usual{500, 300, 100, 50, 10}, alike{50, 30, 10, 5, 1},
      tail{50, 30, 10, 1, 15};
  HistogramState good = HistogramState::start(bounds), bad = good;
  EXPECT_EQ(good.update(rules, scales, alike, usual), Use::kNoHistory);
  EXPECT_EQ(good.fed, 0U);
  for (int i = 0; i < 30; ++i) good.observe(rules, scales, usual);
  bad = good;
  for (int i = 0; i < 60; ++i) {
    EXPECT_EQ(good.update(rules, scales, alike, usual), Use::kFed);
    bad.update(rules, scales, tail, usual);
  }
  EXPECT_EQ(good.promote_boundary, 4U) << "1 % of stable's requests are above 1 s";
  EXPECT_LT(good.log_evidence(rules), 0);
  EXPECT_GE(good.log_promote(), log_threshold(0.05));
  EXPECT_GE(bad.log_evidence(rules), log_threshold(0.01));
  EXPECT_LT(bad.log_promote(), 0);
  EXPECT_EQ(good.update(rules, scales, std::vector<double>(5), usual), Use::kNoCandidate);
  EXPECT_EQ(good.update(rules, scales, alike, std::vector<double>(5)), Use::kNoStable);
}

// ---- Gauges

TEST(Gauge, MissesNothingButWhatCannotBeCompared) {
  GaugeState state = GaugeState::start();
  const GaugeRules rules;
  EXPECT_EQ(state.update(rules, std::nullopt, 1).use, Use::kNoCandidate);
  EXPECT_EQ(state.update(rules, 1, 0).use, Use::kNoStable);
  EXPECT_EQ(state.update(rules, kInfinite, 1).use, Use::kNoCandidate);
  EXPECT_EQ(state, GaugeState::start());
  EXPECT_EQ(state.update(rules, 2, 1).use, Use::kFed);
  EXPECT_DOUBLE_EQ(state.differences.back(), std::log(2));
  GaugeRules smaller = rules;
  smaller.larger_is_worse = false;
  state.update(smaller, 2, 1);
  EXPECT_DOUBLE_EQ(state.differences.back(), -std::log(2));
}

TEST(Gauge, FindsALastingShiftAndIsNotMovedByASpike) {
  const GaugeRules rules{GaugeMode::kRatio, true, std::log(1.1), std::log(1.25)};
  std::mt19937_64 random(8);
  GaugeState spike = GaugeState::start(), shift = spike;
  for (int i = 0; i < 40; ++i) {
    const double noise = drawn(random, 0.95, 1.05);
    spike.update(rules, i == 20 ? 1000 : noise, 1);
    shift.update(rules, 1.5 * noise, 1);
  }
  EXPECT_TRUE(shift.harm.reaches(0.01));
  EXPECT_FALSE(spike.harm.reaches(0.2));
  EXPECT_TRUE(spike.promote.reaches(0.05));
}

}  // namespace
}  // namespace rollwatch::statistics
