// What the HTTP server and the API are given. Apart from assembly.h, so that what only needs the
// engine's side (the tests in virtual time) is built without them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "daemon/api/api.h"
#include "daemon/delivery/outbox.h"
#include "daemon/http/server_tls.h"

namespace rollwatch {

// Nothing without TLS; or what is wrong with the files.
Expected<std::shared_ptr<ServerTls>, std::string> server_tls_of(const ServerSettings& settings,
                                                                const Clock& clock);

// How they stand, for the API and for /metrics; an orchestrator and a notifier of one name are one
// there.
std::vector<TargetView> target_views_of(const std::vector<TargetReading>& readings);
std::map<std::string, bool> open_breakers_of(const std::vector<TargetReading>& readings);

}  // namespace rollwatch
