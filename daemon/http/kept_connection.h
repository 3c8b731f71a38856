// One connection of a KeepAliveClient, from connecting to closing. It always waits for what the
// server sends, so that one which is closed while idle is noticed.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "daemon/http/keep_alive.h"

namespace rollwatch {

class KeptConnection : public std::enable_shared_from_this<KeptConnection> {
 public:
  struct Job {
    KeptRequest request;
    SteadyTime since{}, until{};
    bool may_repeat = false;  // goes out on a connection that was idle
  };

  // Who is told how a job ended.
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

  // `context` may be null: no TLS. `server` and `owner` outlive it, or forget() is called.
  static std::shared_ptr<KeptConnection> make(const net::any_io_executor& executor, Owner& owner,
                                              const BaseUrl& server,
                                              std::shared_ptr<net::ssl::context> context,
                                              bool check_name);
  virtual ~KeptConnection() = default;

  // Connects, then sends the job.
  virtual void open(Job job) = 0;
  // Only when idle.
  virtual void send(Job job) = 0;
  virtual void time_out() = 0;
  // Closes it. Nothing is told any more.
  virtual void forget() = 0;

  const std::optional<Job>& job() const { return job_; }
  Job take_job() { return *std::exchange(job_, std::nullopt); }

 protected:
  std::optional<Job> job_;
};

}  // namespace rollwatch
