#include "daemon/http/kept_connection.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/text.h"
#include "daemon/net/host_lookup.h"

namespace rollwatch {

namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using net::ip::tcp;

constexpr std::uint32_t kHeadLimit = 64 * 1024;
// What one look at a socket takes at most; a longer answer takes several.
constexpr std::size_t kReadBytes = 64 * 1024;
// …and so many of them before others have their turn, the clock above all.
constexpr int kReadsAtOnce = 16;
constexpr std::size_t kLongestProblem = 300;

// One for all connections: what is read is parsed before anything else is read.
std::array<char, kReadBytes>& read_buffer() {
  static thread_local std::array<char, kReadBytes> buffer;
  return buffer;
}

class Connection : public KeptConnection {
 public:
  Connection(const net::any_io_executor& executor, Owner& owner, const BaseUrl& server,
             std::shared_ptr<net::ssl::context> context, bool check_name)
      : executor_(executor),
        owner_(&owner),
        server_(&server),
        check_name_(check_name),
        context_(std::move(context)),
        socket_(executor) {}

  void open(Job job) override;
  void send(Job job) override;
  void time_out() override;
  void forget() override {
    owner_ = nullptr;
    close();
  }

 private:
  std::shared_ptr<Connection> self() {
    return std::static_pointer_cast<Connection>(shared_from_this());
  }
  using Parser = boost::beast::http::response_parser<boost::beast::http::string_body>;
  using Tls = net::ssl::stream<net::ip::tcp::socket&>;

  awaitable<void> connect();
  awaitable<error_code> connect_socket();
  void begin();
  void write();
  void write_rest(std::size_t sent);
  void listen();
  void readable(error_code error);
  void read_socket();
  void take(std::string_view bytes);
  std::size_t parse(std::string_view bytes, error_code& error);
  void complete(bool more_came);
  void ended(error_code error);
  void close();
  void fail(HttpError error, std::string text);
  void fail_later(error_code error);
  std::string tls_problem(error_code error);

