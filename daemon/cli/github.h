// A rollout for a job of GitHub Actions: outputs for later steps, a summary, and an annotation.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/cli/exit_code.h"

namespace rollwatch {

// Lines for $GITHUB_OUTPUT: id, state, verdict and exit_code.
std::string github_output(const nlohmann::json& rollout, ExitCode end);

// Markdown for $GITHUB_STEP_SUMMARY: how it ended, and its conditions as a table.
std::string github_summary(const nlohmann::json& rollout, ExitCode end);

// "::error title=…::…", or nothing when it was promoted.
std::string github_annotation(const nlohmann::json& rollout, ExitCode end);

}  // namespace rollwatch
