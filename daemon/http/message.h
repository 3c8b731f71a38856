// One exchange of our own HTTP server as plain values, so that everything behind the socket can be
// tested without one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rollwatch {

class BodySource;

using Headers = std::vector<std::pair<std::string, std::string>>;

// A request as received. Header names are in lower case; path segments and query are decoded.
struct ServerRequest {
  std::string method;
  std::string path;                   // as sent, without the query
  std::vector<std::string> segments;  // of the path: "/a/b%2Fc" is {"a", "b/c"}
  std::vector<std::pair<std::string, std::string>> query;  // in order; a key may come several times
  Headers headers;
  std::string body;
  std::string peer;      // the address it came from
  bool carried = false;  // by another node, which has looked at it already
  std::string caller;    // who that node found it to be from, in the API's words

  // Whether anybody still waits for the answer: false once the peer has hung up or the server is
  // stopping. A handler that waits asks now and then. Unset: somebody does.
  std::function<bool()> wanted;

  std::optional<std::string_view> header(std::string_view lower_case_name) const;  // the first
};

// An answer. The server adds what concerns the connection: Content-Length or Transfer-Encoding,
// Date, Connection.
struct ServerResponse {
  int status = 200;
  Headers headers;
  std::string body;
  std::string route;  // the pattern that answered, for metrics; empty: none fits
  // In place of `body`, one that is made while it is sent (body_source.h).
  std::shared_ptr<BodySource> stream = nullptr;
};

// "/a/b?x=1" or "http://host/a/b?x=1" taken apart into the request's path, segments and query.
// False if it is none of these, or a percent escape is broken or stands for a NUL.
bool read_target(std::string_view target, ServerRequest& request);

// "%2F" → "/"; nullopt if an escape is broken or stands for a NUL. `plus_is_space`: as in a query.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

std::string_view status_phrase(int status);

std::string lower_case(std::string_view ascii);

// The answer's first lines, up to and with the empty one; without a length if it has a stream. Line
// ends in header values become spaces: no value can begin a header of its own. `date`: IMF-fixdate,
// or empty.
std::string render_head(const ServerResponse& response, bool keep_alive, std::string_view date);

}  // namespace rollwatch
