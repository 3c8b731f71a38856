// What the status and lists of their own have in common.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/api/api.h"

namespace rollwatch {

nlohmann::ordered_json me_json(const Caller& caller);
// The items of the lists of targets and of nodes. The latter throws StoreError.
nlohmann::ordered_json targets_json(const ApiContext& context);
awaitable<nlohmann::ordered_json> nodes_json(const ApiContext& context);

}  // namespace rollwatch
