#include "config/plan_decoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/config/config_support.h"

namespace rollwatch {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

Expected<Plan, FieldErrors> decode(const std::string& json) {
  const auto value = value_from_json(json);
  if (!value) return Unexpected(FieldErrors{{Origin{}, "", "not JSON"}});
  return decode_plan(*value);
}

// A plan with one condition that has these members.
Expected<Plan, FieldErrors> decode_condition(const std::string& members) {
  return decode(R"({"steps": [{"weight": 5}, {"weight": 25}], "condition": [{"name": "c", )" +
                members + "}]}");
}

const ThresholdCondition& threshold(const Plan& plan) {
  return std::get<ThresholdCondition>(plan.conditions.front().kind);
}

TEST(DecodePlan, DefaultsAreThoseOfThePlan) {
  const auto plan = decode_condition(R"("query": "x > 0.05")");
  ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
  const Plan plain;
  EXPECT_EQ(plan->soak, plain.soak);
  EXPECT_EQ(plan->patience, plain.patience);
  EXPECT_EQ(plan->deadline, plain.deadline);
  EXPECT_EQ(plan->on_inconclusive, plain.on_inconclusive);
  EXPECT_EQ(plan->on_deadline, plain.on_deadline);
  EXPECT_FALSE(plan->approve_start || plan->approve_promote);
  ASSERT_EQ(plan->conditions.size(), 1u);
  const ConditionPlan& condition = plan->conditions[0];
  EXPECT_EQ(condition.interval, 30s);
  EXPECT_EQ(condition.window, 1min);
  EXPECT_EQ(condition.fail_after, 3);
  EXPECT_EQ(condition.within, 3);
  EXPECT_EQ(condition.min_passes, 1);
  EXPECT_EQ(condition.datasource, "default");
  EXPECT_EQ(condition.timeout, std::nullopt);
  EXPECT_EQ(threshold(*plan).query.text(), "x");
  EXPECT_EQ(threshold(*plan).rule.fail_if, (Comparison{CompareOp::kGreater, 0.05}));
}

TEST(DecodePlan, ReadsEveryKey) {
  const auto plan = decode(
      R"({"version": 1, "steps": [{"weight": 0, "hold": "1m", "approve": true}, {"weight": 50.5}],
    "approve": "both", "soak": "15m", "patience": "6m", "on_inconclusive": "rollback", "deadline": "2h",
    "on_deadline": "rollback", "locked": true, "condition": [
    {"name": "a", "query": "x", "fail_if": "> 2", "pass_if": "< 1", "reduce": "max", "evidence": "y", "min_evidence": 7,
     "interval": "10s", "window": "20s", "initial_delay": "5s", "timeout": "2s", "datasource": "vm", "fail_after": 2,
     "within": "all", "min_passes": 4, "on_fail": "observe", "on_no_data": "fail", "on_error": "ignore", "steps": [0, 100]},
    {"name": "b", "query": "x", "fail_if": "any", "evidence": "y"},
    {"name": "c", "query": "x", "fail_if": "none", "within": 5}]})");
  ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
  EXPECT_EQ(plan->steps.size(), 2u);
  EXPECT_EQ(plan->steps[0].weight, 0);
  EXPECT_EQ(plan->steps[0].hold, 1min);
  EXPECT_TRUE(plan->steps[0].approve);
  EXPECT_EQ(plan->steps[1].weight, 50.5);
  EXPECT_EQ(plan->steps[1].hold, 0s);
  EXPECT_TRUE(plan->approve_start && plan->approve_promote);
  EXPECT_EQ(plan->soak, 15min);
  EXPECT_EQ(plan->patience, 6min);
  EXPECT_EQ(plan->on_inconclusive, OnInconclusive::kRollback);
  EXPECT_EQ(plan->deadline, 2h);
  EXPECT_EQ(plan->on_deadline, OnDeadline::kRollback);
  const ConditionPlan& a = plan->conditions[0];
  EXPECT_EQ(threshold(*plan).rule.fail_if, (Comparison{CompareOp::kGreater, 2}));
  EXPECT_EQ(threshold(*plan).rule.pass_if, (Comparison{CompareOp::kLess, 1}));
  EXPECT_EQ(threshold(*plan).reduce, Reduce::kMax);
  EXPECT_EQ(threshold(*plan).evidence->text(), "y");
  EXPECT_EQ(threshold(*plan).min_evidence, 7);
  EXPECT_EQ(a.interval, 10s);
  EXPECT_EQ(a.window, 20s);
  EXPECT_EQ(a.initial_delay, 5s);
  EXPECT_EQ(a.timeout, Millis(2s));
  EXPECT_EQ(a.datasource, "vm");
  EXPECT_EQ(a.fail_after, 2);
  EXPECT_EQ(a.within, kWithinAll);
  EXPECT_EQ(a.min_passes, 4);
  EXPECT_EQ(a.on_fail, OnFail::kObserve);
  EXPECT_EQ(a.on_no_data, OnMissing::kFail);
  EXPECT_EQ(a.on_error, OnMissing::kIgnore);
  EXPECT_THAT(a.steps, ElementsAre(0, 100));
  EXPECT_EQ(std::get<ThresholdCondition>(plan->conditions[1].kind).rule.series,
            SeriesRule::kAnySeriesFails);
  EXPECT_EQ(std::get<ThresholdCondition>(plan->conditions[2].kind).rule.series,
            SeriesRule::kNoSeriesFails);
  EXPECT_EQ(plan->conditions[2].within, 5);
}

