// What the SQLite store promises beyond the port: grouping, the lock, and how it refuses to open.
#include "daemon/storage/sqlite_store.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "daemon/storage/schema.h"
#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

class SqliteStoreTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open() { return open(file_); }
  std::unique_ptr<SqliteStore> open(const std::filesystem::path& file) {
    return std::make_unique<SqliteStore>(io_.get_executor(), file);
  }
  std::string refusal(const std::filesystem::path& file) {
    try {
      open(file);
      return "";
    } catch (const StoreError& error) {
      return error.what();
    }
  }
  void run() {
    io_.restart();
    io_.run();
  }

  TempDir dir_;
  std::filesystem::path file_ = dir_.path() / "rollwatch.db";
  net::io_context io_;
};

TEST_F(SqliteStoreTest, TwoThousandRecordsAreAFewTransactions) {
  constexpr unsigned kRecords = 2'000;
  const auto store = open();
  wait_for(io_, store->record(list_of(registration("ro_a"))));
  const std::uint64_t before = store->transactions();
  unsigned recorded = 0;
  for (unsigned i = 1; i <= kRecords; ++i) {
    spawn(io_.get_executor(), "caller", [&store, &recorded, i]() -> awaitable<void> {
      co_await store->record(list_of(step("ro_a", i)));
      ++recorded;
    });
  }
  run();
  EXPECT_EQ(recorded, kRecords);
  EXPECT_LT(store->transactions() - before, kRecords / 10);
  EXPECT_THAT(wait_for(io_, store->evaluations("ro_a", 0, kRecords)).items, SizeIs(kRecords));
}

TEST_F(SqliteStoreTest, IsDurableAndReadyToShrink) {
  open();
  Database db(file_, Database::Mode::kReadOnly);
  EXPECT_EQ(db.text("PRAGMA journal_mode"), "wal");
  constexpr int kIncremental = 2;
  EXPECT_EQ(db.integer("PRAGMA auto_vacuum"), kIncremental);
}

TEST_F(SqliteStoreTest, TheSecondOpenerIsRefusedAndToldWhoHasIt) {
  auto first = open();
  EXPECT_THAT(refusal(file_),
              AllOf(HasSubstr(file_.string()), HasSubstr("in use by another rollwatchd"),
                    HasSubstr("process " + std::to_string(getpid()))));
  first.reset();
  EXPECT_EQ(refusal(file_), "");
}

TEST_F(SqliteStoreTest, RefusesToOpenWithTheReasonAndTheFix) {
  const auto another = dir_.path() / "another.db";
  Database(another, Database::Mode::kReadWrite).execute("CREATE TABLE theirs (x)");
  const auto newer = dir_.path() / "newer.db";
  open(newer);
  Database(newer, Database::Mode::kReadWrite).execute("PRAGMA user_version = 99");
  const auto garbage = dir_.path() / "garbage.db";
  std::ofstream(garbage) << std::string(10'000, 'x');
  const auto directory = dir_.path() / "directory.db";
  std::filesystem::create_directory(directory);

  struct Row {
    std::string name;
    std::filesystem::path file;
    std::string message;
  };
  const std::vector<Row> rows = {
      {"no directory", dir_.path() / "none" / "x.db", "does not exist; create it"},
      {"another program's", another, "another program"},
      {"newer", newer, "newer rollwatchd (schema 99, this one knows"},
      {"not a database", garbage, "file is not a database"},
      {"a directory", directory, "must be readable and writable"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(refusal(row.file), AllOf(HasSubstr(row.message), HasSubstr(row.file.string())))
        << row.name;
  }
  EXPECT_EQ(Database(another, Database::Mode::kReadOnly).text("PRAGMA journal_mode"), "delete")
      << "what is not ours is left as it is";
}

TEST_F(SqliteStoreTest, ARowThatMakesNoSenseIsAnErrorNotACrash) {
  {
    const auto store = open();
    wait_for(io_, store->record(list_of(registration("ro_a"))));
  }
  Database(file_, Database::Mode::kReadWrite).execute("UPDATE states SET state = x'01ff'");
  const auto store = open();
  EXPECT_THROW(wait_for(io_, store->active(std::nullopt)), StoreError);
  EXPECT_THROW(wait_for(io_, store->rollout("ro_a")), StoreError);
  EXPECT_THAT(wait_for(io_, store->events(std::nullopt, 0, 1)), SizeIs(0))
      << "the next question is answered";
}

}  // namespace
}  // namespace rollwatch
