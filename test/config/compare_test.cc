// What may be said about a comparison with stable, and what may not.
#include <gmock/gmock.h>

#include <cmath>

#include "config/compare_reader.h"
#include "config/merge.h"
#include "config/plan_decoder.h"
#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Expected<Plan, FieldErrors> compare_plan(const std::string& members) {
  const auto value = value_from_json(R"({"steps": [{"weight": 5}], "condition": [{"name": "c", )" +
                                     members + "}]}");
  if (!value) throw std::invalid_argument(members);
  return decode_plan(*value);
}

const CompareCondition& compared(const Plan& plan) {
  return std::get<CompareCondition>(plan.conditions.front().kind);
}

constexpr const char* kRate =
    R"("compare": "rate", "events": "r{v=\"{{version}}\"}", "bad_events": "e{v=\"{{version}}\"}")";
constexpr const char* kHistogram =
    R"("compare": "histogram", "buckets": "b_bucket{v=\"{{version}}\"}")";
constexpr const char* kGauge = R"("compare": "gauge", "query": "m{v=\"{{version}}\"}")";
constexpr const char* kRanks = R"("compare": "mann-whitney", "query": "m{v=\"{{version}}\"}")";

TEST(CompareConfig, TheDefaultsAreThoseOfTheSpecification) {
  const auto plan = compare_plan(kRate);
  ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
  const CompareCondition& c = compared(*plan);
  EXPECT_EQ(c.kind(), CompareKind::kRate);
  EXPECT_EQ(c.alpha, 0.01);
  EXPECT_EQ(c.warmup, 1min) << "two intervals";
  EXPECT_EQ(c.min_evidence, 100);
  EXPECT_FALSE(c.early_promote);
  const auto& rules = std::get<statistics::RateRules>(c.rules);
  EXPECT_EQ(rules.tolerance.factor, 1.25);
  EXPECT_EQ(rules.tolerance.extra, 0.0005);
  EXPECT_EQ(rules.margin.factor, 1.5);
  EXPECT_EQ(rules.margin.extra, 0.005);
  EXPECT_EQ(rules.dispersion.mode, statistics::DispersionMode::kAuto);
  EXPECT_EQ(first_slot_after(plan->conditions[0]), Millis{0});
}

TEST(CompareConfig, EveryKeyIsRead) {
  const auto plan = compare_plan(
      std::string(kRate) +
      R"(, "alpha": 0.05, "tolerance": {"factor": 2, "extra": 0.01}, "promote_margin": 3,
         "dispersion": 4, "warmup": "10s", "early_promote": true, "min_evidence": 7)");
  ASSERT_FALSE(plan) << "a margin of 3 has an extra of 0.005";
  EXPECT_THAT(ConfigInMemory::text_of(plan.error()), HasSubstr("must not be narrower"));
  const auto good = compare_plan(
      std::string(kRate) +
      R"(, "alpha": 0.05, "tolerance": {"factor": 2, "extra": 0.001}, "promote_margin": 3,
         "dispersion": 4, "warmup": "10s", "early_promote": true, "min_evidence": 7)");
  ASSERT_TRUE(good) << ConfigInMemory::text_of(good.error());
  const CompareCondition& c = compared(*good);
  const auto& rules = std::get<statistics::RateRules>(c.rules);
  EXPECT_EQ(c.alpha, 0.05);
  EXPECT_EQ(rules.tolerance.factor, 2);
  EXPECT_EQ(rules.margin.factor, 3);
  EXPECT_EQ(rules.dispersion.mode, statistics::DispersionMode::kFixed);
  EXPECT_EQ(rules.dispersion.largest_incident, 4);
  EXPECT_EQ(c.warmup, 10s);
  EXPECT_TRUE(c.early_promote);
  EXPECT_EQ(c.min_evidence, 7);
}

TEST(CompareConfig, AWiderToleranceWidensTheMarginThatIsNotGiven) {
  const auto plan = compare_plan(std::string(kRate) + R"(, "tolerance": 4)");
  ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
  EXPECT_EQ(std::get<statistics::RateRules>(compared(*plan).rules).margin.factor, 4);
}

