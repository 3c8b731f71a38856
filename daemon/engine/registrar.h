// Checks a registration before it becomes a rollout: every variable has a value, and the datasource
// can parse every query. What cannot be checked now is a warning, not a refusal.
#pragma once

#include <string>
#include <vector>

#include "daemon/engine/engine.h"

namespace rollwatch {

struct RegistrationCheck {
  std::vector<FieldProblem> problems;
  std::vector<std::string> warnings;
};

// `plan` is the effective one (plan_for).
awaitable<RegistrationCheck> check_registration(const RolloutSpec& spec, const Plan& plan,
                                                MetricsSource& source);

}  // namespace rollwatch
