// The bundle behind a decision, as a page a person on call can read.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace rollwatch {

// A decision of a person has no evaluation; whatever is absent is left out.
std::string explain_text(const nlohmann::json& bundle);

}  // namespace rollwatch