TEST(CompareConfig, TheOtherKinds) {
  const auto histogram = compare_plan(std::string(kHistogram) + R"(, "tolerance": 0.2)");
  ASSERT_TRUE(histogram) << ConfigInMemory::text_of(histogram.error());
  EXPECT_EQ(std::get<statistics::HistogramRules>(compared(*histogram).rules).tolerance.slower, 0.2);
  const auto ratio = compare_plan(std::string(kGauge) + R"(, "tolerance": 0.2, "worse": "lower")");
  ASSERT_TRUE(ratio) << ConfigInMemory::text_of(ratio.error());
  const auto& lower = std::get<statistics::GaugeRules>(compared(*ratio).rules);
  EXPECT_FALSE(lower.larger_is_worse);
  EXPECT_DOUBLE_EQ(lower.margin, -std::log(0.8));
  const auto difference = compare_plan(std::string(kGauge) + R"(, "tolerance": {"difference": 5})");
  ASSERT_TRUE(difference) << ConfigInMemory::text_of(difference.error());
  const auto& absolute = std::get<statistics::GaugeRules>(compared(*difference).rules);
  EXPECT_EQ(absolute.mode, statistics::GaugeMode::kDifference);
  EXPECT_EQ(absolute.margin, 5);
  EXPECT_EQ(absolute.promote_margin, 10);
  const auto ranks = compare_plan(std::string(kRanks) + R"(, "tolerance": 1.5)");
  ASSERT_TRUE(ranks) << ConfigInMemory::text_of(ranks.error());
  EXPECT_EQ(std::get<RankRules>(compared(*ranks).rules).factor, 1.5);
}

