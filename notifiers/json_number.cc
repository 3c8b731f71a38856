#include "notifiers/json_number.h"

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace rollwatch {

nlohmann::ordered_json json_number(double number) {
  constexpr double kExactWhole = 9'007'199'254'740'992.0;  // 2^53
  if (!std::isfinite(number)) return nullptr;
  if (std::trunc(number) == number && std::abs(number) < kExactWhole)
    return static_cast<std::int64_t>(number);
  return number;
}

nlohmann::ordered_json json_number(const std::optional<double>& number) {
  if (!number) return nullptr;
  return json_number(*number);
}

}  // namespace rollwatch
