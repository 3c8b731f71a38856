// One HTTP exchange with the server as values, so that everything above it can be tested without a
// socket.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/expected.h"
#include "analysis/time.h"

namespace rollwatch {

struct Request {
  std::string method = "GET";
  std::string target;  // "/rollouts/ro_1", below /api/v1, with its query
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};  // JSON; empty: none
  Millis timeout = std::chrono::seconds(30);
  bool repeatable = true;  // sent twice it does no more than sent once
  // For an answer without a foreseeable end: a success's body goes here as it comes, and is not
  // kept; false ends the exchange as if the answer had ended. `timeout` is then how long nothing
  // may come.
  std::function<bool(std::string_view)> take = nullptr;
};

struct Response {
  int status = 0;
  std::string body = {};
  std::string etag = {};  // empty if there was none
};

// No answer came.
struct TransportError {
  std::string detail;      // "connection refused"
  bool sent = true;        // the request may have reached the server
  bool permanent = false;  // trying again is of no use, such as a certificate that does not fit
  bool timed_out = false;  // the request's timeout passed
};

using Transport = std::function<Expected<Response, TransportError>(const Request&)>;

}  // namespace rollwatch
