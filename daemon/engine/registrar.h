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

// The first half of it, which asks nobody: what has no value, with the field it belongs into.
std::vector<FieldProblem> rendering_problems(const RolloutSpec& spec, const Plan& plan,
                                             const std::vector<std::string>& left_out);

// `plan` is the whole of it, as the merged analysis has it, so that pointers are into that;
// `left_out` are the conditions this rollout is watched without (plan_for). What a request has not
// given is a problem of the field it belongs into, such as /labels/tier.
awaitable<RegistrationCheck> check_registration(const RolloutSpec& spec, const Plan& plan,
                                                std::vector<std::string> left_out,
                                                MetricsSource& source);

}  // namespace rollwatch
