// Requests and answers as text, on their way between two nodes. Throws std::runtime_error for text
// that is neither. What the caller proved who they are with is not carried: who they are is.
#pragma once

#include <string>

#include "daemon/engine/caller.h"
#include "daemon/http/message.h"

namespace rollwatch {

std::string request_text(const ServerRequest& request);
ServerRequest read_request_text(const std::string& text);  // `carried` is set

// What ServerRequest::caller holds.
std::string caller_text(const Caller& caller);
Caller read_caller_text(const std::string& text);

std::string response_text(const ServerResponse& response);
ServerResponse read_response_text(const std::string& text);

}  // namespace rollwatch
