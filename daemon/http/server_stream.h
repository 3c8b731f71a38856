// One connection of our server, with or without TLS: the rest of the server does not know which.
//
//   auto stream = plain_stream(std::move(socket));        // or tls_stream(std::move(socket),
//   context) stream->expires_after(10s); if (co_await stream->open()) …                        //
//   the handshake failed, or took too long
//
// One read and one write may be out at a time. Io thread only.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <vector>

#include "analysis/time.h"
#include "daemon/net/net.h"

namespace boost::asio::ssl {
class context;
}

namespace rollwatch {

class ServerStream {
 public:
  using error_code = boost::system::error_code;
  virtual ~ServerStream() = default;

  virtual net::ip::tcp::socket& socket() = 0;
  // What is out by then, and what begins until the next call of these, ends with an error.
  virtual void expires_after(Millis span) = 0;
  virtual void expires_never() = 0;
  // At once, without good-bye; what is out ends with an error.
  virtual void close() = 0;

  virtual awaitable<error_code> open() = 0;
  // How much came; 0 with an error, the end among them.
  virtual awaitable<std::size_t> read_some(net::mutable_buffer buffer, error_code& error) = 0;
  virtual awaitable<error_code> write(std::vector<net::const_buffer> parts) = 0;
  // Says good-bye, as TLS wants it, so that nothing seems to be cut off.
  virtual awaitable<void> finish() = 0;
  // Reads and drops what still comes, up to so many bytes.
  virtual awaitable<void> drop_input(std::size_t most) = 0;
  // Whether the peer has closed its side, and said nothing more before.
  virtual bool hung_up() = 0;
  virtual bool is_tls() const = 0;
};

std::unique_ptr<ServerStream> plain_stream(net::ip::tcp::socket socket);
std::unique_ptr<ServerStream> tls_stream(net::ip::tcp::socket socket,
                                         std::shared_ptr<net::ssl::context> context);

}  // namespace rollwatch
