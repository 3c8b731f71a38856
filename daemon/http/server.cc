#include "daemon/http/server.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>
#include <exception>
#include <list>

#include "daemon/http/listener.h"
#include "daemon/http/manners.h"
#include "daemon/http/problem.h"
#include "daemon/http/stream_sender.h"

namespace rollwatch {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;

constexpr Millis kAcceptAgain{100};
constexpr Millis kAskAnother{1'000};
constexpr Millis kLinger{2'000};
constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;

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

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const net::any_io_executor& executor, const Clock& clock, Handler handler, Answered answered,
       ServerLimits limits)
      : executor_(executor),
        clock_(clock),
        handler_(std::move(handler)),
        answered_(std::move(answered)),
        limits_(limits),
        acceptor_(executor),
        changed_(executor, net::steady_timer::time_point::max()) {}

  Expected<std::string, std::string> listen(const std::string& address);
  awaitable<void> stop(Millis grace);
  void abandon();

 private:
  struct Session {
    explicit Session(tcp::socket socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;
    std::string peer;
    bool idle = true;
    bool handled = false;    // its request is with the handler
    bool hurried = false;    // others need its place: what it waits for is answered as it is
    bool dismissed = false;  // closed by us: a request that is read all the same is not carried out
    std::shared_ptr<StreamSender> sender;  // while its answer is a stream

    void dismiss() {
      dismissed = true;
      stream.close();
    }
  };

  awaitable<void> accept();
  awaitable<void> wait_for_room();
  void begin(tcp::socket socket);
  awaitable<void> serve(Session& session);
  awaitable<bool> serve_one(Session& session, beast::flat_buffer& buffer);
  awaitable<error_code> await_request(Session& session, beast::flat_buffer& buffer);
  awaitable<void> invite_body(Session& session,
                              const http::request_parser<http::string_body>& parser);
  awaitable<ServerResponse> handle(ServerRequest request);
  awaitable<bool> send(Session& session, std::string_view method, const ServerResponse& response,
                       bool keep_alive);
  awaitable<void> send_stream(Session& session, std::shared_ptr<BodySource> stream,
                              bool in_chunks) const;
  awaitable<void> refuse(Session& session, const Problem& problem);
  awaitable<void> linger(Session& session);
  void set_idle(Session& session, bool idle);

  const net::any_io_executor executor_;
  const Clock& clock_;
  const Handler handler_;
  const Answered answered_;
  const ServerLimits limits_;
  tcp::acceptor acceptor_;
  std::list<Session> sessions_;  // the longest at rest first
  Timer changed_;                // cancelled whenever a session ends or comes to rest
  bool stopping_ = false;
};

Expected<std::string, std::string> HttpServer::Impl::listen(const std::string& address) {
  auto bound = listen_on(acceptor_, address);
  if (bound)
    spawn(executor_, "http accept", [self = shared_from_this()] { return self->accept(); });
  return bound;
}

awaitable<void> HttpServer::Impl::accept() {
  while (!stopping_) {
    error_code error;
    // Nobody is sent away before there is somebody to make room for.
    co_await acceptor_.async_wait(tcp::acceptor::wait_read,
                                  net::redirect_error(net::use_awaitable, error));
    if (stopping_ || error == net::error::operation_aborted) break;
    if (sessions_.size() >= limits_.connections) {
      co_await wait_for_room();
      continue;
    }
    tcp::socket socket =
        co_await acceptor_.async_accept(net::redirect_error(net::use_awaitable, error));
    if (stopping_ || error == net::error::operation_aborted) break;
    if (error) {
      spdlog::warn("cannot accept a connection: {}", error.message());
      Timer again(executor_, kAcceptAgain);
      co_await again.async_wait();
      continue;
    }
    begin(std::move(socket));
  }
}

awaitable<void> HttpServer::Impl::wait_for_room() {
  // Whose request has come is not idle, whether or not anybody has looked at it yet.
  co_await net::post(executor_, net::use_awaitable);
  if (stopping_ || sessions_.size() < limits_.connections) co_return;
  const auto idle = std::ranges::find_if(sessions_, [](Session& session) {
    error_code gone;
    return session.idle && session.stream.socket().available(gone) == 0;
  });
  if (idle != sessions_.end()) {
    idle->dismiss();
  } else {
    const auto waiting = std::ranges::find_if(
        sessions_, [](const Session& session) { return session.handled && !session.hurried; });
    if (waiting != sessions_.end()) waiting->hurried = true;
  }
  error_code woken;
  changed_.expires_after(kAskAnother);
  co_await changed_.async_wait(net::redirect_error(net::use_awaitable, woken));
}

void HttpServer::Impl::begin(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const tcp::endpoint peer = socket.remote_endpoint(ignored);
  const auto session = sessions_.emplace(sessions_.end(), std::move(socket));
  session->peer = peer.address().to_string();
  spawn(executor_, "http session", [self = shared_from_this(), session]() -> awaitable<void> {
    co_await self->serve(*session);
    self->sessions_.erase(session);
    self->changed_.cancel();
  });
}

void HttpServer::Impl::set_idle(Session& session, bool idle) {
  session.idle = idle;
  if (!idle) return;
  const auto here = std::ranges::find(sessions_, &session, [](const Session& s) { return &s; });
  sessions_.splice(sessions_.end(), sessions_, here);
  changed_.cancel();
}

awaitable<void> HttpServer::Impl::serve(Session& session) {
  // Room for a header that is one byte too long, so that it is refused with words.
  beast::flat_buffer buffer(2 * limits_.header_bytes + 4096);
  while (co_await serve_one(session, buffer) && !stopping_) {
  }
  session.stream.close();
}

awaitable<error_code> HttpServer::Impl::await_request(Session& session,
                                                      beast::flat_buffer& buffer) {
  error_code error;
  if (buffer.size() > 0) co_return error;
  set_idle(session, true);
  session.stream.expires_after(limits_.idle_time);
  const std::size_t got = co_await session.stream.async_read_some(
      buffer.prepare(4096), net::redirect_error(net::use_awaitable, error));
  buffer.commit(got);
  set_idle(session, false);
  // Its bytes may have been read already when it was closed: nobody could be told what came of
  // them.
  if (session.dismissed) error = net::error::operation_aborted;
  co_return error;
}

// One request and its answer; whether the connection is good for another.
awaitable<bool> HttpServer::Impl::serve_one(Session& session, beast::flat_buffer& buffer) {
  if (co_await await_request(session, buffer)) co_return false;

  http::request_parser<http::string_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser.body_limit(limits_.body_bytes);
  error_code error;
  session.stream.expires_after(limits_.header_time);
  co_await http::async_read_header(session.stream, buffer, parser,
                                   net::redirect_error(net::use_awaitable, error));
  if (!error) {
    session.stream.expires_after(limits_.body_time);
    co_await invite_body(session, parser);
    co_await http::async_read(session.stream, buffer, parser,
                              net::redirect_error(net::use_awaitable, error));
  }
  if (error) {
    if (const auto problem = problem_of(error, limits_)) co_await refuse(session, *problem);
    co_return false;
  }
  session.stream.expires_never();

  ServerRequest request;
  const bool keep_alive = parser.keep_alive();
  if (!take_request(parser, request)) {
    const Problem problem{400,
                          "the request's target is not a path, or has a broken percent escape"};
    co_await refuse(session, problem);
    co_return false;
  }
  request.peer = session.peer;
  session.hurried = false;
  request.wanted = [this, &session] {
    return !stopping_ && !session.hurried && !hung_up(session.stream.socket());
  };
  const std::string method = request.method;
  session.handled = true;
  ServerResponse response = co_await handle(std::move(request));
  session.handled = false;
  if (!response.stream || method == "HEAD")
    co_return co_await send(session, method, response, keep_alive && !stopping_);
  const bool in_chunks = parser.get().version() >= 11;
  if (in_chunks) response.headers.emplace_back("Transfer-Encoding", "chunked");
  co_await send(session, method, response, false);
  co_await send_stream(session, std::move(response.stream), in_chunks);
  co_return false;
}

awaitable<void> HttpServer::Impl::send_stream(Session& session, std::shared_ptr<BodySource> stream,
                                              bool in_chunks) const {
  if (stopping_) co_return;
  session.stream.expires_never();
  session.sender =
      std::make_shared<StreamSender>(session.stream.socket(), std::move(stream), in_chunks);
  co_await session.sender->run();
  session.sender.reset();
}

awaitable<void> HttpServer::Impl::invite_body(
    Session& session, const http::request_parser<http::string_body>& parser) {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto expect = parser.get()[http::field::expect];
  if (lower_case({expect.data(), expect.size()}) != "100-continue" || parser.is_done()) co_return;
  error_code error;
  co_await net::async_write(session.stream, net::buffer(kContinue),
                            net::redirect_error(net::use_awaitable, error));
}

awaitable<ServerResponse> HttpServer::Impl::handle(ServerRequest request) {
  const Manners manners(request);
  ServerResponse response;
  std::string what;
  try {
    response = co_await handler_(std::move(request));
  } catch (const std::exception& error) {
    what = error.what();
  }
  if (!what.empty()) {
    spdlog::error("a request could not be answered: {} [{}]", what, manners.request_id());
    response = problem_response(
        Problem{500, "the request could not be answered; the daemon's log says why"});
  }
  manners.finish(response);
  co_return response;
}

awaitable<bool> HttpServer::Impl::send(Session& session, std::string_view method,
                                       const ServerResponse& response, bool keep_alive) {
  const std::time_t now = std::chrono::system_clock::to_time_t(clock_.wall());
  const std::string head = render_head(
      response, keep_alive, fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(now)));
  const bool bodiless = method == "HEAD" || response.status == 204 || response.status == 304;
  const std::array<net::const_buffer, 2> parts{
      net::buffer(head), bodiless ? net::const_buffer() : net::buffer(response.body)};
  session.stream.expires_after(limits_.write_time);
  error_code error;
  co_await net::async_write(session.stream, parts, net::redirect_error(net::use_awaitable, error));
  answered_(method, response.route, response.status);
  co_return !error && keep_alive;
}

awaitable<void> HttpServer::Impl::refuse(Session& session, const Problem& problem) {
  ServerResponse response = problem_response(problem);
  response.headers.emplace_back("X-Request-Id", new_request_id());
  co_await send(session, "", response, false);
  co_await linger(session);
}

// Closing with unread bytes resets the connection, and the client might never see the answer: so
// what it still sends is read and dropped for a moment.
awaitable<void> HttpServer::Impl::linger(Session& session) {
  if (stopping_) co_return;
  error_code error;
  session.stream.socket().shutdown(tcp::socket::shutdown_send, error);
  set_idle(session, true);
  session.stream.expires_after(kLinger);
  std::vector<char> dropped(64 * 1024);
  for (std::size_t total = 0; !error && total < kLingerBytes;)
    total += co_await session.stream.async_read_some(
        net::buffer(dropped), net::redirect_error(net::use_awaitable, error));
}

awaitable<void> HttpServer::Impl::stop(Millis grace) {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  for (Session& session : sessions_) {
    if (session.idle) session.dismiss();
    if (session.sender) session.sender->end();
  }
  changed_.cancel();
  const SteadyTime until = clock_.steady() + grace;
  while (!sessions_.empty() && clock_.steady() < until) {
    changed_.expires_at(until);
    error_code woken;
    co_await changed_.async_wait(net::redirect_error(net::use_awaitable, woken));
  }
  for (Session& session : sessions_) session.stream.close();
}

void HttpServer::Impl::abandon() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  changed_.cancel();
  for (Session& session : sessions_) session.stream.close();
}

HttpServer::HttpServer(const net::any_io_executor& executor, const Clock& clock, Handler handler,
                       Answered answered, ServerLimits limits)
    : impl_(std::make_shared<Impl>(executor, clock, std::move(handler), std::move(answered),
                                   limits)) {}
HttpServer::~HttpServer() { impl_->abandon(); }
Expected<std::string, std::string> HttpServer::listen(const std::string& address) {
  return impl_->listen(address);
}
awaitable<void> HttpServer::stop(Millis grace) { return impl_->stop(grace); }

}  // namespace rollwatch
