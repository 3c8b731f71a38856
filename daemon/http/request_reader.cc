#include "daemon/http/request_reader.h"

#include <fmt/format.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

namespace rollwatch {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

// Read at once; the first of them is all that an idle connection holds.
constexpr std::size_t kOfHeader = 4 * 1024;
constexpr std::size_t kOfBody = 16 * 1024;

// What the client did wrong, in the server's own words; nullopt: the connection is gone or was too
// slow.
std::optional<Problem> problem_of(error_code error, const ServerLimits& limits) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return Problem{431, fmt::format("the header is larger than {} bytes", limits.header_bytes)};
  if (error == http::error::body_limit)
    return Problem{413, fmt::format("the body is larger than {} bytes", limits.body_bytes)};
  if (error == http::error::bad_version)
    return Problem{505, "only HTTP/1.1 and HTTP/1.0 are spoken here"};
  if (error == http::error::end_of_stream || error == http::error::partial_message)
    return std::nullopt;
  if (error.category() == make_error_code(http::error::bad_method).category())
    return Problem{400, "this is not an HTTP request: " + error.message()};
  return std::nullopt;
}

// False if the target cannot be read.
bool take_request(http::request_parser<http::string_body>& parser, ServerRequest& request) {
  auto& message = parser.get();
  request.method = std::string(message.method_string());
  for (const auto& field : message)
    request.headers.emplace_back(
        lower_case({field.name_string().data(), field.name_string().size()}),
        std::string(field.value()));
  request.body = std::move(message.body());
  if (message.target() == "*") {
    request.path = "*";
    return request.method == "OPTIONS";
  }
  return read_target({message.target().data(), message.target().size()}, request);
}

}  // namespace

struct RequestReader::Parser {
  http::request_parser<http::string_body> http;
};

awaitable<error_code> RequestReader::more(std::size_t most) {
  error_code error;
  const std::size_t had = bytes_.size();
  bytes_.resize(had + most);
  const std::size_t got = co_await stream_.read_some(net::buffer(&bytes_[had], most), error);
  bytes_.resize(had + got);
  co_return error;
}

awaitable<bool> RequestReader::begin() {
  bytes_.shrink_to_fit();  // what a large one needed
  stream_.expires_after(limits_.idle_time);
  co_return !co_await more(kOfHeader);
}

// The header, or the whole of it. What it leaves in bytes_ is the next request's.
awaitable<error_code> RequestReader::parse(Parser& parser, bool whole) {
  // Room for a header that is one byte too long, so that it is refused with words.
  const std::size_t most = 2 * limits_.header_bytes + kOfHeader;
  parser.http.eager(whole);
  for (;;) {
    error_code error;
    while (!bytes_.empty() && !error &&
           !(whole ? parser.http.is_done() : parser.http.is_header_done()))
      bytes_.erase(0, parser.http.put(net::buffer(bytes_), error));
    if (whole ? parser.http.is_done() : parser.http.is_header_done()) co_return error_code();
    if (error && error != http::error::need_more) co_return error;
    if (bytes_.size() >= most) co_return http::error::buffer_overflow;
    if (const error_code ended = co_await more(whole ? kOfBody : kOfHeader)) co_return ended;
  }
}

awaitable<RequestReader::Taken> RequestReader::read(std::function<void(std::size_t)> announced) {
  Parser parser;
  parser.http.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser.http.body_limit(limits_.body_bytes);
  stream_.expires_after(limits_.header_time);
  error_code error = co_await parse(parser, false);
  if (!error && !parser.http.is_done()) {
    const auto length = parser.http.content_length();
    announced(length ? static_cast<std::size_t>(*length) : limits_.body_bytes);
    stream_.expires_after(limits_.body_time);
    co_await invite_body(parser);
    error = co_await parse(parser, true);
  }
  Taken taken;
  if (error) {
    taken.problem = problem_of(error, limits_);
    co_return taken;
  }
  stream_.expires_never();
  taken.keep_alive = parser.http.keep_alive();
  taken.knows_chunks = parser.http.get().version() >= 11;
  ServerRequest request;
  if (take_request(parser.http, request))
    taken.request = std::move(request);
  else
    taken.problem =
        Problem{400, "the request's target is not a path, or has a broken percent escape"};
  co_return taken;
}

awaitable<void> RequestReader::invite_body(const Parser& parser) {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto expect = parser.http.get()[http::field::expect];
  if (lower_case({expect.data(), expect.size()}) != "100-continue") co_return;
  std::vector<net::const_buffer> parts{net::buffer(kContinue)};
  co_await stream_.write(std::move(parts));
}

}  // namespace rollwatch
