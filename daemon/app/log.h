// Where log lines go: standard error, as text or as one JSON object per line; under systemd with
// the priority that the journal takes them by. Warnings that repeat are told once a minute, with
// their number (repeats.h).
#pragma once

#include <string>

namespace rollwatch {

void set_up_log(const std::string& level, bool json);

// While the process runs: "debug", or the level it was set up with.
void log_details(bool wanted);

}  // namespace rollwatch
