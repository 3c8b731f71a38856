// What stable was like: its answers to a condition's questions, for times in the past.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/compare/calibrate.h"
#include "analysis/spec.h"
#include "daemon/engine/metrics_source.h"

namespace rollwatch {

// Where in a plan a question is rendered.
struct QuestionPlace {
  int step = 0;
  std::optional<double> weight;
};

// Of a condition that compares. All arguments outlive it. Asked in pieces, so that none is
// larger than what a rollout reads when it begins; too much in all is an error. The error is one
// line, without secrets.
awaitable<Expected<std::vector<HistorySlot>, std::string>> stable_past(MetricsSource& source,
                                                                       const RolloutSpec& spec,
                                                                       const ConditionPlan& plan,
                                                                       QuestionPlace place,
                                                                       PastTimes times);

// The same as a port: of one of the plan's conditions, in its first step.
using ReadPast = std::function<awaitable<Expected<std::vector<HistorySlot>, std::string>>(
    std::shared_ptr<const RolloutSpec> spec, std::shared_ptr<const Plan> plan,
    std::size_t condition, PastTimes times)>;

}  // namespace rollwatch