TEST(CompareConfig, WhatHasNoMeaningIsRefusedAndSaysWhat) {
  struct Row {
    std::string members;
    std::string error;
  };
  const std::string rate = kRate, gauge = kGauge, ranks = kRanks, histogram = kHistogram;
  const Row rows[] = {
      {rate + R"(, "fail_if": "> 1")", "the limit is what stable does"},
      {rate + R"(, "pass_if": "> 1")", "the limit is what stable does"},
      {rate + R"(, "fail_after": 2)", "how much evidence decides is said by alpha"},
      {rate + R"(, "within": 2)", "how much evidence decides is said by alpha"},
      {rate + R"(, "window": "1m")", "subtracted from slot to slot"},
      {rate + R"(, "evidence": "x")", "min_evidence says how many"},
      {rate + R"(, "query": "x")", "it belongs to compare = \"gauge\" and \"mann-whitney\""},
      {rate + R"(, "reduce": "max")", "has no meaning beside compare = \"rate\""},
      {rate + R"(, "select": {"a": "b"})", "has no meaning beside compare = \"rate\""},
      {rate + R"(, "share": "auto")", "has no meaning beside compare = \"rate\""},
      {rate + R"(, "buckets": "b{v=\"{{version}}\"}")", "it belongs to compare = \"histogram\""},
      {rate + R"(, "worse": "lower")", "more bad events"},
      {rate + R"(, "on_no_data": "fail")", "a comparison counts evidence"},
      {gauge + R"(, "on_error": "fail")", "a comparison counts evidence"},
      {gauge + R"(, "dispersion": "off")", "about events that are counted"},
      {gauge + R"(, "min_evidence": 3)", "no events behind one number"},
      {gauge + R"(, "events": "e{v=\"{{version}}\"}")", "it belongs to compare = \"rate\""},
      {gauge + R"(, "tolerance": {"difference": 0}, "early_promote": true)",
       "how much worse is still good enough"},
      {gauge + R"(, "tolerance": {"factor": 2})", "factor"},
      {ranks + R"(, "early_promote": true)", "one look proves no candidate good"},
      {histogram + R"(, "tolerance": 20)", "must be from 0 to 10, not 20"},
      {histogram + R"(, "tolerance": 1, "promote_margin": 0.5)", "must not be narrower"},
      {R"("compare": "rate", "events": "r{v=\"{{version}}\"}")", "missing key \"bad_events\""},
      {R"("compare": "rate", "events": "r", "bad_events": "e{v=\"{{version}}\"}")",
       "must use {{version}}"},
      {R"("compare": "histogram")", "missing key \"buckets\""},
      {R"("compare": "gauge")", "missing key \"query\""},
      {R"("query": "x{v=\"{{version}}\"} > 1")", "{{version}} belongs to a comparison"},
      {R"("query": "x > 1", "alpha": 0.05)", "belongs to a comparison with stable"},
      {R"("query": "x > 1", "tolerance": 2)", "belongs to a comparison with stable"},
  };
  for (const Row& row : rows) {
    const auto plan = compare_plan(row.members);
    ASSERT_FALSE(plan) << row.members;
    EXPECT_THAT(ConfigInMemory::text_of(plan.error()), HasSubstr(row.error)) << row.members;
  }
}

TEST(CompareConfig, CountersAreTakenAsTheyAre) {
  struct Row {
    std::string events;
    std::string error;  // "": it is good
  };
  const Row rows[] = {
      {"r{v='{{version}}'}", ""},
      {"sum by (pod) (r{v='{{version}}'})", ""},
      {"sum(r{v='{{version}}'}) by (pod)", ""},
      {"sum without (code) (r{v='{{version}}'})", ""},
      {"r{v='{{version}}'} or rate{v='{{version}}'}", ""},
      {"rate(r{v='{{version}}'}[1m])", "rate() counts an event once for every window"},
      {"increase(r{v='{{version}}'}[1m])", "increase() counts an event"},
      {"sum(r{v='{{version}}'})", "a sum over processes falls when one of them restarts"},
      {"sum by (code) (r{v='{{version}}'})", "keep the process: sum by (pod)"},
      {"sum without (pod) (r{v='{{version}}'})", "keep the process: sum by (pod)"},
      {"sum by (code, instance) (r{v='{{version}}'})", ""},
      {"max by (pod) (r{v='{{version}}'})", "max() of counters is no counter"},
      {"count(r{v='{{version}}'})", "count() of counters is no counter"},
  };
  for (const Row& row : rows) {
    const auto plan = compare_plan(R"("compare": "rate", "events": ")" + row.events +
                                   R"(", "bad_events": "e{v=\"{{version}}\"}")");
    EXPECT_EQ(plan.has_value(), row.error.empty()) << row.events;
    if (!plan) {
      EXPECT_THAT(ConfigInMemory::text_of(plan.error()), HasSubstr(row.error));
    }
  }
}

TEST(CompareConfig, OneAlphaForAll) {
  const auto with = [](const std::string& second) {
    const auto value = value_from_json(
        R"({"steps": [{"weight": 5}], "condition": [{"name": "a", )" + std::string(kRate) +
        R"(, "alpha": 0.05}, {"name": "b", )" + second + "}]}");
    return decode_plan(*value);
  };
  EXPECT_TRUE(with(std::string(kGauge) + R"(, "alpha": 0.05)"));
  EXPECT_TRUE(with(R"("query": "x > 1")"));
  const auto plan = with(kGauge);
  ASSERT_FALSE(plan);
  EXPECT_THAT(
      ConfigInMemory::text_of(plan.error()),
      HasSubstr("all comparisons of a rollout share one alpha; here it is 0.01, but 0.05 in "
                "\"a\""));
}

// ---- From a policy

MergedAnalysis merged_policy(const std::string& policy) {
  Settings settings;
  settings.datasources["default"].url = "http://127.0.0.1:9090";
  const auto value = value_from_json(policy, "request", "/analysis");
  if (!value) throw std::invalid_argument(value.error().message);
  auto merged = merge_analysis(settings, "n", "s", {}, &*value);
  if (!merged) throw std::invalid_argument(ConfigInMemory::text_of(merged.error()));
  return *std::move(merged);
}