  net::any_io_executor executor_;
  Owner* owner_;  // null: forgotten
  const BaseUrl* server_;
  const bool check_name_;
  std::shared_ptr<net::ssl::context> context_;
  std::shared_ptr<Promise<HostAddresses>> looking_up_;
  net::ip::tcp::socket socket_;
  std::optional<Tls> tls_;
  std::vector<char> tls_buffer_;
  std::optional<Parser> parser_;
  std::string unread_;             // the beginning of a head, or of a chunk's
  std::size_t interim_bytes_ = 0;  // of "100 Continue" and the like before the answer
  bool connected_ = false;
  bool answering_ = false;  // something of the answer is here
};

void Connection::open(Job job) {
  job_ = std::move(job);
  spawn(executor_, "connection to " + server_->name,
        [self = self()]() -> awaitable<void> { co_await self->connect(); });
}

awaitable<void> Connection::connect() {
  error_code error = co_await connect_socket();
  if (!owner_) co_return;
  if (error)
    co_return fail(HttpError::kUnreachable,
                   "could not connect to " + server_->name + ": " + error.message());
  socket_.non_blocking(true, error);
  socket_.set_option(tcp::no_delay(true), error);
  if (context_) {
    tls_.emplace(socket_, *context_);
    error_code not_an_address;
    net::ip::make_address(server_->host, not_an_address);
    if (not_an_address) SSL_set_tlsext_host_name(tls_->native_handle(), server_->host.c_str());
    if (check_name_) tls_->set_verify_callback(net::ssl::host_name_verification(server_->host));
    co_await tls_->async_handshake(net::ssl::stream_base::client,
                                   net::redirect_error(net::use_awaitable, error));
    if (!owner_) co_return;
    if (error) co_return fail(HttpError::kUnreachable, tls_problem(error));
    tls_buffer_.resize(kReadBytes / 4);
  }
  connected_ = true;
  begin();
  listen();
}

awaitable<error_code> Connection::connect_socket() {
  error_code error;
  const auto port = static_cast<std::uint16_t>(std::stoi(server_->port));
  const auto address = net::ip::make_address(server_->host, error);
  if (!error) {
    const tcp::endpoint endpoint(address, port);
    co_await socket_.async_connect(endpoint, net::redirect_error(net::use_awaitable, error));
    co_return error;
  }
  const auto answer = looking_up_ = std::make_shared<Promise<HostAddresses>>(executor_);
  look_up_host(executor_, server_->host,
               [answer](HostAddresses found) { answer->set(std::move(found)); });
  const HostAddresses found = co_await answer->get();
  if (!owner_) co_return error;
  if (!found) {
    fail(HttpError::kUnreachable, "the host name of " + server_->name + " could not be resolved");
    co_return error;
  }
  std::vector<tcp::endpoint> endpoints;
  for (const std::string& each : *found) endpoints.emplace_back(net::ip::make_address(each), port);
  co_await net::async_connect(socket_, endpoints, net::redirect_error(net::use_awaitable, error));
  co_return error;
}

void Connection::send(Job job) {
  job_ = std::move(job);
  begin();
}

void Connection::begin() {
  parser_.emplace();
  parser_->eager(true);
  parser_->header_limit(kHeadLimit);
  parser_->body_limit(job_->request.max_answer);
  unread_.clear();
  interim_bytes_ = 0;
  answering_ = false;
  write();
}

void Connection::write() {
  if (tls_) return write_rest(0);
  // Nearly always all of it fits at once, and nothing has to be waited for.
  error_code error;
  const std::size_t sent = socket_.write_some(net::buffer(job_->request.bytes), error);
  if (error == net::error::would_block) error.clear();
  if (error) return fail_later(error);
  if (sent < job_->request.bytes.size()) write_rest(sent);
}

void Connection::write_rest(std::size_t sent) {
  // An answer may come before all is written, and the job ends with it.
  auto bytes = std::make_shared<const std::string>(job_->request.bytes.substr(sent));
  const auto buffer = net::buffer(*bytes);
  const auto written = [self = self(), bytes](error_code error, std::size_t) {
    if (error && self->owner_ && self->job_) self->ended(error);
  };
  if (tls_)
    net::async_write(*tls_, buffer, written);
  else
    net::async_write(socket_, buffer, written);
}

void Connection::listen() {
  if (tls_) {
    tls_->async_read_some(net::buffer(tls_buffer_),
                          [self = self()](error_code error, std::size_t size) {
                            if (!self->owner_) return;
                            if (error) return self->ended(error);
                            self->take({self->tls_buffer_.data(), size});
                            if (self->owner_) self->listen();
                          });
  } else {
    socket_.async_wait(tcp::socket::wait_read, [self = self()](error_code error) {
      if (!self->owner_) return;
      if (error) return self->ended(error);
      self->read_socket();
      if (self->owner_) self->listen();
    });
  }
}

void Connection::read_socket() {
  auto& buffer = read_buffer();
  for (int reads = 0; owner_ && reads < kReadsAtOnce; ++reads) {
    error_code error;
    const std::size_t size = socket_.read_some(net::buffer(buffer), error);
    if (error == net::error::would_block) return;
    if (error) return ended(error);
    take({buffer.data(), size});
    if (size < buffer.size()) return;
  }
}

void Connection::take(std::string_view bytes) {
  if (!job_) return ended(net::error::eof);  // it says something nobody asked
  answering_ = true;
  const bool goes_on = !unread_.empty();
  if (goes_on) {
    unread_.append(bytes);
    bytes = unread_;
  }
  error_code error;
  const std::size_t used = parse(bytes, error);
  if (error == http::error::body_limit)
    return fail(HttpError::kTooLarge, "the answer of " + server_->name + " is larger than " +
                                          std::to_string(job_->request.max_answer) + " bytes");
  if (error == http::error::header_limit)
    return fail(HttpError::kTooLarge, "the headers of " + server_->name +
                                          "'s answer are larger than " +
                                          std::to_string(kHeadLimit / 1024) + " KiB");
  if (error) return fail(HttpError::kUnreachable, server_->name + " did not answer in HTTP");
  if (parser_->is_done()) return complete(used < bytes.size());
  // The parser waits for the end of a line, however long.
  if (bytes.size() - used > kHeadLimit)
    return fail(HttpError::kTooLarge, "a chunk's header in the answer of " + server_->name +
                                          " is larger than " + std::to_string(kHeadLimit / 1024) +
                                          " KiB");
  if (goes_on)
    unread_.erase(0, used);
  else
    unread_ = bytes.substr(used);
}

// How much of it is used up. What is not is the beginning of a head.
std::size_t Connection::parse(std::string_view bytes, error_code& error) {
  std::size_t used = 0;
  while (used < bytes.size() && !parser_->is_done()) {
    const std::string_view rest = bytes.substr(used);
    const std::size_t taken = parser_->put(net::buffer(rest.data(), rest.size()), error);
    used += taken;
    if (error == http::error::need_more) {
      error.clear();
      break;
    }
    if (error) break;
    if (parser_->is_done() && parser_->get().result_int() < 200) {  // "100 Continue"
      interim_bytes_ += taken;
      if (interim_bytes_ > kHeadLimit) {
        error = http::error::header_limit;
        break;
      }
      const auto limit = job_->request.max_answer;
      parser_.emplace();
      parser_->eager(true);
      parser_->header_limit(kHeadLimit);
      parser_->body_limit(limit);
    } else if (taken == 0) {
      break;
    }
  }
  return used;
}

void Connection::complete(bool more_came) {
  auto& message = parser_->get();
  const auto encoding = message[http::field::content_encoding];
  if (!encoding.empty() && encoding != "identity")
    return fail(HttpError::kUnreachable,
                "the answer of " + server_->name + " is compressed, which it was not asked to be");
  KeptAnswer answer;
  answer.status = static_cast<int>(message.result_int());
  answer.content_type = message[http::field::content_type];
  answer.body = std::move(message.body());
  const bool is_open = message.keep_alive() && !more_came;
  Owner& owner = *owner_;
  if (!is_open) close();
  owner.answered(*this, is_open, std::move(answer));
}

// The server, or what lies between, has closed the connection, or it broke.
void Connection::ended(error_code error) {
  Owner& owner = *owner_;
  if (!job_) {
    close();
    return owner.closed_idle(*this);
  }
  const bool closed = error == net::error::eof || error == net::ssl::error::stream_truncated;
  if (closed && parser_->is_header_done()) {
    error_code incomplete;
    parser_->put_eof(incomplete);
    if (!incomplete && parser_->is_done()) return complete(true);
  }
  if (!answering_ && job_->may_repeat) {
    close();
    return owner.closed_before(*this);
  }
  const std::string& name = server_->name;
  if (!closed)
    return fail(HttpError::kUnreachable,
                "the connection to " + name + " broke off: " + error.message());
  fail(HttpError::kUnreachable,
       name + (answering_ ? " closed the connection before the answer was complete"
                          : " closed the connection without an answer"));
}

void Connection::time_out() {
  const std::string& name = server_->name;
  const std::string within = " within " + format_duration(job_->request.timeout);
  if (!connected_) return fail(HttpError::kTimeout, "no connection to " + name + within);
  const bool partly = parser_->is_header_done();
  fail(HttpError::kTimeout,
       (partly ? "no complete answer from " : "no answer from ") + name + within);
}

void Connection::fail(HttpError error, std::string text) {
  KeptAnswer answer;
  answer.error = error;
  answer.error_text = cut(text, kLongestProblem);
  if (parser_ && parser_->is_header_done())
    answer.status = static_cast<int>(parser_->get().result_int());
  Owner& owner = *owner_;
  close();
  owner.answered(*this, false, std::move(answer));
}

void Connection::fail_later(error_code error) {
  net::post(executor_, [self = self(), error] {
    if (self->owner_ && self->job_) self->ended(error);
  });
}

void Connection::close() {
  owner_ = nullptr;
  error_code ignored;
  if (looking_up_) looking_up_->set(Unexpected(std::string("it is closed")));
  socket_.close(ignored);
}

std::string Connection::tls_problem(error_code error) {
  const long verified = SSL_get_verify_result(tls_->native_handle());
  std::string why = error.message();
  if (verified != X509_V_OK)
    why = std::string("its certificate is not trusted: ") + X509_verify_cert_error_string(verified);
  return "no TLS with " + server_->name + ": " + why;
}

}  // namespace

std::shared_ptr<KeptConnection> KeptConnection::make(const net::any_io_executor& executor,
                                                     Owner& owner, const BaseUrl& server,
                                                     std::shared_ptr<net::ssl::context> context,
                                                     bool check_name) {
  return std::make_shared<Connection>(executor, owner, server, std::move(context), check_name);
}

}  // namespace rollwatch
