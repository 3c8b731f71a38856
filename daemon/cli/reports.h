// What `wait` leaves behind for CI systems, as --junit and --github ask for it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/cli/arguments.h"
#include "daemon/cli/exit_code.h"
#include "daemon/cli/surroundings.h"

namespace rollwatch {

// Before anything is begun: empty, or why a report could not be written at the end.
std::string report_problem(const Invocation& call);

// Writes what was asked for. The exit code: `end`, but a report that could not be written is no
// success. `rollout` is null if nothing was seen of it.
int write_reports(const Invocation& call, Surroundings& surroundings, const nlohmann::json& rollout,
                  ExitCode end);

}  // namespace rollwatch
