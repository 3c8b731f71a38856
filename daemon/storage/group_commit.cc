#include "daemon/storage/group_commit.h"

#include <algorithm>
#include <utility>

#include "daemon/net/fail_point.h"
#include "daemon/storage/commit_writer.h"

namespace rollwatch {
namespace {

constexpr int kCheckpointPages = 1000;  // 4 MB, as SQLite would

bool has_new_order(const Batch& batch) {
  return std::any_of(batch.begin(), batch.end(), [](const Commit& commit) {
    return std::any_of(
        commit.deliveries.begin(), commit.deliveries.end(),
        [](const Delivery& delivery) { return delivery.cls == DeliveryClass::kOrder; });
  });
}

}  // namespace

std::vector<BatchResult> GroupCommit::commit(const std::vector<const Batch*>& batches) {
  if (!failed_.empty()) return all_failed(batches.size(), failed_);
  try {
    return write(batches);
  } catch (const SqliteError& error) {
    return all_failed(batches.size(), give_up(error));
  }
}

ChoreResult GroupCommit::run(const Chore& chore) {
  if (!failed_.empty()) return Unexpected(failed_);
  try {
    Query(db_, "BEGIN IMMEDIATE").run();
    const std::size_t done = chore(db_);
    Query(db_, "COMMIT").run();
    return done;
  } catch (const SqliteError& error) {
    return Unexpected(give_up(error));
  }
}

std::vector<BatchResult> GroupCommit::write(const std::vector<const Batch*>& batches) {
  std::vector<BatchResult> results;
  results.reserve(batches.size());
  bool orders = false;
  Query(db_, "BEGIN IMMEDIATE").run();
  for (const Batch* batch : batches) {
    results.push_back(write_batch(*batch));
    orders = orders || (results.back().has_value() && has_new_order(*batch));
  }
  if (orders) fail_point("before_order_commit");
  fail_point("before_commit");
  Query(db_, "COMMIT").run();
  ++transactions_;
  if (orders) fail_point("after_order_commit");
  fail_point("after_commit");
  return results;
}

BatchResult GroupCommit::write_batch(const Batch& batch) {
  Query(db_, "SAVEPOINT batch").run();
  std::string refusal;
  bool outdated = false;
  try {
    std::vector<Recorded> recorded;
    recorded.reserve(batch.size());
    for (const Commit& commit : batch) recorded.push_back(write_commit(db_, commit));
    Query(db_, "RELEASE batch").run();
    return recorded;
  } catch (const Outdated& error) {
    refusal = error.what();
    outdated = true;
  } catch (const Refused& error) {
    refusal = error.what();
  } catch (const SqliteError& error) {
    if (!error.is_constraint() || !db_.in_transaction()) throw;
    refusal = error.what();
  }
  Query(db_, "ROLLBACK TO batch").run();
  Query(db_, "RELEASE batch").run();
  if (outdated)
    return Unexpected(BatchError{"the store refused what is out of date: " + refusal, true});
  return Unexpected(BatchError{"the store refused what does not fit its rows: " + refusal});
}

std::vector<BatchResult> GroupCommit::all_failed(std::size_t count, const std::string& why) const {
  return std::vector<BatchResult>(count, Unexpected(BatchError{why}));
}

void GroupCommit::checkpoint() {
  if (!failed_.empty() || db_.wal_pages() < kCheckpointPages) return;
  try {
    db_.execute("PRAGMA wal_checkpoint(PASSIVE)");
  } catch (const SqliteError& error) {
    // Nothing is lost: the log keeps its pages, and the next time tries again.
    if (error.is_fatal()) refuse_from_now_on(error);
  }
}

// Ends the transaction that failed; why, for those who wait for it.
std::string GroupCommit::give_up(const SqliteError& error) {
  roll_back();
  if (error.is_fatal()) refuse_from_now_on(error);
  if (!failed_.empty()) return failed_;
  return "the store " + name_ + " could not be written: " + error.what();
}

// Some failures make SQLite roll back by itself.
void GroupCommit::roll_back() {
  try {
    if (db_.in_transaction()) db_.execute("ROLLBACK");
  } catch (const SqliteError& error) {
    refuse_from_now_on(error);
  }
}

void GroupCommit::refuse_from_now_on(const SqliteError& error) {
  failed_ = "the store " + name_ + " could not be written: " + error.what() +
            "; it accepts no more writes until rollwatchd is restarted";
}

}  // namespace rollwatch
