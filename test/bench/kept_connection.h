// One kept-alive HTTP/1.1 connection to 127.0.0.1 with plain blocking calls: what a benchmark sends
// its events through, so that neither connecting nor a client library is part of what it measures.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rollwatch::bench {

using Instant = std::chrono::steady_clock::time_point;

// The sizes of the HTTP message at the beginning of `bytes`, told by Content-Length; nothing while
// some of it is missing.
struct MessageSize {
  std::size_t head = 0;  // the empty line included
  std::size_t body = 0;
};
std::optional<MessageSize> complete_message(std::string_view bytes);

class KeptConnection {
 public:
  explicit KeptConnection(int port);
  ~KeptConnection();
  KeptConnection(const KeptConnection&) = delete;
  KeptConnection& operator=(const KeptConnection&) = delete;

  // POSTs JSON, and says when it began to. The answer is to be read before the next one.
  Instant post(std::string_view path, std::string_view body);
  // Throws if the answer is not a success.
  void read_answer();

 private:
  int fd_;
};

}  // namespace rollwatch::bench
