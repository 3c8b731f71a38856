// Where a query is looked at: the metrics server's own graph page.
#pragma once

#include <string>
#include <string_view>

#include "analysis/time.h"

namespace rollwatch {

// The graph of `query` from a little before `since` to a little after `at`. `datasource_url`
// without credentials.
std::string graph_link(std::string_view datasource_url, std::string_view query, SysTime at,
                       SysTime since);

}  // namespace rollwatch
