// Takes the requests of one connection apart, one after the other, within the server's limits.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "daemon/http/message.h"
#include "daemon/http/problem.h"
#include "daemon/http/server.h"
#include "daemon/http/server_stream.h"

namespace rollwatch {

class RequestReader {
 public:
  struct Taken {
    std::optional<ServerRequest> request;
    std::optional<Problem> problem;  // what the client did wrong; neither: it is gone, or too slow
    bool keep_alive = false;
    bool knows_chunks = false;  // HTTP/1.1
  };

  // Both must outlive it.
  RequestReader(ServerStream& stream, const ServerLimits& limits)
      : stream_(stream), limits_(limits) {}

  // Bytes of another request have come with the last one.
  bool has_begun() const { return !bytes_.empty(); }
  // Resumes with its first bytes; false if none came.
  awaitable<bool> begin();
  // `announced`: called with the most its body can be, before that is read.
  awaitable<Taken> read(std::function<void(std::size_t)> announced);

 private:
  struct Parser;
  awaitable<boost::system::error_code> more(std::size_t most);
  awaitable<boost::system::error_code> parse(Parser& parser, bool whole);
  awaitable<void> invite_body(const Parser& parser);

  ServerStream& stream_;
  const ServerLimits& limits_;
  std::string bytes_;  // read, and not taken yet
};

}  // namespace rollwatch
