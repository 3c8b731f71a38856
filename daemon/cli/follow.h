// Following one rollout until its end, a question for a person, a timeout or an interruption.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/cli/progress.h"
#include "daemon/cli/server_link.h"

namespace rollwatch {

// Shows each change and says why it ended. `rollout` becomes what was last seen, unchanged if
// nothing was.
ExitCode follow(const std::string& id, ServerLink& link, ProgressView& view,
                Surroundings& surroundings, nlohmann::json& rollout);

}  // namespace rollwatch
