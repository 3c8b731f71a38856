#include "analysis/statistics/counters.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "analysis/statistics/codec.h"

namespace rollwatch::statistics {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kEvents = 0, kBad = 1;

// A service's counters as they are scraped, by pod; a pod that is not named was not scraped.
struct Scrape {
  std::string pod;
  double events;
  std::optional<double> bad;
};

class Counting : public testing::Test {
 protected:
  // Events and bad events since the scrape before, of all pods.
  std::pair<double, double> after(const std::vector<Scrape>& pods) {
    std::vector<CounterSample> samples;
    for (const auto& [pod, events, bad] : pods) {
      const std::uint64_t source = series_key(pod);
      if (events >= 0) samples.push_back({source, series_key(pod + "/events"), kEvents, events});
      if (bad) samples.push_back({source, series_key(pod + "/bad"), kBad, *bad});
    }
    at_ += Millis(30'000);
    EXPECT_TRUE(table_.update(at_, samples, counted_));
    return {counted_.total(kEvents), counted_.total(kBad)};
  }

  static constexpr double kNotScraped = -1;
  static constexpr std::nullopt_t kNever = std::nullopt;
  SysTime at_{};
  CounterTable table_ = CounterTable::start(2);
  Increments counted_;
};

using Counts = std::pair<double, double>;

TEST_F(Counting, TheFirstScrapeOnlyRemembers) {
  EXPECT_EQ(after({{"a", 1000, 10}}), Counts(0, 0));
  EXPECT_THAT(counted_.sources, IsEmpty());
  EXPECT_EQ(after({{"a", 1050, 11}}), Counts(50, 1));
}

TEST_F(Counting, ErrorsThatNeverWereAreNone) {
  after({{"a", 1000, kNever}});
  EXPECT_EQ(after({{"a", 1050, kNever}}), Counts(50, 0));
  EXPECT_EQ(after({{"a", 1100, 3}}), Counts(50, 3)) << "born since: all three are new";
  EXPECT_EQ(after({{"a", 1150, 3}}), Counts(50, 0));
}

TEST_F(Counting, APodThatIsNewCountsFromZero) {
  after({{"a", 1000, 10}});
  EXPECT_EQ(after({{"a", 1000, 10}, {"b", 7, 1}}), Counts(7, 1));
}

TEST_F(Counting, AGapIsCountedWithTheNextScrape) {
  after({{"a", 1000, 10}, {"b", 500, 0}});
  EXPECT_EQ(after({{"b", 550, 0}}), Counts(50, 0));
  EXPECT_EQ(after({{"b", 600, 0}}), Counts(50, 0));
  EXPECT_EQ(after({{"a", 1150, 12}, {"b", 650, 0}}), Counts(200, 2));
}

TEST_F(Counting, NotANumberIsAGapToo) {
  after({{"a", 1000, 10}});
  after({{"a", std::numeric_limits<double>::quiet_NaN(), 11}});
  EXPECT_THAT(counted_.sources, IsEmpty());
  EXPECT_EQ(after({{"a", 1100, 12}}), Counts(100, 2));
}

// Errors of one time over the requests of another would be a rate that nobody had.
TEST_F(Counting, ErrorsNeverMeetTheRequestsOfAnotherTime) {
  after({{"a", 1000, 10}});
  EXPECT_EQ(after({{"a", 1100, kNever}}), Counts(0, 0)) << "errors are missing";
  EXPECT_THAT(counted_.sources, IsEmpty());
  EXPECT_EQ(after({{"a", kNotScraped, 15}}), Counts(0, 0)) << "requests are missing";
  EXPECT_EQ(after({{"a", 1300, 16}}), Counts(300, 6));
}

TEST_F(Counting, ARestartBeginsAtZero) {
  after({{"a", 1000, 10}});
  EXPECT_EQ(after({{"a", 40, kNever}}), Counts(40, 0)) << "and has had no errors yet";
  EXPECT_EQ(after({{"a", 90, 2}}), Counts(50, 2));
}

// A pod that crashes in a loop makes as many errors in each of its lives; the counter of errors
// alone would look as if it stood still.
TEST_F(Counting, WhereOneCounterBeganAnewAllDid) {
  after({{"a", 1000, 10}});
  EXPECT_EQ(after({{"a", 50, 10}}), Counts(50, 10));
  EXPECT_EQ(after({{"a", 45, 10}}), Counts(45, 10));
  EXPECT_EQ(after({{"a", 47, 12}}), Counts(2, 2));
  EXPECT_EQ(after({{"a", 60, 1}}), Counts(60, 1)) << "seen by the errors";
}

TEST_F(Counting, WhatWasLongAwayDoesNotCountItsLifeAgain) {
  after({{"a", 1'000'000, 900}, {"b", 10, 0}});
  for (int i = 0; i < 20; ++i) after({{"b", 20.0 + i, 0}});
  EXPECT_EQ(after({{"a", 1'000'700, 901}, {"b", 50, 0}}), Counts(711, 1));
}

TEST_F(Counting, NothingWaitsForASeriesThatIsGone) {
  after({{"a", 1000, 10}});
  for (int i = 1; i < 10; ++i) EXPECT_EQ(after({{"a", 1000.0 + i, kNever}}), Counts(0, 0)) << i;
  EXPECT_EQ(after({{"a", 1010, kNever}}), Counts(10, 0)) << "what was held back comes at once";
  EXPECT_EQ(after({{"a", 1011, kNever}}), Counts(1, 0));
}

// Two servers behind one address, half a scrape apart: each answer of the one that is behind looked
// as if the pod had begun anew, and all it ever did was counted again.
TEST_F(Counting, WhatWentBackALittleWasReadFromAServerThatIsBehind) {
  after({{"a", 3000, 90}});
  EXPECT_EQ(after({{"a", 3500, 92}}), Counts(500, 2));
  EXPECT_EQ(after({{"a", 3400, 91}}), Counts(0, 0));
  EXPECT_THAT(counted_.sources, IsEmpty()) << "of one process everything is counted, or nothing";
  EXPECT_EQ(after({{"a", 4000, 94}}), Counts(500, 2)) << "from where it was";
  EXPECT_EQ(after({{"a", 4500, 93}}), Counts(0, 0)) << "one question of two was";
  EXPECT_EQ(after({{"a", 4600, 95}}), Counts(600, 1));
  EXPECT_EQ(after({{"a", 2200, 5}}), Counts(2200, 5)) << "half of it is a new life";
  EXPECT_EQ(after({{"a", 1000, 600}}), Counts(1000, 600));
  EXPECT_EQ(after({{"a", 1100, 100}}), Counts(1100, 100)) << "so it is where one fell by half";
}

TEST_F(Counting, WhatStaysBehindIsWhereItIs) {
  after({{"a", 1000, 10}});
  for (int i = 1; i < 10; ++i) EXPECT_EQ(after({{"a", 900.0 + i, 10}}), Counts(0, 0)) << i;
  EXPECT_EQ(after({{"a", 911, 11}}), Counts(0, 1)) << "it never counts its life again";
  EXPECT_EQ(after({{"a", 921, 12}}), Counts(10, 1));
}

TEST_F(Counting, TheLastDigitsOfASumAreNothing) {
  after({{"a", 1000.3, 10}});
  EXPECT_EQ(after({{"a", 1000.2999999999, 11}}), Counts(0, 1));
  EXPECT_EQ(after({{"a", 1000.3, 11}}), Counts(0, 0));
}

// A pod's counters by path, with the bad ones of them as series of the same labels.
class CountingByPath : public Counting {
 protected:
  struct Path {
    std::string name;
    std::optional<double> events, bad;
  };
  Counts after(const std::vector<Path>& paths) {
    std::vector<CounterSample> samples;
    for (const auto& [name, events, bad] : paths) {
      if (events) samples.push_back({series_key("a"), series_key(name), kEvents, *events});
      if (bad) samples.push_back({series_key("a"), series_key(name), kBad, *bad});
    }
    at_ += Millis(30'000);
    EXPECT_TRUE(table_.update(at_, samples, counted_));
    return {counted_.total(kEvents), counted_.total(kBad)};
  }
};

// An exporter that drops labels which were idle: the pod was held for ten slots each time.
TEST_F(CountingByPath, NothingWaitsForLabelsThatEndedBesideOthers) {
  after({{"/", 1000, 10}, {"/idle", 50, 5}});
  EXPECT_EQ(after({{"/", 1100, 11}}), Counts(100, 1));
  EXPECT_EQ(after({{"/", 1200, 12}}), Counts(100, 1));
  EXPECT_EQ(after({{"/", 1300, 13}, {"/idle", 57, 6}}), Counts(107, 2)) << "it goes on";
}

TEST_F(CountingByPath, HalfOfASeriesWasLostOnTheWay) {
  after({{"/", 1000, 10}, {"/x", 50, 5}});
  EXPECT_EQ(after({{"/", 1100, 11}, {"/x", 60, kNever}}), Counts(0, 0));
  EXPECT_EQ(after({{"/", 1200, 12}, {"/x", kNever, 7}}), Counts(0, 0));
  EXPECT_EQ(after({{"/", 1300, 13}, {"/x", 90, 8}}), Counts(340, 6));
}

TEST_F(CountingByPath, TheOnlyErrorsMayHaveEndedWithTheirLabels) {
  after({{"/", 1000, kNever}, {"/x", 50, 5}});
  EXPECT_EQ(after({{"/", 1100, kNever}}), Counts(100, 0));
}

// Bad events by instance and events by pod: nothing bad was ever counted.
TEST_F(Counting, BadEventsWithoutEventsAreNoticed) {
  const auto without = [this](const std::vector<Scrape>& pods) {
    std::vector<CounterSample> samples;
    for (const auto& [pod, events, bad] : pods) {
      if (events >= 0) samples.push_back({series_key(pod), 1, kEvents, events});
      if (bad) samples.push_back({series_key(pod), 2, kBad, *bad});
    }
    const auto found = table_.without_events(samples);
    at_ += Millis(30'000);
    table_.update(at_, samples, counted_);
    return found;
  };
  const auto b = series_key("b"), c = series_key("c");
  EXPECT_THAT(without({{"a", 10, 1}, {"b", kNotScraped, 7}}), IsEmpty()) << "nothing is known yet";
  EXPECT_THAT(without({{"a", 20, 1}, {"b", kNotScraped, 7}}), IsEmpty()) << "nothing is lost yet";
  EXPECT_THAT(without({{"a", 30, 1}, {"b", kNotScraped, 8}}), ElementsAre(b));
  EXPECT_THAT(without({{"a", 30, 1}, {"c", kNotScraped, 1}}), IsEmpty()) << "one slot may be so";
  EXPECT_THAT(without({{"a", 30, 1}, {"c", kNotScraped, 1}}), ElementsAre(c));
  EXPECT_THAT(without({{"a", 30, 1}, {"c", 5, 2}}), IsEmpty());
  EXPECT_EQ(counted_.total(kBad), 2) << "and counts whole, when the events are there";
  for (int i = 0; i < 10; ++i)
    EXPECT_THAT(without({{"a", 30, 1}, {"c", kNotScraped, 3}}), IsEmpty()) << "they may come again";
  EXPECT_THAT(without({{"a", 30, 1}, {"c", kNotScraped, 3}}), ElementsAre(c));
}

TEST_F(Counting, WhatIsNeverSeenAgainIsForgottenInTheEnd) {
  after({{"a", 1000, 10}, {"b", 10, 0}});
  for (int i = 0; i < 1100; ++i) after({{"b", 20.0 + i, 0}});
  EXPECT_EQ(table_.series.size(), 2U);
}

TEST_F(Counting, ASlotThatWasCountedIsNotCountedAgain) {
  after({{"a", 1000, 10}});
  after({{"a", 1050, 11}});
  const CounterTable before = table_;
  std::vector<CounterSample> samples{{series_key("a"), series_key("a/events"), kEvents, 1100}};
  EXPECT_FALSE(table_.update(at_, samples, counted_));
  EXPECT_FALSE(table_.update(at_ - Millis(1), samples, counted_));
  EXPECT_THAT(counted_.sources, IsEmpty());
  EXPECT_EQ(table_, before);
}

TEST(CounterTable, SeriesOfNobodyKnowsWhatAreCountedEachByItself) {
  CounterTable table = CounterTable::start(1);
  Increments counted;
  std::vector<CounterSample> first{{kUnknownSource, 1, 0, 100}, {kUnknownSource, 2, 0, 50}};
  std::vector<CounterSample> second{{kUnknownSource, 1, 0, 3}, {kUnknownSource, 2, 0, 60}};
  std::vector<CounterSample> third{{kUnknownSource, 2, 0, 61}};
  table.update(SysTime(Millis(1)), first, counted);
  table.update(SysTime(Millis(2)), second, counted);
  EXPECT_EQ(counted.total(0), 13) << "the restart of one is not that of the other";
  table.update(SysTime(Millis(3)), third, counted);
  EXPECT_EQ(counted.total(0), 1);
}

TEST(CounterTable, ASeriesThatIsGivenTwiceCountsOnceAndPartsThatAreNoneNever) {
  CounterTable table = CounterTable::start(1);
  Increments counted;
  std::vector<CounterSample> first{{5, 1, 0, 10}, {5, 1, 0, 12}, {5, 1, 9, 77}};
  std::vector<CounterSample> second{{5, 1, 0, 20}};
  table.update(SysTime(Millis(1)), first, counted);
  EXPECT_EQ(table.series.size(), 1U);
  table.update(SysTime(Millis(2)), second, counted);
  EXPECT_EQ(counted.total(0), 8);
}

// Pods come, restart, are scraped or not: every event that a scrape could see is counted once. It
// makes no difference in which order series were read, nor whether the table was saved in between.
TEST(CounterTable, CountsEveryEventOnceWhateverHappens) {
  std::mt19937_64 random(12);
  const auto chance = [&](double p) { return std::bernoulli_distribution(p)(random); };
  struct Pod {
    double events = 0, bad = 0;                  // of this life
    double events_scraped = 0, bad_scraped = 0;  // when it was scraped last
  };
  for (int run = 0; run < 30; ++run) {
    std::map<std::string, Pod> pods;
    CounterTable table = CounterTable::start(2), resumed = table;
    Increments counted, counted_resumed;
    double happened = 0, happened_bad = 0, seen = 0, seen_bad = 0;
    constexpr int kSlots = 60;
    for (int slot = 0; slot < kSlots; ++slot) {
      if (slot % 10 == 0) pods["pod" + std::to_string(pods.size())] = {};
      std::vector<CounterSample> samples;
      for (auto& [name, pod] : pods) {
        // One that is scraped before it has counted half as much as its last life; else nobody sees
        // it.
        const bool restarts = pod.events_scraped > 200 && chance(0.1);
        if (restarts) {
          happened -= pod.events - pod.events_scraped;
          happened_bad -= pod.bad - pod.bad_scraped;
          pod = {};
        }
        const double events = std::floor(std::uniform_real_distribution<>(30, 100)(random));
        const double bad = chance(0.3) ? 1 : 0;
        pod.events += events;
        pod.bad += bad;
        happened += slot > 0 ? events : 0;
        happened_bad += slot > 0 ? bad : 0;
        const bool is_scraped = slot == 0 || slot + 1 == kSlots || restarts || chance(0.8);
        if (!is_scraped) continue;
        pod.events_scraped = pod.events;
        pod.bad_scraped = pod.bad;
        const std::uint64_t source = series_key(name);
        samples.push_back({source, series_key(name + "e"), kEvents, pod.events});
        if (pod.bad > 0) samples.push_back({source, series_key(name + "b"), kBad, pod.bad});
      }
      std::vector<CounterSample> shuffled = samples;
      std::shuffle(shuffled.begin(), shuffled.end(), random);
      const SysTime at{Millis(slot * 30'000)};
      ASSERT_TRUE(table.update(at, samples, counted));
      resumed = decode<CounterTable>(encode(resumed)).value();
      ASSERT_TRUE(resumed.update(at, shuffled, counted_resumed));
      ASSERT_EQ(counted.sources, counted_resumed.sources);
      ASSERT_EQ(counted.counts, counted_resumed.counts);
      ASSERT_EQ(encode(table), encode(resumed));
      seen += counted.total(kEvents);
      seen_bad += counted.total(kBad);
    }
    EXPECT_EQ(seen, happened) << "run " << run;
    EXPECT_EQ(seen_bad, happened_bad) << "run " << run;
  }
}

// Pods that live for one slot each: what is remembered of them is bounded, and those that went
// first are forgotten first.
TEST(CounterTable, DoesNotGrowWithEveryPodThatEverWas) {
  constexpr std::uint64_t kEach = 400;
  CounterTable table = CounterTable::start(1);
  Increments increments;
  std::vector<CounterSample> samples;
  for (std::uint64_t slot = 0; slot < 260; ++slot) {
    samples = {{1, 1, 0, static_cast<double>(slot)}};
    for (std::uint64_t pod = 0; pod < kEach; ++pod)
      samples.push_back({2 + slot * kEach + pod, 1, 0, 5});
    ASSERT_TRUE(table.update(SysTime(Millis(static_cast<int>(slot))), samples, increments));
    ASSERT_EQ(increments.total(0), slot == 0 ? 0 : kEach * 5 + 1);
    ASSERT_LE(table.series.size(),
              1 + CounterTable::kLongGoneAfter * kEach + CounterTable::kMostLongGone);
  }
  EXPECT_GT(table.series.size(), CounterTable::kMostLongGone);
  std::uint32_t longest = 0;
  for (const CounterSeries& one : table.series) longest = std::max(longest, one.missing);
  EXPECT_EQ(longest, CounterTable::kLongGoneAfter + CounterTable::kMostLongGone / kEach - 1);
}

TEST(SeriesKey, TellsLabelsApartAndIsTheSameOnEveryRun) {
  EXPECT_EQ(series_key("pod=\"a\""), series_key("pod=\"a\""));
  EXPECT_NE(series_key("pod=\"a\""), series_key("pod=\"b\""));
  EXPECT_EQ(series_key(""), 0xefd01f60ba992926U);
  std::vector<int> groups(8, 0);
  for (int i = 0; i < 8000; ++i) ++groups[series_key("pod-" + std::to_string(i)) % 8];
  for (const int size : groups) EXPECT_NEAR(size, 1000, 150);
}

}  // namespace
}  // namespace rollwatch::statistics
