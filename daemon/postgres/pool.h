// A bounded number of connections for what does not write rollouts: reads, freezes, retention. Each
// question has a connection to itself for as long as it is out; the others wait in line.
//
// Io thread only. Idle, it keeps nothing waiting on the event loop.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "daemon/postgres/connection.h"

namespace rollwatch {

class PgPool {
 public:
  PgPool(net::any_io_executor executor, PgTarget target, std::size_t most);

  // All of them in one transaction. A connection that was lost while idle is replaced, and the
  // question asked again, so it must be one that may take effect twice; throws PgError.
  awaitable<std::vector<PgRows>> ask(std::vector<PgStatement> statements, Millis limit = Millis{0});
  awaitable<PgRows> ask(PgStatement statement);
  // As ask(), but never sent twice: throws PgError if it may have happened.
  awaitable<PgRows> ask_once(PgStatement statement);

  void close();

 private:
  struct Place {
    std::unique_ptr<PgConnection> connection;
    bool is_used = false;  // it has answered before
  };
  awaitable<std::vector<PgRows>> ask(std::vector<PgStatement> statements, Millis limit,
                                     bool only_once);
  awaitable<std::shared_ptr<Place>> take();
  void give_back(std::shared_ptr<Place> place);

  net::any_io_executor executor_;
  PgTarget target_;
  std::size_t most_;
  std::size_t out_ = 0;
  bool closed_ = false;
  std::vector<std::shared_ptr<Place>> idle_;
  std::deque<std::shared_ptr<Promise<bool>>> waiting_;
};

}  // namespace rollwatch
