// An answer that is not the wanted one, for people.
#pragma once

#include <string>

#include "daemon/cli/transport.h"

namespace rollwatch {

bool is_success(const Response& response);

// "rollwatch: Not acceptable: the candidate is the stable version\n  /candidate: …\n"; an answer
// that is not problem+json, such as a proxy's page, is quoted in part.
std::string describe_problem(const Response& response);

}  // namespace rollwatch
