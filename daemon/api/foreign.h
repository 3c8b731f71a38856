// Requests that a page in somebody's browser makes behind their back. Without tokens, whoever can
// reach the loopback address is the operator, and that includes every web site the operator visits:
// a name of the attacker's may be pointed at 127.0.0.1 (DNS rebinding), and a form may post across
// sites. Both tell on themselves by the headers a browser sets.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"
#include "daemon/http/message.h"
#include "daemon/http/problem.h"

namespace rollwatch {

// 421 for a Host that is neither this machine's own name nor external_url's; 403 for a request that
// changes something and comes from another site. Clients that send no Host (HTTP/1.0) are no
// browsers. With tokens any name will do, as no page knows one. Pages of the origins that are
// listed are at home here.
std::optional<Problem> foreign_problem(const ServerRequest& request, const ServerSettings& server,
                                       const std::string& external_url);

}  // namespace rollwatch
