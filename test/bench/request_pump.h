// Many requests over some kept connections in a closed loop: each connection sends its next request
// when the one before is answered. Plain sockets and one poll(), so that whoever answers is what is
// measured.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace rollwatch::bench {

struct PumpedAnswer {
  std::size_t request = 0;  // its number, from 0
  int status = 0;
  std::string_view body;
  double milliseconds = 0;  // from its first byte to the answer's last
};

// A whole HTTP/1.1 request.
std::string http_request(std::string_view method, std::string_view path, std::string_view body,
                         std::string_view more_headers = "");

// Sends `count` requests to 127.0.0.1. Throws if a connection is closed on the way.
void pump(int port, std::size_t connections, std::size_t count,
          const std::function<std::string(std::size_t request)>& request,
          const std::function<void(const PumpedAnswer&)>& answered);

}  // namespace rollwatch::bench
