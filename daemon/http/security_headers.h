// What every answer tells a browser: that it is nobody's script, frame or cache entry. What the
// answer says itself, such as the page's own policy, stays.
#pragma once

#include "daemon/http/message.h"

namespace rollwatch {

void add_security_headers(ServerResponse& response, bool is_tls);

}  // namespace rollwatch
