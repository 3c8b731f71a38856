// What makes bash complete the command line, read from the table of verbs.
#pragma once

#include <string>

namespace rollwatch {

// A script for `source <(rollwatch completion bash)`.
std::string bash_completion();

}  // namespace rollwatch
