#include "daemon/storage/schema.h"

#include <gmock/gmock.h>

#include <array>

#include "test/storage/store_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

constexpr std::array kThree{
    Migration{1, "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"},
    Migration{2, "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1"},
    Migration{3, "CREATE TABLE b AS SELECT x + y AS z FROM a"}};

class SchemaTest : public testing::Test {
 protected:
  std::string message_of(std::span<const Migration> steps) {
    try {
      migrate(db_, steps);
      return "";
    } catch (const std::exception& error) {
      return error.what();
    }
  }
  std::int64_t version() { return db_.integer("PRAGMA user_version"); }

  TempDir dir_;
  Database db_{dir_.path() / "x.db", Database::Mode::kReadWrite};
};

std::string everything_in(Database& db) {
  std::string text;
  Query query(db, "SELECT type, name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name");
  while (query.next()) text += query.text(0) + " " + query.text(1) + ": " + query.text(2) + "\n";
  return text;
}

TEST_F(SchemaTest, StepsAreTakenInOrderFromWhereverTheDatabaseIs) {
  for (std::size_t start = 0; start <= kThree.size(); ++start) {
    Database db(dir_.path() / ("from-" + std::to_string(start)), Database::Mode::kReadWrite);
    migrate(db, std::span(kThree).first(start));
    migrate(db, kThree);
    EXPECT_EQ(db.integer("PRAGMA user_version"), 3) << start;
    EXPECT_EQ(db.integer("SELECT z FROM b"), 3) << start;
    migrate(db, kThree);  // nothing left to do
    EXPECT_EQ(db.integer("SELECT count(*) FROM b"), 1) << start;
  }
}

TEST_F(SchemaTest, OurOwnStepsLeadToTheSameTablesFromEveryEarlierSchema) {
  const auto steps = sqlite_migrations();
  migrate(db_, steps);
  for (std::size_t start = 0; start < steps.size(); ++start) {
    Database db(dir_.path() / ("from-" + std::to_string(start)), Database::Mode::kReadWrite);
    migrate(db, steps.first(start));
    migrate(db, steps);
    EXPECT_EQ(everything_in(db), everything_in(db_)) << start;
  }
  EXPECT_EQ(version(), steps.back().version);
}

// Numbers are given one after the other, so what is missing was deleted; rollout 2 is hidden.
TEST_F(SchemaTest, WhereTheEventLogIsWholeFromIsSeenByTheNumbersThatAreMissing) {
  struct Row {
    const char* name;
    const char* events;  // (seq, rollout, at, data)
    int last;            // the last number given
    int deleted;
  };
  const Row rows[] = {
      {"a new store", nullptr, 0, 0},
      {"nothing is missing", "(1, 1, 0, ''), (2, 1, 0, ''), (3, 1, 0, '')", 3, 0},
      {"the first", "(2, 1, 0, ''), (3, 1, 0, '')", 3, 1},
      {"one between", "(1, 1, 0, ''), (3, 1, 0, '')", 3, 2},
      {"several", "(1, 1, 0, ''), (3, 1, 0, ''), (7, 1, 0, ''), (8, 1, 0, '')", 8, 6},
      {"the last", "(1, 1, 0, ''), (2, 1, 0, '')", 3, 3},
      {"of a hidden rollout", "(1, 1, 0, ''), (2, 2, 0, ''), (3, 1, 0, '')", 3, 2},
      {"the last, hidden", "(1, 1, 0, ''), (2, 2, 0, '')", 2, 2},
      {"all", "(1, 2, 0, '')", 5, 5},
  };
  for (const Row& row : rows) {
    Database db(dir_.path() / row.name, Database::Mode::kReadWrite);
    migrate(db, sqlite_migrations().first(1));
    db.execute(
        "INSERT INTO rollouts VALUES (1, 'ro_a', '', '', '', '', '', 0, 0, 0, 1, '');"
        "INSERT INTO forgotten VALUES (2)");
    if (row.events != nullptr) {
      db.execute(std::string("INSERT INTO events VALUES ") + row.events);
      db.execute("UPDATE sqlite_sequence SET seq = " + std::to_string(row.last) +
                 " WHERE name = 'events'");
    }
    migrate(db, sqlite_migrations());
    EXPECT_EQ(db.integer("SELECT deleted FROM event_horizon"), row.deleted) << row.name;
    EXPECT_EQ(db.integer("SELECT count(*) FROM event_horizon"), 1) << row.name;
  }
}

TEST_F(SchemaTest, AStepThatFailsLeavesTheOneBefore) {
  constexpr std::array kBroken{kThree[0], Migration{2, "CREATE TABLE c (x); SELECT nonsense"}};
  EXPECT_THAT(message_of(kBroken), HasSubstr("nonsense"));
  EXPECT_EQ(version(), 1);
  EXPECT_EQ(db_.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'c'"), 0);
  EXPECT_EQ(message_of(kThree), "");
  EXPECT_EQ(version(), 3);
}

TEST_F(SchemaTest, ANewerSchemaIsRefused) {
  migrate(db_, kThree);
  EXPECT_THAT(message_of(std::span(kThree).first(1)),
              HasSubstr("written by a newer rollwatchd (schema 3, this one knows 1)"));
  EXPECT_EQ(version(), 3);
}

TEST_F(SchemaTest, AnotherProgramsDatabaseIsRefused) {
  db_.execute("CREATE TABLE theirs (x)");
  EXPECT_THAT(message_of(kThree), HasSubstr("another program"));
  EXPECT_EQ(db_.integer("SELECT count(*) FROM sqlite_schema"), 1);
}

}  // namespace
}  // namespace rollwatch
