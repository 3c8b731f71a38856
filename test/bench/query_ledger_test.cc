#include "test/bench/query_ledger.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rollwatch::bench {
namespace {

constexpr Micros kMilli = 1'000, kSecond = 1'000'000;

// Asked once a second from `first` on, the arrivals of slot 0, 1, … so many milliseconds late; a
// negative number: not asked.
void ask(QueryLedger& ledger, const std::string& query, Micros first,
         const std::vector<int>& late) {
  for (std::size_t slot = 0; slot < late.size(); ++slot)
    if (late[slot] >= 0)
      ledger.note(query, first + static_cast<Micros>(slot) * kSecond + late[slot] * kMilli, 0);
}

struct Case {
  std::string name;
  Micros first;  // of a query that is asked on time now and then
  std::vector<int> late;
  std::size_t queries, slots, missed;
  double late_max;
};

// The window is [10 s, 15 s).
const std::vector<Case> kCases = {
    {"always on time", 10'300'000, {0, 0, 0, 0, 0}, 5, 5, 0, 0},
    {"late once", 10'300'000, {0, 0, 25, 0, 0}, 5, 5, 0, 25},
    {"one was never asked", 10'300'000, {0, 0, -1, 0, 0}, 4, 5, 1, 0},
    {"always as late is on time", 10'300'000, {7, 7, 7, 7, 7}, 5, 5, 0, 0},
    {"the grid point is at the seconds' turn", 9'999'000, {0, 0, 4, 0, 4, 0, 0}, 5, 5, 0, 4},
    {"what came before the window shows the phase", 8'300'000, {0, 0, 9, 9, 9, 9, 9}, 5, 5, 0, 9},
    {"the last one came after the window's end", 10'990'000, {0, 0, 0, 0, 40}, 4, 5, 0, 40},
    {"half of them", 10'300'000, {0, -1, 0, -1, 0}, 3, 5, 2, 0},
    {"it stopped", 10'300'000, {0, 0, -1, -1, -1}, 2, 5, 3, 0},
};

TEST(QueryLedger, FindsTheGridAndWhatIsNotOnIt) {
  for (const Case& c : kCases) {
    QueryLedger ledger;
    ask(ledger, "errors", c.first, c.late);
    ledger.begin_window(10 * kSecond);
    ledger.end_window(15 * kSecond);
    const LedgerReport seen = ledger.report(kSecond);
    EXPECT_EQ(seen.queries, c.queries) << c.name;
    EXPECT_EQ(seen.slots, c.slots) << c.name;
    EXPECT_EQ(seen.missed, c.missed) << c.name;
    EXPECT_DOUBLE_EQ(seen.late.max, c.late_max) << c.name;
  }
}

TEST(QueryLedger, TellsWhoMissedHowMuchAndOnlyOfWhatIsAskedFor) {
  QueryLedger ledger;
  ask(ledger, "gating-1", 10'100'000, {0, 0, 0, 0, 0});
  ask(ledger, "gating-2", 10'200'000, {0, -1, 0, 0, 0});
  ask(ledger, "watching", 10'300'000, {0, -1, -1, -1, 0});
  ledger.begin_window(10 * kSecond);
  ledger.end_window(15 * kSecond);
  const LedgerReport all = ledger.report(kSecond);
  EXPECT_EQ(all.distinct, 3U);
  EXPECT_EQ(all.missed, 4U);
  EXPECT_EQ(all.missed_median, 1);
  EXPECT_EQ(all.missed_max, 3);
  const LedgerReport gating = ledger.report(kSecond, "gating");
  EXPECT_EQ(gating.distinct, 2U);
  EXPECT_EQ(gating.queries, 9U);
  EXPECT_EQ(gating.missed_max, 1);
}

TEST(QueryLedger, CountsTheBusiestTenthOfASecondWhereverItBegins) {
  QueryLedger ledger;
  for (const int at : {0, 60, 120, 150, 155, 219, 220, 400})
    ledger.note("q" + std::to_string(at), 10 * kSecond + at * kMilli, 0);
  ledger.begin_window(10 * kSecond);
  ledger.end_window(11 * kSecond);
  EXPECT_EQ(ledger.report(kSecond).busiest_100ms, 4U);  // 120 to 219
}

TEST(QueryLedger, SeesWhenSomebodyElseTakesOver) {
  QueryLedger ledger;
  const auto note = [&](const char* query, double at, std::uint16_t asker) {
    ledger.note(query, static_cast<Micros>(at * kSecond), 0, asker);
  };
  note("taken", 1, 2);
  note("taken", 2.001, 2);  // had left it already
  note("taken", 4, 1);
  note("never taken", 1, 2);
  note("another's", 1, 1);
  note("another's", 3, 1);
  note("given away before", 0.5, 2);
  note("given away before", 1, 1);
  const QueryLedger::Takeover seen = ledger.takeover(2, 2 * kSecond);
  EXPECT_EQ(seen.queries, 2U);
  EXPECT_EQ(seen.waiting, 1U);
  EXPECT_DOUBLE_EQ(seen.after.max, 2'000);
}

}  // namespace
}  // namespace rollwatch::bench
