// A whole store moves: what it answers is the same, what differs is found, and what fails leaves
// nothing.
#include "daemon/postgres/transfer.h"

#include "daemon/postgres/schema.h"
#include "test/postgres/transfer_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAreArray;

class TransferCopyTest : public TransferTest {
 protected:
  std::vector<std::string> asked(Store& store) {
    return answers_of(store, [this](awaitable<void> work) { wait(std::move(work)); });
  }
  // The tables, and a trigger on one of them.
  void plant(const std::string& table, const std::string& body) {
    url_ = new_database();
    PgConnection connection(io_.get_executor(), {url_});
    wait(migrate_pg(connection, pg_migrations()));
    wait(connection.execute(
        "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $f$"
        " BEGIN " +
        body + "; RETURN NEW; END $f$; CREATE TRIGGER planted BEFORE INSERT ON " + table +
        " FOR EACH ROW EXECUTE FUNCTION planted()"));
  }
};

TEST_F(TransferCopyTest, EveryQuestionHasTheSameAnswer) {
  fill();
  const TransferResult result = transfer();
  EXPECT_EQ(result.tables, transfer_tables().size());
  EXPECT_EQ(result.rows,
            number("SELECT " + std::to_string(rows_there()) + " - last FROM event_counter"));
  // Labels 1, evaluations 1, attempts 1, memos 1, idempotency 1, freezes 1.
  EXPECT_EQ(result.cleaned, 6);
  for (const TransferTable& table : transfer_tables()) {
    EXPECT_GT(number("SELECT count(*) FROM " + std::string(table.name)), 0) << table.name;
  }
  SqliteStore before(io_.get_executor(), file_);
  PgStore after(io_.get_executor(), url_);
  wait(after.open());
  const std::vector<std::string> expected = asked(before);
  EXPECT_THAT(expected, testing::Contains("the log to 5 of 5, whole after 4"));
  EXPECT_THAT(expected, SizeIs(testing::Gt(60U)));
  EXPECT_EQ(asked(after), expected);
}

TEST_F(TransferCopyTest, ANodeGoesOnWhereTheDaemonStopped) {
  fill();
  std::int64_t last_event = 0, last_key = 0;
  {
    Database db(file_, Database::Mode::kReadOnly);
    last_event = db.integer("SELECT seq FROM sqlite_sequence WHERE name = 'events'");
    last_key = db.integer("SELECT seq FROM sqlite_sequence WHERE name = 'rollouts'");
  }
  transfer();
  const std::int64_t plans = number("SELECT count(*) FROM plans");
  const std::int64_t fence = number("SELECT fence FROM places WHERE target = 'eu-1'");
  EXPECT_EQ(number("SELECT fence FROM deliveries WHERE id = 'ord_2'"), fence);
  EXPECT_GT(number("SELECT fence FROM places WHERE target = 'gone'"), 0)
      << "fences outlive their rollouts";
  Node& a = node("a");
  ASSERT_TRUE(until([&] { return a.has.size() == 2; })) << "the active ones";
  register_at(a, rollout_id(9), "eu-2");
  EXPECT_GT(number("SELECT key FROM rollouts WHERE id = '" + rollout_id(9) + "'"), last_key);
  EXPECT_EQ(number("SELECT count(*) FROM plans"), plans) << "found by its digest";
  const Place place = place_of(registration(rollout_id(2), "eu-1").insert->spec);
  Commit more = step(rollout_id(2), 3);
  more.epoch = a.has.at(place);
  more.deliveries = {order("ord_9")};
  const auto recorded = wait(a.store.record(list_of(std::move(more))));
  EXPECT_GT(recorded.at(0).event_seqs.at(0), last_event) << "not even numbers of forgotten ones";
  EXPECT_GT(recorded.at(0).fences.at(0), fence);
}

