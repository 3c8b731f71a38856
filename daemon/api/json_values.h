// Single values as the API writes them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "analysis/time.h"

namespace rollwatch {

nlohmann::ordered_json number_json(double value);  // 25, 0.083; null unless finite
nlohmann::ordered_json number_json(const std::optional<double>& value);
nlohmann::ordered_json time_json(const std::optional<SysTime>& at);
nlohmann::ordered_json text_json(const std::string& text);  // null if empty

}  // namespace rollwatch
