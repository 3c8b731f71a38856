// Gets a connection. Hosts are looked up here, without blocking the event loop, and libpq is given
// their addresses beside their names, which it holds against the server's certificate and the
// password file. Several servers are tried one after another, each for its share of the time, so
// that one that is dead keeps nobody from the next.
//
// Io thread only.
#pragma once

#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/net/net.h"
#include "daemon/postgres/address.h"
#include "daemon/postgres/target.h"

struct pg_conn;

namespace rollwatch {

// libpq's and the server's messages on one line.
std::string one_line(const char* message);

class PgDialer : public std::enable_shared_from_this<PgDialer> {
 public:
  // A connection, which is the callee's to finish; or nullptr and why there is none, without a
  // password.
  using Done = std::function<void(pg_conn*, std::string why)>;

  PgDialer(const net::any_io_executor& executor, PgTarget target);
  ~PgDialer();
  PgDialer(const PgDialer&) = delete;
  PgDialer& operator=(const PgDialer&) = delete;

  // Once. `done` may be called before this returns.
  void dial(Done done);
  // Goes on without the event loop, at most so long: whether anything came of it. Nothing if what
  // it waits for needs the loop.
  std::optional<bool> go_on(Millis limit);
  // `done` is not called any more.
  void close();

 private:
  void next();
  void look_up();
  void found(const PgAddresses& addresses);
  void connect();
  void step();
  void wait(bool for_reading);
  void set_alarm(Timer& timer, Millis limit, bool is_for_all);
  void overdue(Millis limit, bool is_for_all);
  void failed(const std::string& why);
  void drop();
  void end(pg_conn* connection);
  std::string shown() const;  // which server is being tried

  const net::any_io_executor executor_;
  const PgTarget target_;
  Done done_;
  PgServers servers_;
  std::deque<PgServer> left_;
  PgServer now_;
  std::uint64_t turn_ = 0;  // what was begun in an earlier one is of no interest
  std::string failures_;
  pg_conn* connection_ = nullptr;
  std::optional<net::posix::stream_descriptor> socket_;
  bool for_reading_ = false;         // what it waits for
  std::optional<PgLookup> looking_;  // while a name is looked up
  Timer share_end_, end_;
};

}  // namespace rollwatch
