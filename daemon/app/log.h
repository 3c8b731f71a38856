// Where log lines go: standard error, as text or as one JSON object per line.
#pragma once

#include <string>

namespace rollwatch {

void set_up_log(const std::string& level, bool json);

}  // namespace rollwatch
