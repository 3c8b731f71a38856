// What every answer of ours does for who asked, whatever it is about: it names the request, and is
// compressed if that is wanted.
//
// X-Request-Id is taken from the request if it is sane, or else made; the request carries it from
// then on, so that log lines and other nodes can name it. Answers of text of more than 1 kB are
// compressed with gzip if the client accepts that; streams never are.
#pragma once

#include <string>
#include <string_view>

#include "daemon/http/message.h"

namespace rollwatch {

class Manners {
 public:
  explicit Manners(ServerRequest& request);

  const std::string& request_id() const { return request_id_; }
  void finish(ServerResponse& response) const;

 private:
  std::string request_id_;
  bool accepts_gzip_ = false;
};

// One nobody else has.
std::string new_request_id();

// Whether an Accept-Encoding allows gzip.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace rollwatch
