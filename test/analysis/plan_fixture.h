// Small plans for tests, and the one thing in which each differs.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/plan.h"
#include "analysis/promql/query_template.h"
#include "analysis/time.h"

namespace rollwatch {

inline promql::QueryTemplate query(std::string_view text) {
  auto parsed = promql::parse_query_template(text);
  if (!parsed) throw std::invalid_argument(std::string(text));
  return *std::move(parsed);
}

inline Comparison comparison(std::string_view text) {
  auto parsed = parse_comparison(text);
  if (!parsed) throw std::invalid_argument(parsed.error());
  return *parsed;
}

inline Millis duration(std::string_view text) { return parse_duration(text).value(); }

// Without {{window}} in its query a condition looks at one moment only; windowed() gives it a
// window.
inline ConditionPlan condition(const std::string& name, std::string_view fail_if) {
  Rule rule;
  if (!fail_if.empty()) rule.fail_if = comparison(fail_if);
  ThresholdCondition kind{query("errors"), rule, Reduce::kEach, std::nullopt, 100};
  return {.name = name,
          .kind = std::move(kind),
          .interval = duration("10s"),
          .timeout = std::nullopt,
          .steps = {}};
}

inline ThresholdCondition& threshold(ConditionPlan& plan) {
  return std::get<ThresholdCondition>(plan.kind);
}

inline void windowed(ConditionPlan& plan, std::string_view window) {
  threshold(plan).query = query("rate(errors[{{window}}])");
  plan.window = duration(window);
}

inline void counting_events(ConditionPlan& plan) { threshold(plan).evidence = query("requests"); }

// 5 % and 25 %, 30 s each, then 100 %.
inline Plan two_steps(std::vector<ConditionPlan> conditions) {
  Plan plan;
  plan.steps = {{5, duration("30s"), false}, {25, duration("30s"), false}};
  plan.conditions = std::move(conditions);
  return plan;
}

inline Plan two_steps(ConditionPlan only) { return two_steps(std::vector{std::move(only)}); }

inline Plan error_rate() { return two_steps(condition("error-rate", "> 0.05")); }

// One step without a weight.
inline Plan for_duration(std::string_view hold) {
  Plan plan = error_rate();
  plan.steps = {{std::nullopt, duration(hold), false}};
  return plan;
}

// Waits until 3 are ready, for two attempts of a minute.
inline void needs_three_ready(Plan& plan) {
  ConditionPlan ready = condition("ready", "< 3");
  threshold(ready).query = query("up");
  ready.is_readiness = true;
  ready.on_fail = OnFail::kObserve;
  plan.ready = ReadyPlan{3, duration("1m"), duration("30s"), 2};
  plan.conditions.push_back(std::move(ready));
}

inline void watches_alerts(Plan& plan, OnFail on_fire) {
  plan.alerts =
      AlertsPlan{{{"service", promql::parse_text_template("{{service}}").value()}}, on_fire};
}

}  // namespace rollwatch
