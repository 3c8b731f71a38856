// Many callers' batches in one transaction, so that the price of a durable commit is paid once for
// all of them. If one does not fit, none of them is written together: each is alone then, so that
// only that one fails.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/expected.h"
#include "daemon/engine/records.h"
#include "daemon/storage/recent_log.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

using Batch = std::vector<Commit>;
struct BatchError {
  std::string why;
  bool is_out_of_date = false;  // made from what is no longer there
};
using BatchResult = Expected<std::vector<Recorded>, BatchError>;

// Other work on the same database, small enough that commits can wait for it, and how much it did.
using Chore = std::function<std::size_t(Database&, RecentLog&)>;
using ChoreResult = Expected<std::size_t, std::string>;

// Used by the writer thread alone, but for transactions().
class GroupCommit {
 public:
  // Reads the database. `name` stands in messages: the database's path. Throws SqliteError.
  GroupCommit(Database& db, std::string name, RecentHeads& heads)
      : db_(db), name_(std::move(name)), recent_(db, heads) {}

  // One result for each batch, in order. After a failure of the disk all of them fail, and the next
  // call tries again with a transaction of its own, unless it is one after which nothing can be
  // promised.
  std::vector<BatchResult> commit(const std::vector<const Batch*>& batches);

  // A transaction for that alone; failures of the disk mean the same.
  ChoreResult run(const Chore& chore);

  // Does some of what there is to fold (recent_log.h), between commits. Whether there is more.
  bool tidy();

  // Moves the write-ahead log into the database when it has grown long. Between commits, when
  // nobody waits: SQLite itself would do it within a commit, and would not tell of a failed fsync.
  void checkpoint();

  std::uint64_t transactions() const { return transactions_; }

 private:
  std::vector<BatchResult> write(const std::vector<const Batch*>& batches);
  std::vector<BatchResult> apart(const std::vector<const Batch*>& batches,
                                 std::vector<BatchResult> results);
  BatchResult write_batch(const Batch& batch);
  void end_transaction();
  std::vector<BatchResult> all_failed(std::size_t count, const std::string& why) const;
  std::string give_up(const SqliteError& error);
  void roll_back();
  void refuse_from_now_on(const SqliteError& error);

  Database& db_;
  const std::string name_;
  RecentLog recent_;
  std::string failed_;  // not empty: no more writes, and why
  std::atomic<std::uint64_t> transactions_ = 0;
};

}  // namespace rollwatch
