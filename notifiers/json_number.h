// Numbers as the contract writes them: a whole one without a fraction, one that is none as null.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

namespace rollwatch {

nlohmann::ordered_json json_number(double number);
nlohmann::ordered_json json_number(const std::optional<double>& number);

}  // namespace rollwatch