TEST_F(TransferCopyTest, ManyRowsGoInManyBatches) {
  {
    SqliteStore store(io_.get_executor(), file_);
    wait(store.record(list_of(registration("ro_a"))));
    std::vector<Commit> steps;
    for (unsigned i = 1; i <= 4'500; ++i) steps.push_back(step("ro_a", i));
    wait(store.record(std::move(steps)));
    Commit big;
    big.rollout = "ro_a";
    for (int i = 0; i < 12; ++i)
      big.explains.push_back({"d" + std::to_string(i), kNow, std::string(900'000, 'x')});
    wait(store.record(list_of(std::move(big))));
  }
  std::vector<TransferProgress> told;
  const TransferResult result =
      transfer([&](const TransferProgress& progress) { told.push_back(progress); });
  EXPECT_EQ(result.rows, 1 + 1 + 1 + 3 + 1 + 4'500 + 4'500 + 12);
  EXPECT_EQ(number("SELECT count(*) FROM evaluations"), 4'500);
  ASSERT_THAT(told, SizeIs(testing::Gt(20U)));
  for (std::size_t i = 1; i < told.size(); ++i) {
    EXPECT_EQ(told[i].all, result.rows);
    EXPECT_TRUE(told[i].done >= told[i - 1].done ||
                (told[i].is_checking && !told[i - 1].is_checking));
  }
  EXPECT_EQ(told.back().done, result.rows);
}

TEST_F(TransferCopyTest, AnEmptyStoreIsMovedToo) {
  { const SqliteStore store(io_.get_executor(), file_); }
  EXPECT_EQ(transfer().rows, 0);
  Node& a = node("a");
  register_at(a, rollout_id(1), "default");
  EXPECT_EQ(number("SELECT key FROM rollouts"), 1);
}

TEST_F(TransferCopyTest, TheFileStaysAsItWas) {
  fill();
  const std::string before = read_file(file_);
  transfer();
  EXPECT_EQ(read_file(file_), before);
  SqliteStore store(io_.get_executor(), file_);  // and the lock is free again
}

TEST_F(TransferCopyTest, WhatACrashLeftInTheLogIsMoved) {
  std::filesystem::path copy = dir_ / "copy.db";
  {
    SqliteStore store(io_.get_executor(), file_);
    wait(store.record(list_of(registration("ro_a"))));
    ASSERT_GT(std::filesystem::file_size(file_.string() + "-wal"), 0U);
    std::filesystem::copy_file(file_, copy);
    std::filesystem::copy_file(file_.string() + "-wal", copy.string() + "-wal");
  }
  file_ = copy;
  transfer();
  EXPECT_EQ(number("SELECT count(*) FROM rollouts WHERE id = 'ro_a'"), 1);
}

TEST_F(TransferCopyTest, WhatWasWrittenOtherwiseIsFound) {
  fill();
  struct Row {
    std::string table, body, found;
  };
  const std::vector<Row> rows = {
      {"evaluations", "IF NEW.number = 1 AND NEW.rollout = 1 THEN NEW.value = 1; END IF",
       "evaluations (1, 1): value"},
      {"evaluations", "IF NEW.number = 2 AND NEW.rollout = 1 THEN NEW.value = 0.0; END IF",
       "evaluations (1, 2): value"},
      {"evaluations", "IF NEW.number = 4 THEN NEW.evidence = 1.7976931348623155e308; END IF",
       "evaluations (1, 4): evidence"},
      {"evaluations", "IF NEW.number = 3 THEN NEW.evidence = 'NaN'; END IF",
       "evaluations (1, 3): evidence"},
      {"states", "IF NEW.rollout = 1 THEN NEW.state = set_byte(NEW.state, 3, 77); END IF",
       "states (1): state"},
      {"events", "IF NEW.seq = 2 THEN NEW.data = NEW.data || ' '; END IF", "events (2): data"},
      {"plans", "IF NEW.key = 2 THEN NEW.digest = 'x'; END IF", "plans (2): digest"},
      {"attempts", "IF NEW.number = 2 THEN RETURN NULL; END IF",
       "attempts (1, 2): is missing in PostgreSQL"},
      {"freezes", "IF NEW.service = '' THEN INSERT INTO labels VALUES (2, 'x', ''); END IF",
       "labels (2, \"x\"): is in PostgreSQL only"},
      {"memos", "IF NEW.rollout = 0 THEN NEW.value = ''; END IF",
       "memos (0, \"releases\", \"group\"): value"},
  };
  for (const Row& row : rows) {
    plant(row.table, row.body);
    EXPECT_THAT(differences(), ElementsAre(row.found)) << row.body;
    EXPECT_EQ(rows_there(), 0) << row.body;
    EXPECT_EQ(number("SELECT last_value FROM rollouts_key_seq"), 1) << row.body;
  }
}

TEST_F(TransferCopyTest, OfManyDifferencesTheFirstAreTold) {
  fill();
  plant("rollouts", "NEW.spec = ''; NEW.state = ''; NEW.candidate = ''; NEW.created_at = 0");
  EXPECT_THAT(differences(), AllOf(SizeIs(10), testing::Contains("rollouts (1): candidate")));
  EXPECT_EQ(rows_there(), 0);
}

TEST_F(TransferCopyTest, WhatFailsInTheMiddleLeavesNothingAndCanBeTriedAgain) {
  fill();
  plant("freezes", "RAISE EXCEPTION 'the disk is full'");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("rows of freezes could not be written to the PostgreSQL"),
                               HasSubstr("the disk is full")));
  EXPECT_EQ(rows_there(), 0);
  execute("DROP TRIGGER planted ON freezes");
  EXPECT_EQ(refusal(), "");
  EXPECT_GT(rows_there(), 0);
}

TEST_F(TransferCopyTest, ASessionThatIsEndedLeavesNothingAndCanBeTriedAgain) {
  fill();
  bool is_cut = false;
  const std::string cut = refusal([&](const TransferProgress& progress) {
    if (is_cut || !progress.is_checking || progress.table != "events") return;
    is_cut = true;
    run_program({{"psql", "-X", "-q", "-c",
                  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname ="
                  " current_database() AND pid <> pg_backend_pid()",
                  url_},
                 {},
                 {}});
  });
  EXPECT_THAT(cut, HasSubstr("the PostgreSQL store could not be written: "));
  EXPECT_TRUE(is_cut);
  EXPECT_EQ(rows_there(), 0);
  EXPECT_EQ(refusal(), "");
}

TEST_F(TransferCopyTest, ACommitThatFailsIsNoneAndOneThatIsLostIsUncertain) {
  fill();
  const std::string at_commit =
      "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON freezes DEFERRABLE INITIALLY DEFERRED"
      " FOR EACH ROW EXECUTE FUNCTION ";
  struct Row {
    std::string body, why;
  };
  const std::vector<Row> rows = {
      {"RAISE EXCEPTION 'not today'", "the PostgreSQL store could not be written: not today"},
      {"PERFORM pg_terminate_backend(pg_backend_pid())", "or nothing is not known: terminating"},
  };
  for (const Row& row : rows) {
    plant("calls", "NULL");
    execute("CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN " + row.body +
            "; RETURN NULL; END $f$; " + at_commit + "late()");
    EXPECT_THAT(refusal(), HasSubstr(row.why));
    EXPECT_EQ(rows_there(), 0);
    execute("DROP TRIGGER late ON freezes");
    EXPECT_EQ(refusal(), "");
  }
}

TEST_F(TransferCopyTest, KeysThatBecomeEqualAreNotMadeOne) {
  fill();
  sqlite("INSERT INTO labels VALUES (1, CAST(x'fe' AS TEXT), '')");  // beside ff
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("rows of labels could not be written"), HasSubstr("labels_pkey")));
  EXPECT_EQ(rows_there(), 0);
}

// A table or column that is added to the stores has to be moved, too.
TEST_F(TransferCopyTest, NothingOfTheStoresIsLeftOut) {
  fill();
  transfer();
  std::vector<std::string> moved;
  for (const TransferTable& table : transfer_tables())
    for (const TransferColumn& column : table.columns)
      moved.push_back(std::string(table.name) + "." + std::string(column.name));
  PgConnection connection(io_.get_executor(), {url_});
  PgStatement columns;
  columns.once =
      "SELECT table_name || '.' || column_name FROM information_schema.columns"
      " WHERE table_schema = current_schema() AND table_name NOT IN"
      " ('nodes', 'calls', 'event_counter', 'event_horizon', 'rollwatch_schema')"
      // What a node claims for itself.
      " AND (table_name, column_name) NOT IN (('places', 'owner'), ('places', 'epoch'))";
  const auto rows = wait(connection.ask(list_of(std::move(columns))));
  std::vector<std::string> there;
  for (int row = 0; row < rows.at(0).size(); ++row) there.push_back(rows[0].text(row, 0));
  EXPECT_THAT(moved, UnorderedElementsAreArray(there));
  Database db(file_, Database::Mode::kReadOnly);
  // What is in `recent` belongs to two other tables.
  Query here(db,
             "SELECT CASE m.name WHEN 'targets' THEN 'places' WHEN 'recent' THEN"
             " iif(c.name IN ('revision', 'updated_at', 'state'), 'states', 'evaluations')"
             " ELSE m.name END || '.' || c.name"
             " FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table'"
             " AND m.name NOT LIKE 'sqlite%' AND m.name NOT IN ('forgotten', 'event_horizon',"
             " 'recent_trimmed')"
             " AND c.name NOT IN ('hash', 'folded')"
             " AND NOT (m.name = 'recent' AND c.name IN ('id', 'previous'))");
  int columns_here = 0;
  for (; here.next(); ++columns_here) EXPECT_THAT(moved, testing::Contains(here.text(0)));
  EXPECT_GT(columns_here, 100);
}

}  // namespace
}  // namespace rollwatch
