#include "daemon/api/json_values.h"

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "daemon/api/views.h"

namespace rollwatch {

nlohmann::ordered_json number_json(double value) {
  constexpr double kExact = 9'007'199'254'740'992.0;  // 2^53: whole numbers beyond are not exact
  if (!std::isfinite(value)) return nullptr;
  if (std::trunc(value) == value && std::abs(value) < kExact)
    return static_cast<std::int64_t>(value);
  return value;
}

nlohmann::ordered_json number_json(const std::optional<double>& value) {
  if (!value) return nullptr;
  return number_json(*value);
}

nlohmann::ordered_json time_json(const std::optional<SysTime>& at) {
  if (!at) return nullptr;
  return format_time(*at);
}

nlohmann::ordered_json text_json(const std::string& text) {
  if (text.empty()) return nullptr;
  return text;
}

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace rollwatch