TEST(DecodePlan, StepsComeOutNormalised) {
  struct Row {
    const char* name;
    const char* json;
    std::vector<double> weights;  // -1: none
  };
  const Row rows[] = {
      {"100 is the promotion", R"("steps": [{"weight": 5}, {"weight": 100}])", {5}},
      {"100 may be left out", R"("steps": [{"weight": 0}, {"weight": 5}])", {0, 5}},
      {"duration", R"("duration": "10m")", {-1}},
      {"ramp to 100", R"("ramp": {"from": 25, "by": 25, "every": "1m"})", {25, 50, 75}},
      {"ramp that ends early",
       R"("ramp": {"from": 10, "by": 20, "to": 75, "every": "1m"})",
       {10, 30, 50, 70, 75}},
      {"ramp with a jump", R"("ramp": {"from": 5, "by": 100, "every": "1m"})", {5}},
      {"ramp from 0", R"("ramp": {"from": 0, "by": 50, "to": 100, "every": "1m"})", {0, 50}},
      {"ramp in tenths",
       R"("ramp": {"from": 0.1, "by": 0.1, "to": 0.3, "every": "1m"})",
       {0.1, 0.2, 0.3}},
      {"ramp of one step", R"("ramp": {"from": 10, "by": 5, "to": 10, "every": "1m"})", {10}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto plan = decode("{" + std::string(row.json) + "}");
    ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
    std::vector<double> weights;
    for (const StepPlan& step : plan->steps) weights.push_back(step.weight.value_or(-1));
    EXPECT_EQ(weights, row.weights);
  }
}

TEST(DecodePlan, WhatDoesNotFitTogether) {
  struct Row {
    const char* name;
    const char* members;
    const char* pointer;
    const char* message;
  };
  const Row rows[] = {
      {"no query", R"("fail_if": "> 1")", "/condition/0",
       "missing key \"query\"; condition \"c\" is in no weaker layer"},
      {"no rule", R"("query": "x")", "/condition/0/query",
       "give fail_if = \"> 0.05\", or write fail_if = \"any\""},
      {"bool", R"("query": "x > bool 1")", "/condition/0/query", "leave out 'bool'"},
      {"any without evidence", R"("query": "x", "fail_if": "any")", "/condition/0/fail_if",
       "\"any\" needs evidence"},
      {"none with pass_if", R"("query": "x", "fail_if": "none", "pass_if": "> 1")",
       "/condition/0/pass_if", "has no meaning beside"},
      {"min_evidence alone", R"("query": "x > 1", "min_evidence": 5)", "/condition/0/min_evidence",
       "has no meaning without evidence"},
      {"fail_after above within", R"("query": "x > 1", "fail_after": 5, "within": 4)",
       "/condition/0/within", "fail_after (5) must not be greater than within (4)"},
      {"weight that is no step", R"("query": "x > 1", "steps": [5, 30])", "/condition/0/steps",
       "no step has the weight 30; there are 5, 25, 100 (the soak)"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto plan = decode_condition(row.members);
    ASSERT_FALSE(plan);
    ASSERT_EQ(plan.error().size(), 1u) << ConfigInMemory::text_of(plan.error());
    EXPECT_EQ(plan.error()[0].origin.pointer, row.pointer);
    EXPECT_THAT(plan.error()[0].message, HasSubstr(row.message));
  }
}

TEST(DecodePlan, RefusesWhatItCannotKnow) {
  const auto newer = decode(R"({"version": 999, "duration": "1m"})");
  ASSERT_FALSE(newer);
  EXPECT_THAT(newer.error()[0].message, HasSubstr("was written by a newer version"));
  const auto shapeless = decode("{}");
  ASSERT_FALSE(shapeless);
  EXPECT_THAT(shapeless.error()[0].message, HasSubstr("missing key \"steps\""));
  const auto no_weights =
      decode(R"({"duration": "1m", "condition": [{"name": "c", "query": "x > 1", "steps": [5]}]})");
  ASSERT_FALSE(no_weights);
  EXPECT_THAT(no_weights.error()[0].message, HasSubstr("has no weights"));
  EXPECT_FALSE(decode("[]"));
  EXPECT_FALSE(decode("null"));
}

TEST(DecodePlan, LimitsWhatOneRequestCanAskFor) {
  std::string conditions;
  for (int i = 0; i < 101; ++i) {
    conditions += (i == 0 ? "" : ",") + std::string(R"({"name": "c)") + std::to_string(i) +
                  R"(", "query": "x > 1"})";
  }
  const auto plan = decode(R"({"duration": "1m", "condition": [)" + conditions + "]}");
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error()[0].message, HasSubstr("at most 100"));
}

TEST(DecodePlan, APartNeedsNoSteps) {
  const auto part =
      value_from_json(R"({"condition": [{"name": "c", "query": "x > 1", "steps": [5]}]})");
  ASSERT_TRUE(part);
  const auto plan = decode_plan(*part, Steps::kOptional);
  ASSERT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
  EXPECT_TRUE(plan->steps.empty());
}

TEST(DecodePlan, VariablesOfEveryFamilyAreKnown) {
  const auto plan = decode_condition(
      R"("query": "x{a=\"{{service}}\",b=\"{{namespace}}\",c=\"{{target}}\",d=\"{{candidate}}\",e=\"{{stable}}\",f=\"{{id}}\",g=\"{{labels.tier}}\",h=\"{{args.x}}\",i=\"{{step}}\",j=\"{{weight}}\"}[{{window}}]", "fail_if": "> 1")");
  EXPECT_TRUE(plan) << ConfigInMemory::text_of(plan.error());
}

}  // namespace
}  // namespace rollwatch
