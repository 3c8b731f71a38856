#include "analysis/history_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <string>

namespace rollwatch {
namespace {

constexpr std::string_view kLetters = "pfinem";

// One point for each letter: p(ass) f(ail) i(nconclusive) n(o data) e(rror) m(issed); values count
// up.
std::vector<HistoryPoint> history(std::string_view letters, int step = 0) {
  std::vector<HistoryPoint> points;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    HistoryPoint point;
    point.at = SysTime(Millis(1000 * static_cast<int>(i)));
    point.outcome = static_cast<Outcome>(kLetters.find(letters[i]));
    point.fails = point.outcome == Outcome::kFail ? 1 : 0;
    point.step = step;
    if (letters[i] == 'p' || letters[i] == 'f' || letters[i] == 'i')
      point.value = point.low = point.high = static_cast<double>(i);
    points.push_back(point);
  }
  return points;
}

// "p p*3 f": a letter for each point, and how many slots it is.
std::string text_of(const std::vector<HistoryPoint>& points) {
  std::string text;
  for (const HistoryPoint& point : points) {
    text += (text.empty() ? "" : " ");
    text += kLetters[static_cast<std::size_t>(point.outcome)];
    if (point.slots > 1) text += "*" + std::to_string(point.slots);
  }
  return text;
}

TEST(HistoryPoints, AreThinnedWhereNothingIsLost) {
  const struct Row {
    const char* name;
    const char* history;
    std::size_t most;
    const char* thinned;
  } rows[] = {
      {"none", "", 5, ""},
      {"few stay as they are", "pfp", 5, "p f p"},
      {"exactly as many as there may be", "pfppp", 5, "p f p p p"},
      {"passes become fewer", "pppppppp", 5, "p p*2 p*2 p*2 p"},
      {"a fail between stays", "ppppfpppp", 6, "p p*3 f p*3 p"},
      {"two stories in a row stay two", "pppppnnnnp", 6, "p p*2 p*2 n*2 n*2 p"},
      {"a gap stays", "pppmpppepppnppp", 9, "p p*2 m p*3 e p*3 n p*2 p"},
      {"what decided nothing is no gap", "pppppipipppppfp", 6, "p p*4 i*4 p*4 f p"},
      {"what decided nothing is seen", "pipipip", 4, "p i*3 i*2 p"},
      {"gaps go into passes before fails do", "pnpnpnpnfpnpnp", 6, "p n*4 n*3 f n*4 p"},
      {"more rows of fails than points", "ppfpfpfpfpfp", 4, "p f*5 f*5 p"},
      {"the first and the last are their own", "fppppppm", 4, "f p*3 p*3 m"},
      {"three at least", "ppppp", 0, "p p*3 p"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(text_of(thinned(history(row.history), row.most)), row.thinned) << row.name;
}

TEST(HistoryPoints, ValuesOfSeveralAreTheLastTheLeastAndTheGreatest) {
  auto points = history("pppppp");
  points[2].value = points[2].low = points[2].high = 9;
  const auto thin = thinned(points, 3);
  ASSERT_EQ(thin.size(), 3U);
  EXPECT_EQ(thin[1].value, 4);
  EXPECT_EQ(thin[1].low, 1);
  EXPECT_EQ(thin[1].high, 9);
  EXPECT_EQ(thin[1].at, SysTime(Millis(1000)));
  const auto gaps = thinned(history("pnnnnp"), 3);
  EXPECT_EQ(gaps[1].value, std::nullopt);
  EXPECT_EQ(gaps[1].low, std::nullopt);
}

TEST(HistoryPoints, AStepThatBeginsIsSeen) {
  auto points = history("ppppp", 0);
  for (HistoryPoint point : history("ppppp", 1)) {
    point.at += Millis(10'000);
    points.push_back(point);
  }
  const auto thin = thinned(points, 4);
  ASSERT_EQ(thin.size(), 4U);
  EXPECT_EQ(thin[1].step, 0);
  EXPECT_EQ(thin[1].slots, 4U);
  EXPECT_EQ(thin[2].step, 1);
  EXPECT_EQ(thin[2].at, SysTime(Millis(10'000)));
}

// Whatever the history: no more points than asked for, in order, every slot and every fail counted,
// the ends as they were, and no fail's value outside what is shown.
TEST(HistoryPoints, OfEveryRandomHistoryNoFailNoGapAndNoSlotIsLost) {
  const auto seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    const std::size_t length = random() % 3000;
    const std::size_t most = 3 + random() % 700;
    const auto passes = random() % 100;
    std::string letters;
    for (std::size_t i = 0; i < length; ++i)
      letters += random() % 100 < passes ? 'p' : kLetters[random() % kLetters.size()];
    const auto points = history(letters);
    const auto thin = thinned(points, most);
    ASSERT_LE(thin.size(), std::max(most, std::size_t{3}));
    if (length == 0) continue;
    const auto slots = [](std::uint32_t sum, const HistoryPoint& p) { return sum + p.slots; };
    const auto fails = [](std::uint32_t sum, const HistoryPoint& p) { return sum + p.fails; };
    ASSERT_EQ(std::accumulate(thin.begin(), thin.end(), 0U, slots), length);
    ASSERT_EQ(std::accumulate(thin.begin(), thin.end(), 0U, fails),
              static_cast<unsigned>(std::count(letters.begin(), letters.end(), 'f')));
    ASSERT_EQ(thin.front().at, points.front().at);
    ASSERT_EQ(thin.back().at, points.back().at);
    ASSERT_TRUE(length <= 1 || (thin.front().slots == 1 && thin.back().slots == 1));
    std::size_t at = 0;
    for (const HistoryPoint& point : thin) {
      ASSERT_EQ(point.at, points[at].at) << "in order, and nothing between";
      for (std::size_t end = at + point.slots; at < end; ++at) {
        ASSERT_FALSE(is_worse(points[at].outcome, point.outcome));
        if (points[at].value) {
          ASSERT_TRUE(point.low <= points[at].value && points[at].value <= point.high);
        }
      }
    }
  }
}

}  // namespace
}  // namespace rollwatch
