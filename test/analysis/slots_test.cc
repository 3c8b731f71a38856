#include "analysis/slots.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

SysTime at(std::int64_t ms) { return SysTime(Millis(ms)); }

TEST(GridTest, FindsSlotsAroundAnyTime) {
  const Grid grid{Millis(3), Millis(10)};  // …, −17, −7, 3, 13, 23, …
  struct Row {
    const char* name;
    std::int64_t ms;
    std::int64_t at_or_before;
    std::int64_t at_or_after;
  };
  const Row rows[] = {
      {"on a slot", 13, 1, 1},
      {"just before one", 12, 0, 1},
      {"just after one", 14, 1, 2},
      {"on slot 0", 3, 0, 0},
      {"the epoch", 0, -1, 0},
      {"just before slot 0", 2, -1, 0},
      {"on a slot before the epoch", -7, -1, -1},
      {"just after it", -6, -1, 0},
      {"just before it", -8, -2, -1},
      {"far before the epoch", -1'000'007, -100'001, -100'001},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(grid.last_at_or_before(at(row.ms)), row.at_or_before) << row.name;
    EXPECT_EQ(grid.first_at_or_after(at(row.ms)), row.at_or_after) << row.name;
  }
}

TEST(GridTest, ASlotIsWhereItsIndexSays) {
  const Grid grid{Millis(3), Millis(10)};
  EXPECT_EQ(grid.at(0), at(3));
  EXPECT_EQ(grid.at(2), at(23));
  EXPECT_EQ(grid.at(-2), at(-17));
  for (std::int64_t ms = -50; ms < 50; ++ms) {
    EXPECT_LE(grid.at(grid.last_at_or_before(at(ms))), at(ms));
    EXPECT_GE(grid.at(grid.first_at_or_after(at(ms))), at(ms));
  }
}

TEST(NextSlotTest, IsTheOneAfterTheLastButNotBeforeTheFirst) {
  constexpr std::int64_t kNone = ConditionState::kNoSlot;
  struct Row {
    const char* name;
    std::optional<std::int64_t> watched_from_ms;
    std::int64_t last_slot;
    std::int64_t delay_ms;
    std::optional<std::int64_t> expected;
  };
  // The grid: 3 s + k × 10 s.
  const Row rows[] = {
      {"not watched", std::nullopt, kNone, 0, std::nullopt},
      {"not watched any more", std::nullopt, 7, 0, std::nullopt},
      {"the first one after the time", 10'000, kNone, 0, 1},
      {"exactly at the time", 13'000, kNone, 0, 1},
      {"one is not early by a millisecond", 13'001, kNone, 0, 2},
      {"evaluated for the time, not asked at it", 10'000, kNone, 5'000, 2},
      {"a delay that just fits", 10'000, kNone, 3'000, 1},
      {"then one after the other", 10'000, 1, 0, 2},
      {"also if that is long past", 10'000, 500, 0, 501},
      {"watched again later", 100'000, 4, 0, 10},
      {"a slot that ended is not asked again", 10'000, 6, 0, 7},
      {"one after the other, although the delay has grown", 10'000, 1, 60'000, 2},
      {"watched again later, with a delay that has grown", 100'000, 4, 60'000, 16},
  };
  ConditionPlan plan = condition("c", "> 1");
  plan.interval = Millis(10'000);
  for (const Row& row : rows) {
    ConditionState state;
    state.phase_ms = 3'000;
    state.last_slot = row.last_slot;
    if (row.watched_from_ms) state.watched_from = at(*row.watched_from_ms);
    EXPECT_EQ(next_slot(plan, state, Millis(row.delay_ms)), row.expected) << row.name;
  }
}

TEST(AheadTest, OnlyWhatWasNotLookedAtYet) {
  ConditionState state;
  EXPECT_TRUE(is_ahead(state, at(1)));
  state.last_evaluated_at = at(10'000);
  EXPECT_TRUE(is_ahead(state, at(10'001)));
  EXPECT_FALSE(is_ahead(state, at(10'000))) << "twice";
  EXPECT_FALSE(is_ahead(state, at(9'999))) << "back";
}

TEST(PhaseTest, EqualQuestionsShareOne) {
  const Millis interval(30'000);
  const Millis phase = phase_of("default", "up", interval);
  EXPECT_EQ(phase_of("default", "up", interval), phase);
  EXPECT_NE(phase_of("other", "up", interval), phase);
  EXPECT_NE(phase_of("default", "up ", interval), phase);
  EXPECT_NE(phase_of("defaultu", "p", interval), phase) << "names must not run into each other";
  EXPECT_EQ(phase_of("default", "up", Millis(1)), Millis(0));
}

TEST(PhaseTest, IsNeverAnotherInALaterRelease) {
  EXPECT_EQ(phase_of("default", "up", Millis(30'000)).count(), 23'760);
  EXPECT_EQ(phase_of("default", "sum(rate(errors[1m]))", Millis(15'000)).count(), 3'520);
}

// Neighbouring questions, as a fleet of equal policies makes them, must not fall on the same
// moment: with 10,000 in 125 boxes the sum has 124 degrees of freedom, and 191 is exceeded once in
// ten thousand tries. A box is as wide as several of the steps that phases lie on.
TEST(PhaseTest, TenThousandSpreadEvenly) {
  struct Row {
    const char* name;
    Millis interval;
  };
  const Row rows[] = {{"30 s", Millis(30'000)}, {"15 s", Millis(15'000)}, {"1 m", Millis(60'000)}};
  for (const Row& row : rows) {
    constexpr int kQuestions = 10'000, kBoxes = 125;
    std::array<int, kBoxes> boxes{};
    for (int i = 0; i < kQuestions; ++i) {
      const std::string query = "rate(errors{service=\"s" + std::to_string(i / 2) + "\",n=\"" +
                                std::to_string(i % 2) + "\"}[1m])";
      const Millis phase = phase_of("default", query, row.interval);
      ASSERT_GE(phase, Millis(0));
      ASSERT_LT(phase, row.interval);
      ++boxes[static_cast<std::size_t>(phase.count() * kBoxes / row.interval.count())];
    }
    const double expected = static_cast<double>(kQuestions) / kBoxes;
    double chi_square = 0;
    for (const int count : boxes) chi_square += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi_square, 191) << row.name;
    EXPECT_GT(chi_square, 72) << row.name << ": more even than chance would have it";
  }
}

}  // namespace
}  // namespace rollwatch
