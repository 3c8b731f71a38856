// From lags to a delay, and the loop that asks for them.
#include "daemon/prometheus/ingestion_lag.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "daemon/prometheus/measured_delays.h"
#include "test/support/manual_clock.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Millis seconds(double s) { return Millis{std::llround(s * 1'000)}; }

// Looks a minute apart; "15 15 92": the delay in seconds after each. kAway: it gives no answer.
constexpr double kAway = 1e9;
std::string delays(const std::vector<double>& lags) {
  IngestionLag lag;
  std::string text;
  SysTime at{};
  for (const double seen : lags) {
    at += std::chrono::minutes(1);
    if (seen == kAway)
      lag.away();
    else
      lag.seen(seconds(seen), at);
    text += (text.empty() ? "" : " ") + std::to_string(lag.delay().count() / 1'000);
    EXPECT_EQ(lag.delay() % Millis{1'000}, Millis{0}) << "whole seconds";
  }
  return text;
}

std::vector<double> times(std::size_t count, double lag) { return std::vector(count, lag); }

std::vector<double> operator+(std::vector<double> a, const std::vector<double>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(IngestionLag, BeforeTheFirstLookItIsWhatIsUsual) {
  EXPECT_EQ(IngestionLag().delay(), Millis{15'000});
}

TEST(IngestionLag, RisesToWhatTwoLooksSawAndFallsSlowly) {
  struct Row {
    const char* name;
    std::vector<double> lags;
    const char* delays;
  };
  const Row rows[] = {
      {"a lag of 90 s", {90.2}, "91"},
      {"it stays", times(12, 90.2), "91 91 91 91 91 91 91 91 91 91 91 91"},
      {"no lag at all", times(12, 0.2), "12 9 7 5 4 3 2 2 2 2 2 2"},
      {"as it was assumed", {14.2, 14.9, 13.5}, "15 15 15"},
      // It was away for three minutes, and at the first look most targets were not scraped again
      // yet.
      {"a metrics server that was restarted",
       {1, 1, kAway, kAway, 166, 1, 1, 1},
       "12 9 9 9 9 7 6 5"},
      {"and scrapes seldom: nothing new comes for two looks",
       {1, 1, kAway, 166, 226, 1, 1},
       "12 9 9 9 9 7 6"},
      {"restarted together with rollwatchd", {kAway, 166, 1, 1}, "15 15 12 9"},
      {"so was one that is late indeed", {kAway, 92, 92.5, 91}, "15 15 92 92"},
      {"a first look that was odd", {166, 1, 1, 1}, "166 156 146 136"},
      {"whole seconds, rounded up", {20.001, 20.999, 21}, "21 21 21"},
      {"an estimate below nothing", times(12, -3.5), "12 9 7 5 4 3 2 2 2 2 2 2"},
      {"90 s from one look to the next", {1, 90, 91.5, 92}, "12 12 90 92"},
      {"and gone again: ten looks later it begins to fall",
       std::vector<double>{90, 90} + times(16, 1),
       "90 90 90 90 90 90 90 90 90 90 90 80 70 60 50 40 31 23"},
      {"one odd look", {1, 1, 40, 1, 1}, "12 9 9 7 6"},
      {"noise of one target moves nothing",
       times(10, 1.2) + std::vector<double>{-12, 1.3, -5, 0, -13, 1.4},
       "12 9 8 6 5 4 3 3 3 3 3 3 3 3 3 3"},
      {"not more than five minutes", {299.5, 301, 2'000}, "300 300 300"},
      {"a second at least", times(40, 0), nullptr},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    if (row.delays != nullptr) {
      EXPECT_EQ(delays(row.lags), row.delays);
    } else {
      const std::string all = delays(row.lags);
      EXPECT_EQ(all.substr(all.rfind(' ')), " 2") << all;
    }
  }
}

// Never more than ten seconds: two neighbouring windows that overlap by that leave nothing between
// them that nobody looks at.
TEST(IngestionLag, NeverFallsSteeply) {
  IngestionLag lag;
  SysTime at{};
  for (int i = 0; i < 10; ++i) lag.seen(Millis{300'000}, at += std::chrono::minutes(1));
  Millis before = lag.delay();
  EXPECT_EQ(before, Millis{300'000});
  for (int i = 0; i < 100; ++i) {
    lag.seen(Millis{0}, at += std::chrono::minutes(1));
    const Millis fall = before - lag.delay();
    EXPECT_LE(fall, Millis{10'000});
    EXPECT_GE(fall, Millis{0});
    before = lag.delay();
  }
  EXPECT_LE(before, Millis{3'000});
}

Answer one(double value) {
  Answer answer;
  answer.result = Vector{{{{}, value}}};
  return answer;
}

TEST(IngestionLag, OfAnAnswer) {
  EXPECT_EQ(lag_of(one(90.25)), Millis{90'250});
  EXPECT_EQ(lag_of(one(-3)), Millis{-3'000});
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double odd : {std::nan(""), infinity, -infinity, 3'600.0, -3'600.0}) {
    EXPECT_EQ(lag_of(one(odd)), std::nullopt) << odd;
  }
  Answer answer;
  answer.result = Vector{};
  EXPECT_EQ(lag_of(answer), std::nullopt) << "no `up`";
  answer.result = QueryFailure{FailureKind::kTimeout, "no answer", 0};
  EXPECT_EQ(lag_of(answer), std::nullopt);
  answer = one(90);
  answer.partial = true;
  EXPECT_EQ(lag_of(answer), std::nullopt) << "some of it is missing";
}

// Answers as a test says, each question once.
class LagSource : public MetricsSource {
 public:
  explicit LagSource(net::io_context& io) : io_(io) {}
  void ask(std::vector<Question> questions, Answered answered) override {
    for (std::size_t i = 0; i < questions.size(); ++i) {
      asked.push_back(questions[i]);
      if (hangs) continue;
      net::post(io_, [answered, i, answer = answer] { answered(i, answer); });
    }
  }
  awaitable<QueryCheck> check(std::string, std::string query) override {
    co_return QueryCheck{QueryCheck::Verdict::kRefused, query};
  }
  Millis ingestion_delay(const std::string& datasource) const override {
    return datasource == "fixed" ? Millis{7'000} : Millis{0};
  }

  std::vector<Question> asked;
  Answer answer = one(90.2);
  bool hangs = false;

 private:
  net::io_context& io_;
};

class MeasuredDelaysTest : public testing::Test {
 protected:
  MeasuredDelaysTest() {
    DelayHooks hooks;
    hooks.changed = [this](const std::string& name, Millis before, Millis after) {
      told.push_back(name + " " + format_duration(before) + " " + format_duration(after));
    };
    hooks.nothing_to_measure = [this](const std::string& name) { told.push_back(name + " ?"); };
    delays = std::make_unique<MeasuredDelays>(
        io.get_executor(), clock, source, [this] { return share; }, std::move(hooks));
  }

  net::io_context io;
  ManualClock clock{io};
  LagSource source{io};
  double share = 0.5;
  std::vector<std::string> told;
  std::unique_ptr<MeasuredDelays> delays;
};

TEST_F(MeasuredDelaysTest, LooksAboutOnceAMinuteForNow) {
  EXPECT_EQ(delays->ingestion_delay("vm"), Millis{0}) << "not measured: the source's own";
  delays->measure({"vm"});
  EXPECT_EQ(delays->ingestion_delay("vm"), Millis{15'000});
  EXPECT_EQ(delays->ingestion_delay("fixed"), Millis{7'000});
  clock.settle();
  ASSERT_EQ(source.asked.size(), 1U);
  EXPECT_EQ(source.asked[0].datasource, "vm");
  EXPECT_EQ(source.asked[0].query, lag_query());
  EXPECT_EQ(source.asked[0].time, clock.wall());
  EXPECT_EQ(delays->ingestion_delay("vm"), Millis{91'000});
  EXPECT_THAT(told, ElementsAre("vm 15s 1m31s"));
  share = 0;
  clock.advance(Millis{59'999});
  EXPECT_EQ(source.asked.size(), 1U);
  clock.advance(Millis{1});
  EXPECT_EQ(source.asked.size(), 2U);
  EXPECT_EQ(source.asked[1].time, clock.wall());
  clock.advance(Millis{50'000});
  EXPECT_EQ(source.asked.size(), 3U) << "not in step with a scrape";
  EXPECT_EQ(told.size(), 1U) << "only what changes is told";
}

TEST_F(MeasuredDelaysTest, WithoutAMeasurementItStaysAsItIs) {
  source.answer.result = QueryFailure{FailureKind::kUnreachable, "refused", 0};
  delays->measure({"vm"});
  clock.advance(Millis{300'000});
  EXPECT_EQ(delays->ingestion_delay("vm"), Millis{15'000});
  EXPECT_THAT(told, IsEmpty()) << "the source says that it is down";
  source.answer.result = Vector{};
  clock.advance(Millis{300'000});
  EXPECT_THAT(told, ElementsAre("vm ?")) << "once";
  source.answer = one(40);
  clock.advance(Millis{70'000});
  source.answer.result = Vector{};
  clock.advance(Millis{3'600'000});
  EXPECT_EQ(delays->ingestion_delay("vm"), Millis{40'000});
  EXPECT_THAT(told, ElementsAre("vm ?", "vm 15s 40s", "vm ?"));
}

// After a restart of the host the metrics server refuses at first: a lag of 92 s became 15 s until
// the next look a minute later.
TEST_F(MeasuredDelaysTest, AFirstLookThatFailedIsRepeatedSoon) {
  source.answer.result = QueryFailure{FailureKind::kUnreachable, "refused", 0};
  delays->measure({"vm"});
  clock.settle();
  source.answer = one(92);
  clock.advance(Millis{20'000});
  EXPECT_EQ(delays->ingestion_delay("vm"), Millis{92'000});
  EXPECT_EQ(source.asked.size(), 3U) << "once it is known, about once a minute";
}

TEST_F(MeasuredDelaysTest, WhatNeverAnswersIsNotAskedEverySecond) {
  source.answer.result = QueryFailure{FailureKind::kUnreachable, "refused", 0};
  delays->measure({"vm"});
  clock.advance(std::chrono::hours(1));
  EXPECT_GE(source.asked.size(), 60U);
  EXPECT_LE(source.asked.size(), 80U);
}

TEST_F(MeasuredDelaysTest, WhatIsNotMeasuredAnyMoreIsNotAsked) {
  delays->measure({"a", "b"});
  clock.settle();
  EXPECT_EQ(source.asked.size(), 2U);
  delays->measure({"b", "c"});
  clock.settle();
  EXPECT_EQ(source.asked.size(), 3U) << "b goes on, c begins";
  EXPECT_EQ(delays->ingestion_delay("a"), Millis{0});
  EXPECT_EQ(delays->ingestion_delay("b"), Millis{91'000}) << "what is known is kept";
  delays->measure({"a", "b", "c"});
  clock.advance(Millis{60'000});
  EXPECT_EQ(source.asked.size(), 7U) << "each by one loop";
  delays->stop();
  clock.advance(Millis{600'000});
  EXPECT_EQ(source.asked.size(), 7U);
}

TEST_F(MeasuredDelaysTest, AStartWaitsForTheFirstLooksButNotForEver) {
  bool waited = false;
  const auto wait = [&] {
    waited = false;
    net::co_spawn(
        io,
        [&]() -> awaitable<void> {
          co_await delays->first_looks(Millis{3'000});
          waited = true;
        },
        [](const std::exception_ptr&) {});
    clock.settle();
  };
  wait();
  EXPECT_TRUE(waited) << "nothing is measured";
  delays->measure({"vm"});
  wait();
  EXPECT_TRUE(waited);
  EXPECT_EQ(delays->ingestion_delay("vm"), Millis{91'000});
  source.hangs = true;
  delays->measure({"vm", "slow"});
  wait();
  EXPECT_FALSE(waited);
  clock.advance(Millis{2'999});
  EXPECT_FALSE(waited);
  clock.advance(Millis{1});
  EXPECT_TRUE(waited);
}

TEST_F(MeasuredDelaysTest, EverythingElseGoesToTheSource) {
  std::vector<Question> questions(2);
  questions[1].query = "x";
  int answered = 0;
  delays->ask(std::move(questions), [&](std::size_t, const Answer&) { ++answered; });
  clock.settle();
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(source.asked[1].query, "x");
  const QueryCheck check = run<QueryCheck>(io, [&] { return delays->check("vm", "sum("); });
  EXPECT_EQ(check.message, "sum(");
}

}  // namespace
}  // namespace rollwatch