TEST(CompareConfig, APolicysKeysAreTakenWhereTheyHaveAMeaning) {
  const auto merged = merged_policy(
      R"({"steps": [{"weight": 5}], "alpha": 0.05, "window": "5m", "fail_after": 7, "within": 9,
          "interval": "10s", "share": "auto", "condition": [{"name": "compared", )" +
      std::string(kRate) + R"(}, {"name": "limit", "query": "x > 1"},
          {"name": "ooms", "count_of": "oom{v=\"{{candidate}}\"}", "fail_if": "> 3"}]})");
  ASSERT_EQ(merged.plan.conditions.size(), 3u);
  EXPECT_EQ(compared(merged.plan).alpha, 0.05);
  EXPECT_EQ(compared(merged.plan).warmup, 20s) << "two of the policy's intervals";
  EXPECT_EQ(merged.plan.conditions[1].fail_after, 7);
  EXPECT_EQ(merged.plan.conditions[2].fail_after, 7);
  EXPECT_THAT(merged.analysis, HasSubstr(R"("alpha":0.05)"));
  EXPECT_THAT(merged.analysis, HasSubstr(R"("tolerance":{"extra":5e-04,"factor":1.25})"))
      << "a later version's default is not this rollout's";
  EXPECT_THAT(merged.analysis, HasSubstr(R"("warmup":"20s")"));
  // What is pinned is read again as it was.
  const auto again = decode_plan(*value_from_json(merged.analysis));
  ASSERT_TRUE(again) << ConfigInMemory::text_of(again.error());
  EXPECT_EQ(compared(*again).alpha, 0.05);
  EXPECT_EQ(compared(*again).warmup, 20s);
}

// ---- count_of

TEST(CountConfig, CountersHaveALimit) {
  const auto plan = compare_plan(R"("count_of": "oom{v=\"{{candidate}}\"}", "fail_if": "> 3")");
  ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
  ASSERT_NE(count_of(plan->conditions[0]), nullptr);
  EXPECT_EQ(count_of(plan->conditions[0])->query.text(),
            "last_over_time(oom{v=\"{{candidate}}\"}[5m])");
  struct Row {
    std::string members;
    std::string error;
  };
  const Row rows[] = {
      {R"("count_of": "oom")", "say how many in a step are too many"},
      {R"("count_of": "oom > 3", "fail_if": "> 3", "query": "x > 1")", "one of them"},
      {R"("count_of": "oom", "fail_if": "any")", "must be a comparison beside count_of"},
      {R"x("count_of": "rate(oom[1m])", "fail_if": "> 3")x", "rate() counts an event"},
      {R"("count_of": "oom", "fail_if": "> 3", "reduce": "max")", "is added up"},
      {R"("count_of": "oom", "fail_if": "> 3", "share": "auto")", "share"},
  };
  for (const Row& row : rows) {
    const auto refused = compare_plan(row.members);
    ASSERT_FALSE(refused) << row.members;
    EXPECT_THAT(ConfigInMemory::text_of(refused.error()), HasSubstr(row.error)) << row.members;
  }
}

// A failed scrape at the first slot: in the next all that a counter ever did counted as new.
TEST(CountConfig, APlainSelectorIsAskedThroughFailedScrapes) {
  const std::pair<std::string, std::string> rows[] = {
      {"oom", "last_over_time(oom[5m])"},
      {"{__name__='oom'}", "last_over_time({__name__='oom'}[5m])"},
      {"oom {app='{{service}}'} ", "last_over_time(oom {app='{{service}}'} [5m])"},
      {"oom offset 1m", "oom offset 1m"},
      {"sum by (pod) (oom)", "sum by (pod) (oom)"},
      {"oom{a='1'} or oom{a='2'}", "oom{a='1'} or oom{a='2'}"},
      {"oom # kills", "oom # kills"},
      {"last_over_time(oom[10m])", "last_over_time(oom[10m])"},
  };
  for (const auto& [written, asked] : rows) {
    const auto plan = compare_plan(R"("count_of": ")" + written + R"(", "fail_if": "> 3")");
    ASSERT_TRUE(plan) << written << ": " << ConfigInMemory::text_of(plan.error());
    EXPECT_EQ(count_of(plan->conditions[0])->query.text(), asked);
  }
}

}  // namespace
}  // namespace rollwatch
