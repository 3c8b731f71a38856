// What forgetting leaves in the SQLite file, and who may read that file.
#include "daemon/storage/retention.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "daemon/storage/sqlite_store.h"
#include "test/storage/failing_disk.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

class RetentionTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open() {
    return std::make_unique<SqliteStore>(io_.get_executor(), file_);
  }
  void record(SqliteStore& store, Commit commit) {
    wait_for(io_, store.record(list_of(std::move(commit))));
  }
  // An ended rollout with rows in every table.
  void live(SqliteStore& store, const std::string& id, std::size_t bundle = 10) {
    record(store, registration(id));
    Commit commit = step(id, 1);
    commit.deliveries = {order("ord_" + id)};
    commit.deliveries[0].state = DeliveryState::kDone;
    commit.deliveries[0].attempts = {full_attempt()};
    commit.explains = {{"dec_" + id, kNow, std::string(bundle, 'x')}};
    commit.memos = {{"releases", "ts", "17.1"}};
    commit.idempotency = IdempotencyRecord{"key-" + id, "abc", kNow};
    record(store, std::move(commit));
    record(store, ending(id, kNow));
  }
  std::size_t forget(SqliteStore& store) {
    return wait_for(io_, store.forget(kNow + Millis(1), 1'000));
  }
  // Rows of each table that has any, but for SQLite's own and those with a single row. Not while
  // the store is open: it moves rows from one to the other.
  std::string rows() {
    Database db(file_, Database::Mode::kReadOnly);
    std::vector<std::string> tables;
    Query query(db,
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                " AND name NOT IN ('event_horizon', 'recent_trimmed') ORDER BY name");
    while (query.next()) tables.push_back(query.text(0));
    std::string text;
    for (const std::string& table : tables) {
      const std::int64_t count = db.integer("SELECT count(*) FROM " + table);
      if (count > 0) text += table + " " + std::to_string(count) + ", ";
    }
    return text;
  }
  std::int64_t pages() {
    return Database(file_, Database::Mode::kReadOnly).integer("PRAGMA page_count");
  }

  TempDir dir_;
  std::filesystem::path file_ = dir_.path() / "rollwatch.db";
  net::io_context io_;
};

constexpr const char* kOneRollout =
    "attempts 1, deliveries 1, evaluations 1, events 1, explains 1, idempotency 1, labels 3, "
    "memos 1, plans 1, rollouts 1, states 1, targets 1, ";

TEST_F(RetentionTest, OnlyTheFenceIsLeftInTheTables) {
  live(*open(), "ro_a");
  EXPECT_EQ(rows(), kOneRollout);
  EXPECT_EQ(forget(*open()), 1U);
  EXPECT_EQ(rows(), "targets 1, ");
}

// The process may end after a rollout was hidden and before all of it was deleted.
TEST_F(RetentionTest, WhatALifeBeforeHasLeftIsDeletedAndNobodyInheritsIt) {
  live(*open(), "ro_a");
  {
    Database db(file_, Database::Mode::kReadWrite);
    EXPECT_EQ(hide_ended(db, kNow + Millis(1), 10).size(), 1U);
  }
  auto store = open();
  record(*store, registration("ro_b"));
  EXPECT_EQ(wait_for(io_, store->evaluations("ro_b", 0, 10)).items.size(), 0U);
  EXPECT_EQ(wait_for(io_, store->events(std::nullopt, 0, 10)).size(), 0U);
  EXPECT_EQ(forget(*store), 0U) << "hidden already";
  store.reset();
  EXPECT_EQ(rows(), "labels 3, plans 1, rollouts 1, states 1, targets 1, ");
}

TEST_F(RetentionTest, TheFileShrinks) {
  const auto store = open();
  record(*store, registration("ro_b"));
  constexpr std::int64_t kPageSize = 4'096;
  for (int i = 0; i < 4; ++i) live(*store, rollout_id(i), 500 * kPageSize);
  EXPECT_GT(pages(), 2'000);
  EXPECT_EQ(forget(*store), 4U);
  EXPECT_LT(pages(), 200);
  EXPECT_TRUE(wait_for(io_, store->rollout("ro_b")));
  EXPECT_EQ(Database(file_, Database::Mode::kReadOnly).text("PRAGMA integrity_check"), "ok");
}

TEST_F(RetentionTest, AFileThatCannotShrinkIsLeftAsItIs) {
  Database(file_, Database::Mode::kReadWrite)
      .execute("PRAGMA auto_vacuum = NONE; CREATE TABLE x (y); DROP TABLE x");
  const auto store = open();
  live(*store, "ro_a", 5'000'000);
  const std::int64_t before = pages();
  EXPECT_EQ(forget(*store), 1U);
  EXPECT_EQ(pages(), before);
}

TEST_F(RetentionTest, AFailingDiskLeavesTheRestToTheNextTime) {
  FailingDisk disk;
  auto store = open();
  live(*store, "ro_a");
  disk.set(FailingDisk::Fault::kWriteFails);
  std::string message;
  try {
    forget(*store);
  } catch (const StoreError& error) {
    message = error.what();
  }
  EXPECT_THAT(message, HasSubstr("could not be written"));
  EXPECT_TRUE(wait_for(io_, store->rollout("ro_a"))) << "whole or not at all";
  disk.set(FailingDisk::Fault::kNone);
  EXPECT_EQ(forget(*store), 1U);
  store.reset();
  EXPECT_EQ(rows(), "targets 1, ");
}

TEST_F(RetentionTest, AClosedStoreForgetsNothing) {
  const auto store = open();
  store->close();
  EXPECT_THROW(forget(*store), StoreError);
}

// ---- Modes

struct Umask {
  explicit Umask(mode_t mask) : before(::umask(mask)) {}
  ~Umask() { ::umask(before); }
  mode_t before;
};

class FileModeTest : public RetentionTest {
 protected:
  std::string modes() {
    std::string text;
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
      struct stat found {};
      const std::string path = file_.string() + suffix;
      char mode[16] = "none";
      if (::stat(path.c_str(), &found) == 0)
        std::snprintf(mode, sizeof mode, "%o", found.st_mode & 07777U);
      text += std::string(mode) + " ";
    }
    return text;
  }
};

TEST_F(FileModeTest, NewFilesAreForTheirOwnerAlone) {
  struct Row {
    std::string name;
    mode_t mask;
  };
  const std::vector<Row> rows = {{"open to all", 0}, {"usual", 022}, {"odd", 0277}};
  for (const Row& row : rows) {
    file_ = dir_.path() / (row.name + ".db");
    const Umask umask(row.mask);
    const auto store = open();
    record(*store, registration("ro_a"));
    EXPECT_EQ(modes(), "600 600 600 600 ") << row.name;
  }
}

TEST_F(FileModeTest, AnExistingFileKeepsTheModeSomebodyGaveIt) {
  open();
  for (const char* suffix : {"", ".lock"})
    ASSERT_EQ(::chmod((file_.string() + suffix).c_str(), 0640), 0);
  const auto store = open();
  record(*store, registration("ro_a"));
  EXPECT_EQ(modes(), "640 640 640 640 ");
}

}  // namespace
}  // namespace rollwatch
