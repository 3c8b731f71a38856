// HTTP to the server by libcurl: one exchange at a time, interruptible while it waits.
#pragma once

#include <memory>
#include <string>

#include "daemon/cli/pace.h"
#include "daemon/cli/transport.h"

namespace rollwatch {

class HttpClient {
 public:
  // `server` is "http://host:port", perhaps with a path before /api/v1; `token` may be empty and is
  // never part of any message. `pace` is ticked while an answer is awaited and outlives the client.
  // The error is a sentence for the user.
  static Expected<std::unique_ptr<HttpClient>, std::string> create(const std::string& server,
                                                                   const std::string& token,
                                                                   Pace& pace);
  ~HttpClient();

  // An interruption comes back as an error; the caller asks the pace.
  Expected<Response, TransportError> send(const Request& request);

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace rollwatch
