// One connection of a KeepAliveClient, from connecting to closing. It always waits for what the
// server sends, so that one which is closed while idle is noticed.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/http/keep_alive.h"

namespace rollwatch {

class KeptConnection : public std::enable_shared_from_this<KeptConnection> {
 public:
  struct Job {
    KeptRequest request;
    SteadyTime since{}, until{};
    bool may_repeat = false;  // goes out on a connection that was idle
  };

  // Who is told how a job ended. It may be gone when a handler runs: see forget().
  class Owner {
   public:
    virtual ~Owner() = default;
    // With it the connection is idle, or of no more use.
    virtual void answered(KeptConnection& connection, bool is_open, KeptAnswer answer) = 0;
    // It was closed before it answered anything; the connection is of no more use.
    virtual void closed_before(KeptConnection& connection) = 0;
    // While it was idle.
    virtual void closed_idle(KeptConnection& connection) = 0;
  };

  // `context` may be null: no TLS. `server` and `owner` outlive this, or forget() is called.
  KeptConnection(const net::any_io_executor& executor, Owner& owner, const BaseUrl& server,
                 std::shared_ptr<net::ssl::context> context, bool check_name);

  // Connects, then sends the job.
  void open(Job job);
  // Only when idle.
  void send(Job job);
  const std::optional<Job>& job() const { return job_; }
  Job take_job();

  void time_out();
  // Closes it. Nothing is told any more.
  void forget();

 private:
  using Parser = boost::beast::http::response_parser<boost::beast::http::string_body>;
  using Tls = net::ssl::stream<net::ip::tcp::socket&>;
  using error_code = boost::system::error_code;

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
  net::ip::tcp::resolver resolver_;
  net::ip::tcp::socket socket_;
  std::optional<Tls> tls_;
  std::vector<char> tls_buffer_;
  std::optional<Job> job_;
  std::optional<Parser> parser_;
  std::string unread_;  // the beginning of a head
  bool connected_ = false;
  bool answering_ = false;  // something of the answer is here
};

}  // namespace rollwatch
