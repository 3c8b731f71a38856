#include "daemon/http/server.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <ctime>
#include <exception>
#include <list>
#include <map>

#include "daemon/http/listener.h"
#include "daemon/http/manners.h"
#include "daemon/http/problem.h"
#include "daemon/http/request_reader.h"
#include "daemon/http/security_headers.h"
#include "daemon/http/server_stream.h"
#include "daemon/http/server_tls.h"
#include "daemon/http/stream_sender.h"

namespace rollwatch {
namespace {

using boost::system::error_code;
using net::ip::tcp;

constexpr Millis kAcceptAgain{100};
constexpr Millis kAskAnother{1'000};
// From one address these are a crowd: so many, and more than this part of all that may be.
constexpr std::size_t kCrowd = 16, kCrowdPart = 16;
constexpr Millis kLinger{2'000};
constexpr std::size_t kLingerBytes = 4 * 1024 * 1024;

std::string address_of(const tcp::socket& socket) {
  error_code gone;
  return socket.remote_endpoint(gone).address().to_string();
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

  Expected<std::string, std::string> listen(const std::string& address, Reach reach);
  void use_tls(std::shared_ptr<ServerTls> tls) { tls_ = std::move(tls); }
  void limit_connections(std::size_t most) { limits_.connections = most; }
  awaitable<void> stop(Millis grace);
  void abandon();

 private:
  using Peers = std::map<std::string, std::size_t>;  // how many connections an address has
  enum class Phase : unsigned char {
    kIdle,     // before its first request, between two, and when it is only listened to
    kReading,  // its request, or its handshake, has begun to come
    kBusy,
  };
  struct Session {
    Session(std::unique_ptr<ServerStream> of, Peers::iterator from)
        : stream(std::move(of)), peer(from) {}
    std::unique_ptr<ServerStream> stream;
    Peers::iterator peer;
    Phase phase = Phase::kIdle;
    SteadyTime since{};                  // it is in this phase
    bool served = false;                 // it had an answer before
    std::optional<SteadyTime> asked_at;  // the request that is being answered
    std::size_t body = 0;                // the most its body can be, while it is read
    bool handled = false;                // its request is with the handler
    bool hurried = false;    // others need its place: what it waits for is answered as it is
    bool dismissed = false;  // closed by us: a request that is read all the same is not carried out
    std::shared_ptr<StreamSender> sender;  // while its answer is a stream

    void dismiss() {
      dismissed = true;
      stream->close();
    }
  };

  awaitable<void> accept();
  awaitable<bool> make_room_for(std::string address);
  awaitable<void> wait_for_room();
  void begin(tcp::socket socket);
  awaitable<void> serve(Session& session);
  awaitable<bool> serve_one(Session& session, RequestReader& reader);
  awaitable<bool> answer(Session& session, ServerRequest request, bool keep_alive,
                         bool knows_chunks);
  Session* least_worth(Peers::iterator peer);
  bool is_crowd(std::size_t connections) const;
  SteadyTime slow_at(const Session& session) const;
  void make_room_for_body(Session& session, std::size_t size);
  awaitable<ServerResponse> handle(ServerRequest request);
  awaitable<bool> send(Session& session, std::string_view method, ServerResponse response,
                       bool keep_alive);
  awaitable<void> send_stream(Session& session, std::shared_ptr<BodySource> stream,
                              bool in_chunks) const;
  awaitable<void> refuse(Session& session, const Problem& problem);
  awaitable<void> linger(Session& session);
  void enter(Session& session, Phase phase);

  const net::any_io_executor executor_;
  const Clock& clock_;
  const Handler handler_;
  const Answered answered_;
  ServerLimits limits_;
  std::shared_ptr<ServerTls> tls_;  // null: plain
  tcp::acceptor acceptor_;
  std::list<Session> sessions_;  // the longest at rest first
  Timer changed_;                // cancelled whenever a session ends or comes to rest
  Peers peers_;
  std::size_t bodies_ = 0;  // of Session::body, all together
  bool stopping_ = false;
};

Expected<std::string, std::string> HttpServer::Impl::listen(const std::string& address,
                                                            Reach reach) {
  auto bound = listen_on(acceptor_, address, reach);
  if (bound)
    spawn(executor_, "http accept", [self = shared_from_this()] { return self->accept(); });
  return bound;
}

awaitable<void> HttpServer::Impl::accept() {
  while (!stopping_) {
    error_code error;
    tcp::socket socket =
        co_await acceptor_.async_accept(net::redirect_error(net::use_awaitable, error));
    if (stopping_ || error == net::error::operation_aborted) break;
    if (error) {
      spdlog::warn("cannot accept a connection: {}", error.message());
      Timer again(executor_, kAcceptAgain);
      co_await again.async_wait();
      continue;
    }
    if (co_await make_room_for(address_of(socket))) begin(std::move(socket));
  }
}

// Where all places are taken. Of a crowd that does not get on with asking, new ones take the places
// of their own or none: they are turned away as fast as they come, or nobody else would get through
// to us. All others wait for a place.
awaitable<bool> HttpServer::Impl::make_room_for(std::string address) {
  if (sessions_.size() < limits_.connections) co_return true;
  // Whose request has come is not idle, whether or not anybody has looked at it yet.
  co_await net::post(executor_, net::use_awaitable);
  const auto peer = peers_.find(address);
  if (peer != peers_.end() && is_crowd(peer->second)) {
    if (Session* const own = least_worth(peer)) {
      own->dismiss();
      // It is gone soon; many that come meanwhile are not let in on top.
      co_return sessions_.size() < limits_.connections + kCrowd;
    }
    const auto any = [&](auto of_which) {
      return std::ranges::any_of(sessions_, [&](const Session& session) {
        return session.peer == peer && !session.dismissed && of_which(session);
      });
    };
    const bool asks = any([](const Session& s) { return s.phase == Phase::kReading; });
    const bool waits = any([](const Session& s) { return s.handled && !s.hurried; });
    if (asks && !waits) {
      spdlog::debug("a connection of {} is turned away: it has {} that do not get on", address,
                    peer->second);
      co_return false;
    }
  }
  while (!stopping_ && sessions_.size() >= limits_.connections) co_await wait_for_room();
  co_return !stopping_;
}

// Whose connection is worth least when there are too many: who has never asked anything, then who
// is slow at asking, then who is between two requests; of several, for the longest time. Whose
// request has come is none of them. Only of those from `peer`, unless that is the end.
HttpServer::Impl::Session* HttpServer::Impl::least_worth(Peers::iterator peer) {
  const SteadyTime now = clock_.steady();
  const auto worth = [&](Session& session) {
    error_code gone;
    if (session.phase == Phase::kIdle && session.stream->socket().available(gone) == 0)
      return session.served ? 2 : 0;
    if (session.phase == Phase::kReading && now >= slow_at(session)) return 1;
    return 3;
  };
  Session* least = nullptr;
  int its_worth = 3;
  for (Session& session : sessions_) {  // the longest at rest first
    if (peer != peers_.end() && session.peer != peer) continue;
    const int this_one = worth(session);
    const bool is_longer = this_one == 1 && its_worth == 1 && session.since < least->since;
    if (session.dismissed || (this_one >= its_worth && !is_longer)) continue;
    least = &session;
    its_worth = this_one;
    if (its_worth == 0) break;
  }
  return least;
}

bool HttpServer::Impl::is_crowd(std::size_t connections) const {
  return connections > std::max(kCrowd, limits_.connections / kCrowdPart);
}

// Of a crowd that needs all places less is put up with.
SteadyTime HttpServer::Impl::slow_at(const Session& session) const {
  return session.since + (is_crowd(session.peer->second) ? limits_.slow_in_crowd : limits_.slow);
}

awaitable<void> HttpServer::Impl::wait_for_room() {
  // Whose request has come is not idle, whether or not anybody has looked at it yet.
  co_await net::post(executor_, net::use_awaitable);
  if (stopping_ || sessions_.size() < limits_.connections) co_return;
  SteadyTime look_again = clock_.steady() + kAskAnother;
  if (Session* const least = least_worth(peers_.end())) {
    least->dismiss();
  } else {
    for (const Session& session : sessions_)
      if (session.phase == Phase::kReading && !session.dismissed)
        look_again = std::min(look_again, slow_at(session));
    const auto waiting = std::ranges::find_if(
        sessions_, [](const Session& session) { return session.handled && !session.hurried; });
    if (waiting != sessions_.end()) waiting->hurried = true;
  }
  error_code woken;
  changed_.expires_at(look_again);
  co_await changed_.async_wait(net::redirect_error(net::use_awaitable, woken));
}

// Bodies that are being read share a bounded room; who has been at it longest loses its place.
void HttpServer::Impl::make_room_for_body(Session& session, std::size_t size) {
  while (bodies_ + size > limits_.bodies_bytes) {
    Session* oldest = nullptr;
    for (Session& other : sessions_)
      if (other.body > 0 && !other.dismissed && (oldest == nullptr || other.since < oldest->since))
        oldest = &other;
    if (oldest == nullptr) break;
    bodies_ -= std::exchange(oldest->body, 0);
    oldest->dismiss();
  }
  session.body = size;
  bodies_ += size;
}

void HttpServer::Impl::begin(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto peer = peers_.try_emplace(address_of(socket), 0).first;
  ++peer->second;
  const auto session = sessions_.emplace(
      sessions_.end(),
      tls_ ? tls_stream(std::move(socket), tls_->context()) : plain_stream(std::move(socket)),
      peer);
  session->since = clock_.steady();
  spawn(executor_, "http session", [self = shared_from_this(), session]() -> awaitable<void> {
    co_await self->serve(*session);
    if (--session->peer->second == 0) self->peers_.erase(session->peer);
    self->sessions_.erase(session);
    self->changed_.cancel();
  });
}

void HttpServer::Impl::enter(Session& session, Phase phase) {
  session.phase = phase;
  session.since = clock_.steady();
  if (phase != Phase::kIdle) return;
  const auto here = std::ranges::find(sessions_, &session, [](const Session& s) { return &s; });
  sessions_.splice(sessions_.end(), sessions_, here);
  changed_.cancel();
}

awaitable<void> HttpServer::Impl::serve(Session& session) {
  if (session.stream->is_tls()) enter(session, Phase::kReading);
  session.stream->expires_after(limits_.header_time);
  if (const error_code failed = co_await session.stream->open()) {
    spdlog::debug("no TLS with {}: {}", session.peer->first, failed.message());
  } else {
    RequestReader reader(*session.stream, limits_);
    while (co_await serve_one(session, reader) && !stopping_) {
    }
    if (!session.dismissed) co_await session.stream->finish();
  }
  session.stream->close();
}

// One request and its answer; whether the connection is good for another.
awaitable<bool> HttpServer::Impl::serve_one(Session& session, RequestReader& reader) {
  if (!reader.has_begun()) {
    enter(session, Phase::kIdle);
    if (!co_await reader.begin()) co_return false;
  }
  enter(session, Phase::kReading);
  RequestReader::Taken taken;
  if (!session.dismissed)
    taken = co_await reader.read(
        [this, &session](std::size_t size) { make_room_for_body(session, size); });
  bodies_ -= std::exchange(session.body, 0);
  // Its bytes may have been read already when it was closed: nobody could be told what came of
  // them.
  if (session.dismissed) co_return false;
  enter(session, Phase::kBusy);
  if (taken.problem) co_await refuse(session, *taken.problem);
  if (!taken.request) co_return false;
  co_return co_await answer(session, std::move(*taken.request), taken.keep_alive,
                            taken.knows_chunks);
}

awaitable<bool> HttpServer::Impl::answer(Session& session, ServerRequest request, bool keep_alive,
                                         bool knows_chunks) {
  request.peer = session.peer->first;
  session.hurried = false;
  request.wanted = [this, &session] {
    return !stopping_ && !session.hurried && !session.stream->hung_up();
  };
  const std::string method = request.method;
  session.asked_at = clock_.steady();
  session.handled = true;
  ServerResponse response = co_await handle(std::move(request));
  session.handled = false;
  session.served = true;
  if (!response.stream || method == "HEAD")
    co_return co_await send(session, method, std::move(response), keep_alive && !stopping_);
  if (knows_chunks) response.headers.emplace_back("Transfer-Encoding", "chunked");
  auto body = response.stream;
  co_await send(session, method, std::move(response), false);
  co_await send_stream(session, std::move(body), knows_chunks);
  co_return false;
}

awaitable<void> HttpServer::Impl::send_stream(Session& session, std::shared_ptr<BodySource> stream,
                                              bool in_chunks) const {
  if (stopping_) co_return;
  session.stream->expires_never();
  session.sender = std::make_shared<StreamSender>(*session.stream, std::move(stream), in_chunks);
  co_await session.sender->run();
  session.sender.reset();
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
                                       ServerResponse response, bool keep_alive) {
  add_security_headers(response, session.stream->is_tls());
  const std::time_t now = std::chrono::system_clock::to_time_t(clock_.wall());
  const std::string head = render_head(
      response, keep_alive, fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(now)));
  const bool bodiless = method == "HEAD" || response.status == 204 || response.status == 304;
  std::vector<net::const_buffer> parts{net::buffer(head),
                                       bodiless ? net::const_buffer() : net::buffer(response.body)};
  session.stream->expires_after(limits_.write_time);
  const error_code error = co_await session.stream->write(std::move(parts));
  const auto took =
      session.asked_at ? clock_.steady() - *session.asked_at : std::chrono::nanoseconds{0};
  session.asked_at.reset();
  answered_(method, response.route, response.status, took);
  co_return !error && keep_alive;
}

awaitable<void> HttpServer::Impl::refuse(Session& session, const Problem& problem) {
  ServerResponse response = problem_response(problem);
  response.headers.emplace_back("X-Request-Id", new_request_id());
  co_await send(session, "", std::move(response), false);
  co_await linger(session);
}

// Closing with unread bytes resets the connection, and the client might never see the answer: so
// what it still sends is read and dropped for a moment.
awaitable<void> HttpServer::Impl::linger(Session& session) {
  if (stopping_) co_return;
  enter(session, Phase::kIdle);
  session.stream->expires_after(kLinger);
  co_await session.stream->drop_input(kLingerBytes);
}

awaitable<void> HttpServer::Impl::stop(Millis grace) {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  for (Session& session : sessions_) {
    if (session.phase == Phase::kIdle) session.dismiss();
    if (session.sender) session.sender->end();
  }
  changed_.cancel();
  const SteadyTime until = clock_.steady() + grace;
  while (!sessions_.empty() && clock_.steady() < until) {
    changed_.expires_at(until);
    error_code woken;
    co_await changed_.async_wait(net::redirect_error(net::use_awaitable, woken));
  }
  for (Session& session : sessions_) session.stream->close();
}

void HttpServer::Impl::abandon() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  changed_.cancel();
  for (Session& session : sessions_) session.stream->close();
}

HttpServer::HttpServer(const net::any_io_executor& executor, const Clock& clock, Handler handler,
                       Answered answered, ServerLimits limits)
    : impl_(std::make_shared<Impl>(executor, clock, std::move(handler), std::move(answered),
                                   limits)) {}
HttpServer::~HttpServer() { impl_->abandon(); }
Expected<std::string, std::string> HttpServer::listen(const std::string& address, Reach reach) {
  return impl_->listen(address, reach);
}
void HttpServer::use_tls(std::shared_ptr<ServerTls> tls) { impl_->use_tls(std::move(tls)); }
void HttpServer::limit_connections(std::size_t most) { impl_->limit_connections(most); }
awaitable<void> HttpServer::stop(Millis grace) { return impl_->stop(grace); }

}  // namespace rollwatch
