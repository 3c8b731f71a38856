// Conditions evaluated now, for whoever writes a policy: rendered, delayed, asked, and judged as a
// rollout's slot would be in its first step. Nothing is recorded, and nothing follows from it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "analysis/outcome.h"
#include "analysis/plan.h"
#include "analysis/spec.h"
#include "daemon/engine/explain.h"
#include "daemon/engine/metrics_source.h"
#include "daemon/net/clock.h"

namespace rollwatch {

struct CheckedCondition {
  std::string name;
  std::string rule;
  std::string detail;
  Judgement judged;
  Asked asked;  // with its answers
  Millis duration{0};
};

struct CheckSurroundings {
  MetricsSource& source;
  const Clock& clock;
  std::function<std::string(const std::string& datasource)> datasource_url;  // no credentials
};

// Of the plan's conditions, readiness among them, all but those named in `left_out`. Resumes within
// a minute, or a datasource's own timeout where a condition has none. Its questions go behind those
// of rollouts. Of a plan without steps {{weight}} has no value.
awaitable<std::vector<CheckedCondition>> check_conditions(RolloutSpec spec,
                                                          std::shared_ptr<const Plan> plan,
                                                          std::vector<std::string> left_out,
                                                          CheckSurroundings around);

}  // namespace rollwatch
