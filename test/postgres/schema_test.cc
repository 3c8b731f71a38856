// The tables: made once whoever comes first, from every earlier state, and left alone by a program
// that must not work with them.
#include "daemon/postgres/schema.h"

#include <array>

#include "analysis/state_codec.h"
#include "analysis/statistics/comparison_state.h"
#include "test/postgres/nodes_fixture.h"

namespace rollwatch {
namespace {

using testing::HasSubstr;

constexpr std::array kSteps{
    PgMigration{1, 1, "CREATE TABLE a (x bigint); INSERT INTO a VALUES (1);"},
    PgMigration{2, 1, "ALTER TABLE a ADD y bigint; UPDATE a SET y = x + 1;"},
    PgMigration{3, 3, "ALTER TABLE a DROP COLUMN x;"},
};

class PgSchemaTest : public NodesTest {
 protected:
  void migrate(std::span<const PgMigration> steps) {
    PgConnection connection(io_.get_executor(), {url_});
    wait(migrate_pg(connection, steps));
  }
  PgSchemaVersion version() {
    PgConnection connection(io_.get_executor(), {url_});
    return wait(pg_schema_version(connection));
  }
  std::string refusal(std::span<const PgMigration> steps) {
    try {
      migrate(steps);
      return "";
    } catch (const PgSchemaError& error) {
      return error.what();
    }
  }
};

TEST_F(PgSchemaTest, FromEveryEarlierVersionTheSameTables) {
  for (std::size_t from = 0; from <= kSteps.size(); ++from) {
    url_ = new_database();
    migrate(std::span(kSteps).first(from));
    EXPECT_EQ(version().version, static_cast<int>(from));
    migrate(kSteps);
    EXPECT_EQ(version().version, 3);
    EXPECT_EQ(number("SELECT y FROM a"), 2) << from;
    EXPECT_EQ(number("SELECT count(*) FROM information_schema.columns WHERE table_name = 'a'"), 1);
    migrate(kSteps);  // changes nothing
    EXPECT_EQ(number("SELECT count(*) FROM a"), 1) << from;
  }
}

TEST_F(PgSchemaTest, SeveralThatStartTogetherMakeThemOnce) {
  int done = 0;
  std::vector<std::unique_ptr<PgConnection>> connections;
  for (int i = 0; i < 6; ++i) {
    connections.push_back(std::make_unique<PgConnection>(io_.get_executor(), PgTarget{url_}));
    PgConnection& connection = *connections.back();
    spawn(io_.get_executor(), "node", [&connection, &done]() -> awaitable<void> {
      co_await migrate_pg(connection, pg_migrations());
      ++done;
    });
  }
  EXPECT_TRUE(until([&] { return done == 6; }));
  EXPECT_EQ(number("SELECT count(*) FROM rollwatch_schema"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM event_counter"), 1);
}

// Numbers are given one after the other, so what is missing was deleted.
TEST_F(PgSchemaTest, WhereTheEventLogIsWholeFromIsSeenByTheNumbersThatAreMissing) {
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
      {"several", "(1, 1, 0, ''), (3, 1, 0, ''), (7, 1, 0, ''), (8, 1, 0, '')", 8, 6},
      {"the last", "(1, 1, 0, ''), (2, 1, 0, '')", 3, 3},
      {"all", nullptr, 5, 5},
  };
  for (const Row& row : rows) {
    url_ = new_database();
    migrate(pg_migrations().first(1));
    PgConnection connection(io_.get_executor(), {url_});
    if (row.events != nullptr)
      wait(connection.execute(std::string("INSERT INTO events VALUES ") + row.events));
    wait(connection.execute("UPDATE event_counter SET last = " + std::to_string(row.last)));
    migrate(pg_migrations().first(2));
    EXPECT_EQ(number("SELECT deleted FROM event_horizon"), row.deleted) << row.name;
    EXPECT_EQ(version().works_with, 1) << "programs that do not know of it may stay";
  }
}

// As a program of the first schema would, or a person.
TEST_F(PgSchemaTest, WhoeverDeletesEventsMovesTheHorizon) {
  migrate(pg_migrations());
  PgConnection connection(io_.get_executor(), {url_});
  wait(connection.execute(
      "INSERT INTO events SELECT n, n % 2, 0, '' FROM generate_series(1, 9) AS g(n)"));
  const auto deleted_after = [&](const std::string& sql) {
    wait(connection.execute(sql));
    return number("SELECT deleted FROM event_horizon");
  };
  EXPECT_EQ(deleted_after("DELETE FROM events WHERE seq = 99"), 0);
  EXPECT_EQ(deleted_after("DELETE FROM events WHERE seq IN (4, 6)"), 6);
  EXPECT_EQ(deleted_after("DELETE FROM events WHERE seq = 2"), 6) << "it never goes back";
  EXPECT_EQ(deleted_after("BEGIN; DELETE FROM events WHERE rollout = 1; ROLLBACK"), 6);
  EXPECT_EQ(deleted_after("DELETE FROM events WHERE rollout = 1"), 9);
}

TEST_F(PgSchemaTest, AStepThatFailsLeavesWhatWasThereAndIsTriedAgain) {
  std::array broken = kSteps;
  broken[1].sql = "ALTER TABLE a ADD y bigint; ALTER TABLE nowhere ADD z bigint;";
  EXPECT_THROW(migrate(broken), PgError);
  EXPECT_EQ(version().version, 1);
  migrate(kSteps);
  EXPECT_EQ(number("SELECT y FROM a"), 2);
}

TEST_F(PgSchemaTest, AnOlderProgramWorksBesideWhatWorksWithIt) {
  migrate(std::span(kSteps).first(2));
  EXPECT_EQ(refusal(std::span(kSteps).first(1)), "");
  EXPECT_EQ(version().version, 2) << "and does not take it back";
  migrate(kSteps);
  EXPECT_THAT(refusal(std::span(kSteps).first(2)),
              HasSubstr("was taken over by a newer rollwatchd (schema 3"));
  EXPECT_EQ(version().version, 3);
}

TEST_F(PgSchemaTest, ADatabaseThatMayNotBeChangedIsSaid) {
  PgConnection connection(io_.get_executor(), {url_});
  wait(connection.execute("CREATE ROLE reader LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC"));
  std::string as_reader = url_;
  as_reader.replace(as_reader.find("rollwatch@"), 10, "reader@");
  PgStore store(io_.get_executor(), as_reader);
  try {
    wait(store.open());
    FAIL();
  } catch (const StoreError& error) {
    EXPECT_THAT(error.what(), HasSubstr("in which this user may create tables"));
  }
  wait(connection.execute("DROP ROLE reader"));
}

// States of a new format are refused by older programs, which would take places over in vain again
// and again. So a new format is made with a step of the schema that has them step aside; then this
// test is told of it.
TEST(PgSchema, OlderProgramsStepAsideForANewFormatOfStates) {
  RolloutState state;
  state.conditions.resize(1);
  EXPECT_EQ(encode_state(state).front(), 1);
  state.conditions[0].memory = ConditionMemory(statistics::ComparisonState{});
  EXPECT_EQ(encode_state(state).front(), 2);
  EXPECT_EQ(pg_migrations().back().works_with, 6);
}

}  // namespace
}  // namespace rollwatch
