// The help, on a terminal and as docs/cli.md's reference, read from the table of verbs.
#pragma once

#include <string>

#include "daemon/cli/verbs.h"

namespace rollwatch {

std::string overview_help();
// Every verb of that name: "deliveries list" with "deliveries redeliver".
std::string verb_help(const Verb& verb);

// Everything, in Markdown.
std::string reference();

}  // namespace rollwatch
