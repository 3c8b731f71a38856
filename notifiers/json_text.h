// JSON as it is sent: without spaces, and with U+FFFD for bytes that are no UTF-8, since a message
// that cannot be sent for the sake of a server's odd error text would lose more.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace rollwatch {

std::string json_text(const nlohmann::ordered_json& json);

}  // namespace rollwatch
