// One connection to PostgreSQL on the event loop. It connects by itself, runs one pipeline of
// statements at a time, which is one transaction, and tells how that ended. Once it is broken it
// stays so; whoever uses it makes another.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "analysis/expected.h"
#include "daemon/net/net.h"
#include "daemon/postgres/target.h"
#include "daemon/postgres/values.h"

namespace rollwatch {

class PgError : public std::runtime_error {
 public:
  PgError(std::string state, const std::string& message, bool was_sent = false)
      : std::runtime_error(message), state_(std::move(state)), was_sent_(was_sent) {}
  const std::string& state() const { return state_; }  // SQLSTATE; "" if the connection is lost
  // The connection is gone.
  bool is_lost() const { return state_.empty(); }
  // …and the pipeline was on its way: whether it took effect is not known.
  bool may_have_happened() const { return is_lost() && was_sent_; }
  // The statement is at fault, not the server.
  bool is_misfit() const { return state_.starts_with("22") || state_.starts_with("23"); }

 private:
  std::string state_;
  bool was_sent_;
};

class PgConnection {
 public:
  using Answer = Expected<std::vector<PgRows>, PgError>;
  using Done = std::function<void(Answer)>;

  PgConnection(const net::any_io_executor& executor, PgTarget target);
  ~PgConnection();
  PgConnection(const PgConnection&) = delete;
  PgConnection& operator=(const PgConnection&) = delete;

  bool is_broken() const;
  bool is_busy() const;
  // Whether it still stands, as far as that can be seen without asking; for one that is idle.
  bool still_stands();
  // Why it is broken, or what it is at; never with a password.
  std::string trouble() const;

  // All of them or none, in one go to the server and back. Not while another is out. `done` may be
  // called before this returns.
  void run(std::vector<PgStatement> statements, Done done, Millis limit = Millis{0});
  awaitable<std::vector<PgRows>> ask(std::vector<PgStatement> statements, Millis limit = Millis{0});

  // Many statements without values, each in a transaction of its own unless they say otherwise.
  awaitable<void> execute(std::string sql);

  // Waits without the event loop until what is out has ended, at most so long.
  void finish(Millis limit);

  // From now on for every notification; the payload. It needs a LISTEN before.
  void on_notification(std::function<void(std::string payload)> heard);

  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rollwatch
