// The help, read from the table of verbs.
#pragma once

#include <string>

#include "daemon/cli/verbs.h"

namespace rollwatch {

std::string overview_help();
std::string verb_help(const Verb& verb);

}  // namespace rollwatch
