// A rollout as a test report: what CI systems show as tests that passed or failed.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/cli/exit_code.h"

namespace rollwatch {

// JUnit XML with a test case for each condition, and one for the rollout itself. `rollout` is null
// if nothing was seen of it; `end` is how following it ended.
std::string junit_report(const nlohmann::json& rollout, ExitCode end);

// How it ended, in a sentence.
std::string end_message(const nlohmann::json& rollout, ExitCode end);

// Text inside an element or an attribute; what XML cannot hold becomes U+FFFD.
std::string xml_text(const std::string& text);

}  // namespace rollwatch
