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

// A rollout's own series are what its own question would have been answered with: without labels
// that only the others made necessary.
TEST(ShareOfTest, HasItsOwnSeriesAndEverythingElseOfTheAnswer) {
  Answer answer;
  answer.result = Vector{{{{{"app", "a"}, {"pod", "p"}, {"version", "1"}}, 1},
                          {{{"app", "a"}, {"version", "1"}}, 2},
                          {{{"app", "a"}, {"version", "2"}}, 3},
                          {{{"version", "1"}}, 4}}};
  answer.raw = std::make_shared<const std::string>("{}");
  answer.duration = Millis{7};
  answer.shared_with = 3;
  const Answer share = share_of(answer, {{"app", "a"}, {"version", "1"}}, {"app"});
  const SeriesList& own = std::get<Vector>(share.result).series;
  ASSERT_EQ(own.size(), 2U);
  EXPECT_EQ(own[0].labels, (std::vector<Label>{{"pod", "p"}, {"version", "1"}}));
  EXPECT_EQ(own[1].labels, (std::vector<Label>{{"version", "1"}}));
  EXPECT_EQ(own[1].value, 2);
  EXPECT_EQ(share.raw, answer.raw);
  EXPECT_EQ(share.duration, Millis{7});
  EXPECT_EQ(share.shared_with, 3U);
  const Answer none = share_of(answer, {{"app", "b"}, {"version", "1"}}, {"app", "version"});
  EXPECT_TRUE(std::get<Vector>(none.result).series.empty());
  EXPECT_EQ(std::get<Vector>(answer.result).series[0].labels.size(), 3U) << "the others' as it was";
}

}  // namespace
}  // namespace rollwatch
