// Writes what many callers bring, as few transactions on one connection: what arrives while one is
// out becomes the next. After a connection that broke in the middle of a transaction it finds out
// whether that took effect before anybody is answered.
//
// Io thread only. Idle, it keeps nothing waiting on the event loop.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/store.h"
#include "daemon/postgres/connection.h"
#include "daemon/postgres/writer_sql.h"

namespace rollwatch {

struct PgWriterHooks {
  std::function<void()> fenced;  // the database refused a stale write
};

class PgWriter {
 public:
  PgWriter(const net::any_io_executor& executor, PgTarget target, PgWriterHooks hooks);
  ~PgWriter();

  // As whom it writes from now on. Before that, and after resign(), everything is refused.
  void become(std::int64_t node);
  // The node is no member any more: what is out is given up, as refused.
  void resign();
  std::int64_t node() const;

  awaitable<std::vector<Recorded>> record(SharedCommits batch);  // as Store::record

  // Finishes what was handed over, without the event loop, and closes.
  void close();

  std::uint64_t transactions() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace rollwatch
