#include "daemon/http/server_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cerrno>
#include <string>
#include <utility>

namespace rollwatch {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;
using net::ip::tcp;

// How long the other side may take to say good-bye.
constexpr Millis kGoodbye{1'000};
// Written together they are one record, and often one packet.
constexpr std::size_t kRecord = 16 * 1024;

class PlainStream : public ServerStream {
 public:
  explicit PlainStream(tcp::socket socket) : stream_(std::move(socket)) {}

  tcp::socket& socket() override { return stream_.socket(); }
  void expires_after(Millis span) override { stream_.expires_after(span); }
  void expires_never() override { stream_.expires_never(); }
  void close() override { stream_.close(); }
  awaitable<error_code> open() override { co_return error_code(); }
  awaitable<std::size_t> read_some(net::mutable_buffer buffer, error_code& error) override {
    co_return co_await stream_.async_read_some(buffer,
                                               net::redirect_error(net::use_awaitable, error));
  }
  awaitable<error_code> write(std::vector<net::const_buffer> parts) override {
    error_code error;
    co_await net::async_write(stream_, parts, net::redirect_error(net::use_awaitable, error));
    co_return error;
  }
  awaitable<void> finish() override { co_return; }
  awaitable<void> drop_input(std::size_t most) override {
    std::vector<char> dropped(kRecord);
    error_code error;
    socket().shutdown(tcp::socket::shutdown_send, error);
    for (std::size_t total = 0; !error && total < most;)
      total += co_await stream_.async_read_some(net::buffer(dropped),
                                                net::redirect_error(net::use_awaitable, error));
  }
  bool hung_up() override {
    if (!socket().is_open()) return true;
    char next = 0;
    const ssize_t got = ::recv(socket().native_handle(), &next, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
  }
  bool is_tls() const override { return false; }

 private:
  beast::tcp_stream stream_;
};

class TlsStream : public ServerStream {
 public:
  TlsStream(tcp::socket socket, std::shared_ptr<net::ssl::context> context)
      : context_(std::move(context)), stream_(std::move(socket), *context_) {}

  tcp::socket& socket() override { return stream_.next_layer().socket(); }
  void expires_after(Millis span) override { stream_.next_layer().expires_after(span); }
  void expires_never() override { stream_.next_layer().expires_never(); }
  void close() override { stream_.next_layer().close(); }
  awaitable<error_code> open() override {
    error_code error;
    co_await stream_.async_handshake(net::ssl::stream_base::server,
                                     net::redirect_error(net::use_awaitable, error));
    is_open_ = !error;
    co_return error;
  }
  awaitable<std::size_t> read_some(net::mutable_buffer buffer, error_code& error) override {
    co_return co_await stream_.async_read_some(buffer,
                                               net::redirect_error(net::use_awaitable, error));
  }
  awaitable<error_code> write(std::vector<net::const_buffer> parts) override {
    error_code error;
    const std::size_t size = net::buffer_size(parts);
    if (size > kRecord) {
      co_await net::async_write(stream_, parts, net::redirect_error(net::use_awaitable, error));
      co_return error;
    }
    std::string joined(size, '\0');
    net::buffer_copy(net::buffer(joined), parts);
    co_await net::async_write(stream_, net::buffer(joined),
                              net::redirect_error(net::use_awaitable, error));
    co_return error;
  }
  awaitable<void> finish() override {
    if (!is_open_ || !socket().is_open()) co_return;
    error_code error;
    expires_after(kGoodbye);
    co_await stream_.async_shutdown(net::redirect_error(net::use_awaitable, error));
  }
  awaitable<void> drop_input(std::size_t most) override {
    std::vector<char> dropped(kRecord);
    error_code error;
    for (std::size_t total = 0; !error && total < most;)
      total += co_await read_some(net::buffer(dropped), error);
  }
  // What comes before the end may be no more than TLS's own good-bye.
  bool hung_up() override {
    if (!socket().is_open()) return true;
    pollfd look{socket().native_handle(), POLLRDHUP, 0};
    return ::poll(&look, 1, 0) > 0;
  }
  bool is_tls() const override { return true; }

 private:
  std::shared_ptr<net::ssl::context> context_;
  net::ssl::stream<beast::tcp_stream> stream_;
  bool is_open_ = false;
};

}  // namespace

std::unique_ptr<ServerStream> plain_stream(tcp::socket socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<ServerStream> tls_stream(tcp::socket socket,
                                         std::shared_ptr<net::ssl::context> context) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context));
}

}  // namespace rollwatch
