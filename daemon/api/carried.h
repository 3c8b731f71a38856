// Requests and answers as text, on their way between two nodes. Throws std::runtime_error for text
// that is neither.
#pragma once

#include <string>

#include "daemon/http/message.h"

namespace rollwatch {

std::string request_text(const ServerRequest& request);
ServerRequest read_request_text(const std::string& text);  // `carried` is set

std::string response_text(const ServerResponse& response);
ServerResponse read_response_text(const std::string& text);

}  // namespace rollwatch
