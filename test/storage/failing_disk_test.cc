// What happens when the disk does not do its part.
#include "test/storage/failing_disk.h"

#include <gmock/gmock.h>

#include "daemon/storage/sqlite_store.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Fault = FailingDisk::Fault;

class FailingDiskTest : public testing::Test {
 protected:
  FailingDiskTest() {
    open();
    EXPECT_EQ(record(registration("ro_a")), "");
  }
  ~FailingDiskTest() override {
    disk_.set(Fault::kNone);
    store_.reset();
  }

  void open() {
    store_.reset();
    store_ = std::make_unique<SqliteStore>(io_.get_executor(), dir_.path() / "rollwatch.db");
  }
  // "" or why it failed.
  std::string record(Commit commit) {
    try {
      wait_for(io_, store_->record(list_of(std::move(commit)), 0));
      return "";
    } catch (const StoreError& error) {
      return error.what();
    }
  }
  unsigned revision() { return wait_for(io_, store_->rollout("ro_a"))->state.revision; }
  std::size_t evaluations() {
    return wait_for(io_, store_->evaluations("ro_a", 0, 100)).items.size();
  }

  FailingDisk disk_;
  TempDir dir_;
  net::io_context io_;
  std::unique_ptr<SqliteStore> store_;
};

struct Row {
  std::string name;
  Fault fault;
  std::string message;
};

TEST_F(FailingDiskTest, AFullOrFailingDiskFailsTheCommitAndTheNextTriesAgain) {
  const std::vector<Row> rows = {{"full", Fault::kFull, "full"},
                                 {"write error", Fault::kWriteFails, "disk I/O error"}};
  unsigned next = 1;
  for (const Row& row : rows) {
    disk_.set(row.fault);
    const std::string file = (dir_.path() / "rollwatch.db").string();
    EXPECT_THAT(record(step("ro_a", next)), AllOf(HasSubstr(row.message), HasSubstr(file)))
        << row.name;
    EXPECT_EQ(revision(), next - 1) << row.name;
    disk_.set(Fault::kNone);
    EXPECT_EQ(record(step("ro_a", next)), "") << row.name;
    EXPECT_EQ(revision(), next) << row.name;
    EXPECT_EQ(evaluations(), next) << row.name;
    ++next;
  }
}

// To be able to undo one batch of several in a transaction, SQLite keeps the pages it changes; what
// is more than 64 KiB went into a file in /var/tmp, written page by page. A full /var/tmp then
// failed the commit of many rollouts at once, and the writing took as long as all the rest of it.
TEST_F(FailingDiskTest, ABatchOfAnySizeNeedsNoFileButTheStoresOwn) {
  constexpr int kRollouts = 500;
  std::vector<Commit> registrations;
  std::vector<Commit> steps;
  for (int i = 1; i <= kRollouts; ++i) {
    registrations.push_back(registration(rollout_id(i), "target-" + std::to_string(i)));
    steps.push_back(step(rollout_id(i), 1));
  }
  wait_for(io_, store_->record(std::move(registrations), 0));
  disk_.set(Fault::kNoTemporaryFiles);
  const auto recorded = wait_for(io_, store_->record(std::move(steps), 0));
  EXPECT_EQ(recorded.size(), kRollouts);
  EXPECT_EQ(wait_for(io_, store_->rollout(rollout_id(kRollouts)))->state.revision, 1);
}

// After a failed fsync nobody knows what is on disk, and a second one may say "fine" about pages
// that were dropped. So nothing more is promised until a restart has read the log again.
TEST_F(FailingDiskTest, AfterAFailedSyncEveryWriteIsRefusedUntilReopened) {
  disk_.set(Fault::kSyncFails);
  EXPECT_THAT(record(step("ro_a", 1)), HasSubstr("no more writes"));
  disk_.set(Fault::kNone);
  EXPECT_THAT(record(step("ro_a", 1)), HasSubstr("no more writes"));

  open();
  const unsigned found = revision();
  EXPECT_EQ(evaluations(), found) << "whole or not at all";
  EXPECT_EQ(record(step("ro_a", found + 1)), "");
}

TEST_F(FailingDiskTest, AFailedSyncWhileMovingTheLogRefusesToo) {
  // Enough pages to make the store move its log into the database after a commit.
  Commit large;
  large.rollout = "ro_a";
  for (int i = 0; i < 100; ++i) {
    large.explains.push_back({"dec_" + std::to_string(i), kNow, std::string(60'000, 'x')});
  }
  disk_.set(Fault::kDatabaseSyncFails);
  EXPECT_EQ(record(large), "") << "the commit itself is safe in the log";
  EXPECT_THAT(record(step("ro_a", 1)), HasSubstr("no more writes"));
  disk_.set(Fault::kNone);
  open();
  EXPECT_TRUE(wait_for(io_, store_->explain("ro_a", "dec_99")));
  EXPECT_EQ(record(step("ro_a", 1)), "");
}

}  // namespace
}  // namespace rollwatch
