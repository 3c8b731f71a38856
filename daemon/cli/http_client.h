// HTTP to the server by libcurl: one exchange at a time, interruptible while it waits.
#pragma once

#include <memory>
#include <string>

#include "daemon/cli/pace.h"
#include "daemon/cli/transport.h"

namespace rollwatch {

struct ClientOptions {
  std::string server;      // "http://host:port", perhaps with a path before /api/v1
  std::string token = {};  // may be empty; never part of any message
  std::string ca_file = {};
  std::string cert_file = {};
  std::string key_file = {};
  bool insecure = false;  // the server's certificate is not checked
};

class HttpClient {
 public:
  // `pace` is ticked while an answer is awaited and outlives the client. The error is a sentence
  // for the user.
  static Expected<std::unique_ptr<HttpClient>, std::string> create(const ClientOptions& options,
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
