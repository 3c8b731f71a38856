// A rollout whose condition compares, and the counters of both versions' pods.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analysis/compare/standing.h"
#include "analysis/statistics/comparison_state.h"
#include "test/analysis/rollout_fixture.h"

namespace rollwatch {

inline ConditionPlan compared(const std::string& name, CompareRules rules) {
  CompareCondition kind{query("requests{version=\"{{version}}\"}"), std::nullopt, std::move(rules)};
  if (kind.kind() == CompareKind::kRate) kind.bad = query("errors{version=\"{{version}}\"}");
  kind.warmup = duration("20s");
  return {.name = name,
          .kind = std::move(kind),
          .interval = duration("10s"),
          .timeout = std::nullopt,
          .steps = {}};
}

// Bursts are not looked for: each error is one by itself.
inline ConditionPlan compared_rate(const std::string& name = "errors") {
  statistics::RateRules rules;
  rules.dispersion.mode = statistics::DispersionMode::kOff;
  return compared(name, rules);
}

inline CompareCondition& comparison(ConditionPlan& plan) {
  return std::get<CompareCondition>(plan.kind);
}

// 5 % and 25 %, ten minutes each.
inline Plan long_steps(std::vector<ConditionPlan> conditions) {
  Plan plan = two_steps(std::move(conditions));
  for (StepPlan& step : plan.steps) step.hold = duration("10m");
  return plan;
}
inline Plan long_steps(ConditionPlan only) { return long_steps(std::vector{std::move(only)}); }

using Counts = statistics::ArmCounts;

// The counters of some pods, as they are exported.
class Pods {
 public:
  Pods(std::string version, int count) {
    for (int i = 0; i < count; ++i) values_[version + "-" + std::to_string(i)];
  }

  void add(Counts counts) {
    const auto pods = static_cast<double>(values_.size());
    for (auto& [pod, value] : values_) {
      value.events += counts.events / pods;
      value.bad += counts.bad / pods;
    }
  }
  Counts& operator[](const std::string& pod) { return values_[pod]; }
  void remove(const std::string& pod) { values_.erase(pod); }

  Answer events() const { return answer(&Counts::events); }
  Answer bad() const { return answer(&Counts::bad); }

 private:
  Answer answer(double Counts::*which) const {
    std::vector<Series> series;
    for (const auto& [pod, value] : values_) series.push_back({{{"pod", pod}}, value.*which});
    return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
  }

  std::map<std::string, Counts> values_;
};

// Stable alone, before the rollout.
inline std::vector<HistorySlot> history_of_stable(int slots, Counts each) {
  Pods pods("stable", 10);
  std::vector<HistorySlot> past;
  for (int i = 0; i < slots; ++i) {
    pods.add(each);
    past.push_back({SysTime(Millis(10'000 * i)), pods.events(), pods.bad()});
  }
  return past;
}

inline constexpr Counts kFine{100, 1};
inline constexpr Counts kBad{100, 8};
inline constexpr Counts kStable{1900, 19};

inline Answer gauge_answer(double value) {
  return Answer{Vector{{Series{{}, value}}}, {}, false, nullptr, {}};
}

// Cumulative buckets of one pod with boundaries 0.1, 0.5 and infinity.
inline Answer bucket_answer(double fast, double slow, double slowest) {
  std::vector<Series> series;
  series.push_back({{{"le", "0.1"}, {"pod", "a"}}, fast});
  series.push_back({{{"le", "0.5"}, {"pod", "a"}}, fast + slow});
  series.push_back({{{"le", "+Inf"}, {"pod", "a"}}, fast + slow + slowest});
  return Answer{Vector{SeriesList(std::move(series))}, {}, false, nullptr, {}};
}

// So many that a few slots leave no doubt.
inline constexpr Counts kManyFine{1000, 10};
inline constexpr Counts kManyStable{19000, 190};

class Compared : public Rollout {
 public:
  explicit Compared(Plan plan, std::string orchestrator = "deployer")
      : Rollout(std::move(plan), std::move(orchestrator)) {}

  Pods candidate{"candidate", 2};
  Pods stable{"stable", 10};

  // The next slot of each condition that compares rates, after both versions served so much.
  void serve(Counts of_candidate, Counts of_stable) {
    candidate.add(of_candidate);
    stable.add(of_stable);
    for (const ConditionPlan& condition : plan().conditions)
      if (comparison_of(condition) != nullptr) ask(condition.name);
  }
  void serve_times(int times, Counts of_candidate, Counts of_stable) {
    for (int i = 0; i < times; ++i) serve(of_candidate, of_stable);
  }
  void ask(const std::string& condition) {
    answer_arms(condition, {candidate.events(), candidate.bad(), stable.events(), stable.bad()});
  }
  // Begun, acknowledged, anchored, and out of the warm-up.
  void warm_up(Counts of_candidate = {100, 0}, Counts of_stable = {1900, 0}) {
    play("begin ack");
    serve_times(4, of_candidate, of_stable);
  }

  const Judgement& judged() const { return evaluations.back().judgement; }
  double log_evidence(std::size_t i = 0) const {
    return standing_of(plan(), state.conditions, i).log_evidence;
  }
};

}  // namespace rollwatch
