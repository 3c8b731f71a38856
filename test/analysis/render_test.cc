#include "analysis/render.h"

#include <gtest/gtest.h>

#include "analysis/slots.h"
#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

RolloutSpec sample() {
  RolloutSpec spec;
  spec.id = "ro_01";
  spec.ns = "payments";
  spec.service = "checkout";
  spec.target = "eu-1";
  spec.stable = "1.23";
  spec.candidate = "1.24";
  spec.labels = {{"tier", "web"}};
  spec.args = {{"limit", "5"}};
  return spec;
}

TEST(VariableTest, EveryNameHasAValueOrNone) {
  struct Row {
    const char* name;
    std::optional<std::string> value;
  };
  const Row rows[] = {
      {"service", "checkout"},
      {"namespace", "payments"},
      {"target", "eu-1"},
      {"candidate", "1.24"},
      {"stable", "1.23"},
      {"id", "ro_01"},
      {"window", "1m30s"},
      {"step", "2"},
      {"weight", "12.5"},
      {"labels.tier", "web"},
      {"labels.other", std::nullopt},
      {"args.limit", "5"},
      {"args.tier", std::nullopt},
      {"labels.", std::nullopt},
      {"labels", std::nullopt},
      {"Service", std::nullopt},
      {"", std::nullopt},
      {"interval", std::nullopt},
  };
  ConditionPlan plan = condition("c", "> 1");
  plan.window = Millis(90'000);
  for (const Row& row : rows)
    EXPECT_EQ(variable(sample(), plan, 2, 12.5, row.name), row.value) << row.name;
  EXPECT_EQ(variable(sample(), plan, -1, 5, "step"), "0") << "before the first step";
  EXPECT_EQ(variable(sample(), plan, 0, std::nullopt, "weight"), std::nullopt)
      << "a plan without weights";
}

TEST(RenderTest, AQueryIsRenderedOrTheVariableIsNamed) {
  struct Row {
    const char* name;
    const char* query;
    std::optional<double> weight;
    const char* expected;  // "!name": refused because of that variable
  };
  const Row rows[] = {
      {"values", "rate(x{s=\"{{service}}\",v=\"{{candidate}}\"}[{{window}}])", 5,
       "rate(x{s=\"checkout\",v=\"1.24\"}[1m])"},
      {"a label", "x{t=\"{{labels.tier}}\"}", 5, "x{t=\"web\"}"},
      {"a number", "x > {{args.limit}}", 5, "x > 5"},
      {"no such label", "x{t=\"{{labels.none}}\"}", 5, "!labels.none"},
      {"no weight in a plan without weights", "x * {{weight}}", std::nullopt, "!weight"},
  };
  for (const Row& row : rows) {
    const ConditionPlan plan = condition("c", "> 1");
    const auto text = render_query(query(row.query), sample(), plan, 0, row.weight);
    EXPECT_EQ(text ? *text : "!" + text.error().variable, row.expected) << row.name;
  }
}

TEST(RenderTest, AnEmptyStableIsRefusedRatherThanAsked) {
  RolloutSpec first_release = sample();
  first_release.stable.clear();
  const auto text =
      render_query(query("x{v=\"{{stable}}\"}"), first_release, condition("c", "> 1"), 0, 5);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().variable, "stable");
}

TEST(PinnedPhaseTest, EqualRenderedQuestionsShareAPhase) {
  ConditionPlan plan = condition("c", "> 1");
  const auto phase = [&](const char* text, const RolloutSpec& spec) {
    std::get<ThresholdCondition>(plan.kind).query = query(text);
    return pinned_phase(spec, plan);
  };
  RolloutSpec other = sample();
  other.id = "ro_02";
  other.candidate = "1.25";
  EXPECT_EQ(phase("x{s=\"{{service}}\"}", sample()), phase("x{s=\"{{service}}\"}", other));
  EXPECT_EQ(phase("x{s=\"{{service}}\"}", sample()), phase("x{s=\"checkout\"}", other));
  EXPECT_NE(phase("x{s=\"{{candidate}}\"}", sample()), phase("x{s=\"{{candidate}}\"}", other));
  EXPECT_NE(phase("x{s=\"{{id}}\"}", sample()), phase("x{s=\"{{id}}\"}", other));
}

TEST(PinnedPhaseTest, WhatCanBeAskedTogetherSharesAPhase) {
  ConditionPlan plan = condition("c", "> 1");
  auto& threshold = std::get<ThresholdCondition>(plan.kind);
  threshold.query = query("sum(rate(x{s=\"{{service}}\",v=\"{{candidate}}\"}[{{window}}]))");
  RolloutSpec other = sample();
  other.service = "cart";
  EXPECT_NE(pinned_phase(sample(), plan), pinned_phase(other, plan));
  threshold.joined = promql::join_labels(threshold.query);
  ASSERT_TRUE(threshold.joined);
  EXPECT_EQ(pinned_phase(sample(), plan), pinned_phase(other, plan));
  EXPECT_EQ(pinned_phase(other, plan),
            phase_of("default", "sum by (s, v) (rate(x[1m]))", plan.interval));
  EXPECT_EQ(picks_of(*threshold.joined, other), (std::vector<Label>{{"s", "cart"}, {"v", "1.24"}}));
  plan.window = Millis{90'000};
  EXPECT_EQ(render_joined(*threshold.joined, plan).value(), "sum by (s, v) (rate(x[1m30s]))");
}

// A question with {{step}} or {{weight}} has one grid all the same, in every step.
TEST(PinnedPhaseTest, StepAndWeightDoNotMoveTheGrid) {
  ConditionPlan plan = condition("c", "> 1");
  std::get<ThresholdCondition>(plan.kind).query = query("x{s=\"{{step}}\"} * {{weight}}");
  EXPECT_EQ(pinned_phase(sample(), plan), phase_of("default", "x{s=\"0\"} * 0", plan.interval));
}

}  // namespace
}  // namespace rollwatch
