// Our HTTP/1.1 server: accepts, reads one request after another from each connection, hands it to
// one function and writes what that returns. It knows no paths; the handler knows no sockets.
//
//   HttpServer server(executor, clock, handler, answered);
//   auto address = server.listen("127.0.0.1:0");       // "127.0.0.1:40123", or why not
//   …
//   co_await server.stop(10s);
//
// Clients are bounded in everything: bytes of header and body, time for each of them and between
// requests, number of connections. Who is too slow is cut off; when connections run out, one that
// has asked nothing, or is slow at it, or has been idle longest makes room, and if there is none,
// one whose request waits for something is asked to answer now: those that wait, or mean to keep
// others out, must not shut out a decision. Of many from one address that are slow at asking, new
// ones are turned away. Everything runs on the io thread.
//
// With TLS a handshake is a part of the connection, with a header's time.
//
// An answer may be a stream (body_source.h). It has no time limits and is never asked to make room:
// how many there are, and how long a piece may take, is for who makes them to bound.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "analysis/expected.h"
#include "analysis/time.h"
#include "daemon/http/message.h"
#include "daemon/net/clock.h"
#include "daemon/net/net.h"

namespace rollwatch {

struct ServerLimits {
  std::size_t header_bytes = 16 * 1024;  // 431 beyond
  std::size_t body_bytes = 1024 * 1024;  // 413 beyond
  Millis header_time{10'000};            // from a request's first byte to the end of its header
  Millis body_time{30'000};
  Millis idle_time{75'000};   // between two requests, and before the first
  Millis write_time{60'000};  // for the whole answer to be taken
  std::size_t connections = 1024;
  // Who needs longer for a request makes room when others need it; `slow_in_crowd` where there are
  // many from the same address.
  Millis slow{1'000};
  Millis slow_in_crowd{100};
  std::size_t bodies_bytes = 64 * 1024 * 1024;  // of all that are being read
};

class ServerTls;

// From where connections may come.
enum class Reach : unsigned char { kThisMachine, kAnybody };

class HttpServer {
 public:
  using Handler = std::function<awaitable<ServerResponse>(ServerRequest)>;
  // Told about every answer, those of the server itself included (413, 431, …: no route), and how
  // long it took from the last byte of the request; of a stream, until it began.
  using Answered = std::function<void(std::string_view method, std::string_view route, int status,
                                      std::chrono::nanoseconds took)>;

  HttpServer(const net::any_io_executor& executor, const Clock& clock, Handler handler,
             Answered answered, ServerLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Binds "host:port" and begins to accept. The address listened on, with the real port if 0 was
  // asked for; or a sentence why not. kThisMachine refuses anything but a loopback address: there
  // are no tokens that would tell a stranger from the operator.
  Expected<std::string, std::string> listen(const std::string& address,
                                            Reach reach = Reach::kThisMachine);
  // For connections from now on. With TLS, if there is any; may be replaced at any time.
  void use_tls(std::shared_ptr<ServerTls> tls);
  void limit_connections(std::size_t most);

  // Accepts nothing more, closes what is idle, lets requests in flight be answered and resumes when
  // they are; after `grace` it cuts those that are left. Those that wait for something are asked to
  // end, and streams are ended.
  awaitable<void> stop(Millis grace);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// Whether the host of "host:port" is this machine itself.
bool is_loopback_host(std::string_view host);

// "[::1]:80" → {"::1", "80"}; "host" → {"host", ""}.
std::pair<std::string, std::string> split_host_port(std::string_view address);

}  // namespace rollwatch
