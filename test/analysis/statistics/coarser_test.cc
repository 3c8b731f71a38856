// Fewer boundaries: what was counted and the evidence stay what they are.
#include "analysis/statistics/coarser.h"

#include <gmock/gmock.h>

#include <cmath>
#include <random>

namespace rollwatch::statistics {
namespace {

using testing::ElementsAre;

using Numbers = std::vector<double>;

const Numbers kFrom{0.1, 0.25, 0.5, 1}, kTo{0.25, 1};

TEST(Coarser, ABucketIsTheSumOfThoseItIsMadeOf) {
  EXPECT_THAT(coarser(Numbers{1, 2, 4, 8, 16}, kFrom, kTo), ElementsAre(3, 12, 16));
  EXPECT_THAT(coarser(Numbers{1, 2, 4, 8, 16}, kFrom, kFrom), ElementsAre(1, 2, 4, 8, 16));
  EXPECT_THAT(coarser(Numbers{1, 2, 4, 8, 16}, kFrom, Numbers{0.1}), ElementsAre(1, 30));
}

TEST(Coarser, CountersOfBoundariesThatGoAreForgottenAndTheOthersGoOn) {
  CounterTable fine = CounterTable::start(5), coarse = CounterTable::start(3);
  std::vector<CounterSample> all, some;
  const auto read = [&](double add) {
    all.clear();
    some.clear();
    for (const std::uint64_t source : {7U, 9U})
      for (std::uint32_t part = 0; part < 5; ++part) {
        const double value = add * (part + 1);
        all.push_back({source, 1, part, value});
        if (part == 1 || part >= 3) some.push_back({source, 1, part == 1 ? 0 : part - 2, value});
      }
  };
  Increments of_fine, of_coarse;
  for (const double add : {10.0, 20.0}) {
    read(add);
    const SysTime at{Millis(static_cast<int>(add))};
    fine.update(at, all, of_fine);
    coarse.update(at, some, of_coarse);
  }
  CounterTable made = coarser(fine, kFrom, kTo);
  EXPECT_EQ(made, coarse);
  EXPECT_EQ(coarser(CounterTable{}, kFrom, kTo), CounterTable{}) << "it counts nothing yet";
}

TEST(Coarser, EvidenceIsNeitherMadeNorLost) {
  std::mt19937_64 random(11);
  const auto count = [&random](double most) {
    return std::floor(std::uniform_real_distribution<double>(0, most)(random));
  };
  const HistogramRules rules;
  const HistogramScales scales(rules, kFrom);
  for (int setting = 0; setting < 200; ++setting) {
    HistogramState state = HistogramState::start(kFrom);
    state.observe(rules, scales, Numbers{800, 100, 50, 40, 10});
    for (int slot = 0; slot < setting % 12; ++slot)
      state.update(rules, scales, Numbers{count(80), count(20), count(20), count(9), count(4)},
                   Numbers{count(900), count(90), count(60), count(40), count(12)});
    const Numbers to = setting % 3 == 0 ? kTo : setting % 3 == 1 ? Numbers{0.1} : Numbers{0.5, 1};
    HistogramState after = coarser(state, to);
    ASSERT_NEAR(after.log_evidence(rules), state.log_evidence(rules), 1e-9) << setting;
    ASSERT_EQ(after.bounds, to);
    ASSERT_EQ(after.scores.size(), to.size() + 1);
    ASSERT_EQ(after.scores[0].harm, state.scores[0].harm) << "the ranks are what they were";
    for (const ScoreState& score : after.scores) {
      ASSERT_GE(score.harm.log_most, score.harm.log_evidence);
      // What it is made of is still all of it.
      double sum = std::exp(score.harm.cash - score.harm.log_evidence);
      for (std::size_t j = 0; j < score.harm.bets; ++j)
        sum += std::exp(score.harm.stakes[j] - score.harm.log_evidence);
      ASSERT_NEAR(sum, 1, 1e-9);
    }
    ASSERT_TRUE(state.promote_boundary == 0 || after.promote_boundary == 0 ||
                after.bounds[after.promote_boundary - 1] ==
                    state.bounds[state.promote_boundary - 1]);
    const HistogramScales coarse_scales(rules, to);
    Numbers candidate(to.size() + 1, 20), stable(to.size() + 1, 300);
    EXPECT_EQ(after.update(rules, coarse_scales, candidate, stable), Use::kFed);
    EXPECT_EQ(coarser(state, kFrom), state) << "nothing goes";
  }
}

}  // namespace
}  // namespace rollwatch::statistics
