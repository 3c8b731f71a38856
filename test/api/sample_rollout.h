// A rollout to look at, analysed as the configuration's own merge says.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "config/merge.h"
#include "daemon/engine/engine.h"

namespace rollwatch {

inline constexpr SysTime kSampleTime{Millis{1'767'323'045'678}};  // 2026-01-02T03:04:05.678Z

inline Settings sample_settings() {
  Settings settings;
  settings.datasources["default"].url = "http://127.0.0.1:9090";
  settings.orchestrators["deployer"] = {};
  settings.notifiers["releases"] = {};
  return settings;
}

inline constexpr const char* kSampleAnalysis = R"json({
  "steps": [{"weight": 5, "hold": "2m"}, {"weight": 25, "hold": "5m"}, {"weight": 100}],
  "soak": "15m",
  "condition": [
    {"name": "error-rate", "query": "sum(errors) > 0.05", "fail_after": 3},
    {"name": "alerts", "query": "ALERTS", "fail_if": "any", "evidence": "sum(requests)", "on_fail": "pause"}
  ]})json";

inline MergedAnalysis sample_merge(const std::string& analysis) {
  const auto request = value_from_json(analysis, "request", "/analysis");
  if (!request) throw std::invalid_argument(request.error().message);
  auto merged = merge_analysis(sample_settings(), "payments", "checkout", {}, &*request);
  if (!merged) throw std::invalid_argument(merged.error().front().text());
  return std::move(*merged);
}

inline RolloutView sample_rollout(const std::string& id = "ro_1",
                                  const std::string& analysis = kSampleAnalysis) {
  MergedAnalysis merged = sample_merge(analysis);
  PlanDocument document;
  document.analysis = merged.analysis;
  document.sources = merged.sources;

  RolloutView view;
  view.document = std::make_shared<const PlanDocument>(document);
  view.plan = std::make_shared<const Plan>(std::move(merged.plan));
  view.spec.id = id;
  view.spec.ns = "payments";
  view.spec.service = "checkout";
  view.spec.target = "eu-1";
  view.spec.stable = "1.23";
  view.spec.candidate = "1.24";
  view.spec.policy = {"http", "slow"};
  view.spec.by = "ci";
  view.spec.created_at = kSampleTime;
  view.state.state = State::kAnalyzing;
  view.state.step = 0;
  view.state.step_since = view.state.hold_since = kSampleTime;
  view.state.reached_weight = 5;
  view.state.revision = 7;
  view.state.reason = "watching at 5 %";
  view.state.updated_at = kSampleTime;
  view.state.conditions.resize(view.plan->conditions.size());
  view.next_slots.resize(view.plan->conditions.size());
  return view;
}

}  // namespace rollwatch
