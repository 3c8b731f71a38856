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
    const std::size_t done = chore(db_, recent_);
    end_transaction();
    return done;
  } catch (const SqliteError& error) {
    return Unexpected(give_up(error));
  }
}

// A failure leaves everything where it is, and the next time tries again. One that does not pass is
// told by the chores, which depend on the same.
bool GroupCommit::tidy() {
  if (!failed_.empty() || !recent_.is_due()) return false;
  try {
    Query(db_, "BEGIN IMMEDIATE").run();
    recent_.tidy();
    fail_point("before_fold_commit");
    end_transaction();
    fail_point("after_fold_commit");
  } catch (const SqliteError& error) {
    give_up(error);
    return false;
  }
  return recent_.is_due();
}

void GroupCommit::end_transaction() {
  Query(db_, "COMMIT").run();
  recent_.committed();
}

std::vector<BatchResult> GroupCommit::write(const std::vector<const Batch*>& batches) {
  std::vector<BatchResult> results;
  results.reserve(batches.size());
  bool orders = false;
  Query(db_, "BEGIN IMMEDIATE").run();
  for (const Batch* batch : batches) {
    results.push_back(write_batch(*batch));
    if (!results.back()) return apart(batches, std::move(results));
    orders = orders || has_new_order(*batch);
  }
  if (orders) fail_point("before_order_commit");
  fail_point("before_commit");
  end_transaction();
  ++transactions_;
  if (orders) fail_point("after_order_commit");
  fail_point("after_commit");
  return results;
}

// One of them does not fit, or is the only one.
std::vector<BatchResult> GroupCommit::apart(const std::vector<const Batch*>& batches,
                                            std::vector<BatchResult> results) {
  roll_back();
  if (batches.size() == 1) return results;
  results.clear();
  for (const Batch* batch : batches) results.push_back(std::move(commit({batch}).front()));
  return results;
}

BatchResult GroupCommit::write_batch(const Batch& batch) {
  constexpr const char* kMisfit = "the store refused what does not fit its rows: ";
  try {
    std::vector<Recorded> recorded;
    recorded.reserve(batch.size());
    for (const Commit& commit : batch) recorded.push_back(write_commit(db_, recent_, commit));
    return recorded;
  } catch (const Outdated& error) {
    return Unexpected(
        BatchError{std::string("the store refused what is out of date: ") + error.what(), true});
  } catch (const Refused& error) {
    return Unexpected(BatchError{std::string(kMisfit) + error.what()});
  } catch (const SqliteError& error) {
    if (!error.is_constraint()) throw;
    return Unexpected(BatchError{std::string(kMisfit) + error.what()});
  }
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
  recent_.rolled_back();
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
