// Which pages of other sites may read answers (CORS): those that cors_origins in [server] lists,
// and none by default. Nobody's cookies or certificates are ever sent along: a page needs a token.
#pragma once

#include <string>
#include <vector>

#include "daemon/http/message.h"

namespace rollwatch {

// Whether the request says that it comes from a page of one of these.
bool is_listed_origin(const ServerRequest& request, const std::vector<std::string>& origins);

// Adds what a browser wants to see, if the origin is listed. `allowed`: the path's methods, for a
// preflight.
void add_cors(const ServerRequest& request, const std::vector<std::string>& origins,
              const std::vector<std::string>& allowed, ServerResponse& response);

}  // namespace rollwatch
