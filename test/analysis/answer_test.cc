#include "analysis/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace rollwatch {
namespace {

std::vector<double> values_of(const std::vector<const Series*>& found) {
  std::vector<double> values;
  for (const Series* series : found) values.push_back(series->value);
  return values;
}

TEST(SeriesListTest, FindsWhatHasTheLabels) {
  SeriesList list;
  list.push_back({{{"app", "a"}, {"version", "1"}}, 1});
  list.push_back({{{"app", "a"}, {"version", "2"}}, 2});
  list.push_back({{{"app", "b"}}, 3});
  EXPECT_THAT(values_of(list.with({})), testing::ElementsAre(1, 2, 3));
  EXPECT_THAT(values_of(list.with({{"app", "a"}})), testing::ElementsAre(1, 2));
  EXPECT_THAT(values_of(list.with({{"app", "a"}, {"version", "2"}})), testing::ElementsAre(2));
  EXPECT_THAT(values_of(list.with({{"version", ""}})), testing::ElementsAre(3))
      << "a label that is not there is an empty one";
  EXPECT_THAT(values_of(list.with({{"pod", ""}})), testing::ElementsAre(1, 2, 3));
  EXPECT_TRUE(list.with({{"pod", "x"}}).empty());
  EXPECT_TRUE(SeriesList().with({{"app", "a"}}).empty());
}

TEST(SeriesListTest, ACopyIsTheSameList) {
  const SeriesList list({{{{"app", "a"}}, 1}, {{{"app", "b"}}, 2}});
  const SeriesList copy = list;
  EXPECT_EQ(&copy.front(), &list.front());
}

// However many there are, and whichever way they are looked for.
TEST(SeriesListTest, AnIndexFindsTheSame) {
  std::mt19937 dice(7);
  const auto roll = [&dice](int sides) {
    return static_cast<int>(dice() % static_cast<unsigned>(sides));
  };
  for (const int count : {1, 16, 17, 300}) {
    std::vector<Series> all;
    for (int i = 0; i < count; ++i) {
      Series series;
      series.value = i;
      for (const char* name : {"app", "pod", "version"})
        if (roll(4) > 0)
          series.labels.push_back({name, roll(5) == 0 ? "" : std::to_string(roll(6))});
      all.push_back(std::move(series));
    }
    const SeriesList list(all);
    for (int look = 0; look < 200; ++look) {
      std::vector<Label> wanted;
      for (const char* name : {"version", "pod", "app", "other"})
        if (roll(2) == 0) wanted.push_back({name, roll(4) == 0 ? "" : std::to_string(roll(6))});
      std::vector<double> expected;
      for (const Series& series : all) {
        const bool has_all = std::all_of(wanted.begin(), wanted.end(), [&](const Label& label) {
          for (const Label& there : series.labels)
            if (there.name == label.name) return there.value == label.value;
          return label.value.empty();
        });
        if (has_all) expected.push_back(series.value);
      }
      EXPECT_EQ(values_of(list.with(wanted)), expected);
    }
  }
}

}  // namespace
}  // namespace rollwatch
