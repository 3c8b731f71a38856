// Stable's past is asked for in pieces, and put together slot by slot.
#include "daemon/engine/stable_past.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/analysis/plan_fixture.h"
#include "test/support/run.h"

namespace rollwatch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const SysTime kFirst = *parse_time("2026-01-02T03:00:00Z");
constexpr Millis kInterval{10'000};

// Answers each slot with its number, from as many series as a test says.
class PastSource : public MetricsSource {
 public:
  void ask(std::vector<Question>, Answered) override { ADD_FAILURE() << "only the past is asked"; }
  awaitable<QueryCheck> check(std::string, std::string) override { co_return QueryCheck{}; }
  Millis ingestion_delay(const std::string&) const override { return Millis{0}; }
  awaitable<Past> ask_past(PastQuestion question) override {
    asked.push_back(question.query + " " + std::to_string((question.first - kFirst) / kInterval) +
                    "-" + std::to_string((question.last - kFirst) / kInterval));
    if (asked.size() > answers) co_return Unexpected(std::string("no route to host"));
    std::vector<PastSlot> slots;
    for (SysTime at = question.first; at <= question.last; at += question.step) {
      const auto number = static_cast<double>((at - kFirst) / kInterval);
      PastSlot slot{at, {}};
      slot.answer.result = Vector{SeriesList(std::vector<Series>(series, Series{{}, number}))};
      slots.push_back(std::move(slot));
    }
    co_return slots;
  }

  std::vector<std::string> asked;
  std::size_t answers = 1000;
  std::size_t series = 1;
};

class StablePast : public testing::Test {
 protected:
  StablePast() {
    spec.stable = "1.23";
    spec.candidate = "1.24";
  }
  Expected<std::vector<HistorySlot>, std::string> read(int slots) {
    std::optional<Expected<std::vector<HistorySlot>, std::string>> found;
    net::io_context io;
    run<bool>(io, [&]() -> awaitable<bool> {
      const PastTimes times{kFirst, kFirst + (slots - 1) * kInterval};
      const QuestionPlace place{0, 5};
      found.emplace(co_await stable_past(source, spec, plan, place, times));
      co_return true;
    });
    return *std::move(found);
  }

  PastSource source;
  RolloutSpec spec;
  ConditionPlan plan{
      .name = "errors",
      .kind = CompareCondition{query("all{version=\"{{version}}\"}"),
                               query("bad{version=\"{{version}}\"}"), statistics::RateRules{}},
      .interval = kInterval,
      .timeout = std::nullopt,
      .steps = {}};
};

TEST_F(StablePast, IsAskedForInPiecesAndIsWhole) {
  const auto slots = read(70);
  ASSERT_TRUE(slots.has_value()) << slots.error();
  EXPECT_THAT(source.asked,
              ElementsAre("all{version=\"1.23\"} 0-30", "all{version=\"1.23\"} 31-61",
                          "all{version=\"1.23\"} 62-69", "bad{version=\"1.23\"} 0-30",
                          "bad{version=\"1.23\"} 31-61", "bad{version=\"1.23\"} 62-69"));
  ASSERT_EQ(slots->size(), 70);
  for (std::size_t i = 0; i < slots->size(); ++i) {
    const HistorySlot& slot = (*slots)[i];
    EXPECT_EQ(slot.at, kFirst + static_cast<std::int64_t>(i) * kInterval);
    EXPECT_EQ(std::get<Vector>(slot.counted.result).series.front().value, static_cast<double>(i));
    EXPECT_EQ(std::get<Vector>(slot.bad->result).series.front().value, static_cast<double>(i));
  }
}

TEST_F(StablePast, WhatARolloutReadsIsOnePiece) {
  EXPECT_TRUE(read(31));
  EXPECT_EQ(source.asked.size(), 2);
}

TEST_F(StablePast, APieceThatIsMissingIsAnError) {
  source.answers = 4;
  EXPECT_EQ(read(70).error(), "no route to host");
}

TEST_F(StablePast, TooMuchIsRefusedBeforeAllOfItIsThere) {
  source.series = 5'000;
  EXPECT_TRUE(read(31).has_value()) << "what a rollout may have to read when it begins";
  source.series = 30'000;
  EXPECT_TRUE(read(31).has_value()) << "of a histogram too";
  source.series = 5'000;
  source.asked.clear();
  EXPECT_THAT(read(300).error(), HasSubstr("take the counters together with sum by (pod)"));
  EXPECT_EQ(source.asked.size(), 2);
}

// sum by (pod) of buckets has no boundaries any more.
TEST_F(StablePast, WhatIsTooMuchOfAHistogramSaysWhatLeavesItsBoundaries) {
  auto& compares = std::get<CompareCondition>(plan.kind);
  compares.rules = statistics::HistogramRules{};
  compares.bad.reset();
  source.series = 20'000;
  EXPECT_THAT(read(70).error(), HasSubstr("sum by (pod, le)"));
}

}  // namespace
}  // namespace rollwatch
