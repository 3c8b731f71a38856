// What is not moved, and why; and how far it is, in words.
#include "daemon/postgres/transfer_meter.h"
#include "test/postgres/transfer_fixture.h"

namespace rollwatch {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

using TransferRefusalTest = TransferTest;

TEST_F(TransferRefusalTest, AFileThatIsNoStoreOfThisVersion) {
  EXPECT_THAT(refusal(), AllOf(HasSubstr(file_.string()), HasSubstr("does not exist")));
  EXPECT_FALSE(std::filesystem::exists(file_)) << "and none is made";
  EXPECT_FALSE(std::filesystem::exists(file_.string() + ".lock"));
  const std::filesystem::path right = file_;
  file_ = dir_.path();
  EXPECT_THAT(refusal(), HasSubstr("is no file"));
  file_ = right;
  write_file(file_, std::string(4'096, 'x'));
  EXPECT_THAT(refusal(), HasSubstr("cannot be read: file is not a database"));
  std::filesystem::remove(file_);
  sqlite("CREATE TABLE a (b)");
  EXPECT_THAT(refusal(), HasSubstr("is the SQLite database of another program"));
  std::filesystem::remove(file_);
  fill();
  sqlite("PRAGMA user_version = 99");
  EXPECT_THAT(refusal(), HasSubstr("was written by a newer rollwatchd (schema 99"));
  sqlite("PRAGMA user_version = 0");
  EXPECT_THAT(refusal(),
              HasSubstr("has the tables of an older rollwatchd (schema 0, this one knows "));
  EXPECT_THAT(refusal(), HasSubstr("start this rollwatchd on it once"));
}

TEST_F(TransferRefusalTest, AStoreThatADaemonHasOpen) {
  const SqliteStore store(io_.get_executor(), file_);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("is in use by another rollwatchd (process "),
                               HasSubstr("stop that one first")));
}

TEST_F(TransferRefusalTest, ADatabaseThatIsNotEmpty) {
  fill();
  transfer();
  const std::int64_t rows = rows_there();
  EXPECT_THAT(refusal(), HasSubstr("has rollouts already (3)"));
  EXPECT_EQ(rows_there(), rows);
  url_ = new_database();
  {
    PgStore store(io_.get_executor(), url_);
    wait(store.open());
    wait(store.put_freeze({"", "", "ana", "a holiday", kNow}));
  }
  EXPECT_THAT(refusal(), HasSubstr("was in use before: there are rows in freezes"));
  execute("DELETE FROM freezes; UPDATE event_counter SET last = 7");
  EXPECT_THAT(refusal(), HasSubstr("it has numbered 7 events"));
  execute("UPDATE event_counter SET last = 0");
  EXPECT_EQ(refusal(), "");
}

TEST_F(TransferRefusalTest, ADatabaseThatANodeIsOn) {
  fill();
  Node& a = node("a");
  EXPECT_THAT(refusal(), HasSubstr("is in use by the node a; stop every rollwatchd"));
  EXPECT_EQ(rows_there(), 0);
  wait(a.members.leave());
  execute(
      "INSERT INTO nodes (name, program, expires_at) VALUES ('dead', '1', now() - interval '1s')");
  EXPECT_EQ(refusal(), "") << "whose lease has ended is no node";
}

TEST_F(TransferRefusalTest, ADatabaseSomebodyWritesTo) {
  fill();
  {
    PgStore store(io_.get_executor(), url_);
    wait(store.open());
  }
  PgConnection other(io_.get_executor(), {url_});
  wait(other.execute("BEGIN; LOCK TABLE freezes IN ROW EXCLUSIVE MODE"));
  EXPECT_THAT(refusal(), HasSubstr("somebody else is writing to the PostgreSQL store"));
  wait(other.execute("ROLLBACK"));
  EXPECT_EQ(refusal(), "");
}

// Nobody becomes a member while the rows are on their way.
TEST_F(TransferRefusalTest, ADaemonThatComesMeanwhileWaits) {
  fill();
  std::string joined;
  const std::string why = refusal([&](const TransferProgress& progress) {
    if (!joined.empty() || progress.table != "events") return;
    joined = run_program(
                 {{"psql", "-X", "-q", "-c", "SET lock_timeout = '10ms'", "-c",
                   "INSERT INTO nodes (name, program, expires_at) VALUES ('b', '', now())", url_},
                  {},
                  {}})
                 .output;
  });
  EXPECT_EQ(why, "");
  EXPECT_THAT(joined, HasSubstr("lock timeout"));
}

TEST_F(TransferRefusalTest, ADatabaseOfAnotherVersionOrNone) {
  fill();
  {
    PgStore store(io_.get_executor(), url_);
    wait(store.open());
  }
  execute("UPDATE rollwatch_schema SET version = 99");
  EXPECT_THAT(refusal(), HasSubstr("has the tables of a newer rollwatchd (schema 99, this one"));
  execute("UPDATE rollwatch_schema SET version = -1");
  EXPECT_THAT(refusal(), HasSubstr("has the tables of an older rollwatchd (schema -1"));
  url_ += "_none";
  EXPECT_THAT(refusal(), AllOf(StartsWith("the PostgreSQL store could not be opened: "),
                               HasSubstr("TO must name a database that exists")));
  url_ = "postgresql://u:geheim@127.0.0.1:" + std::to_string(free_port()) + "/db";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("refused"), testing::Not(HasSubstr("geheim"))));
}

TEST(TransferMeterTest, OnATerminalOneLineASecond) {
  TransferMeter meter(true);
  EXPECT_EQ(meter.end(), "");
  const SteadyTime start{};
  struct Row {
    int at_ms;
    std::int64_t done;
    std::string text;  // "": nothing
  };
  const std::vector<Row> rows = {
      {0, 0, "\rcopying events: 0 of 40 rows in all\033[K"},       {999, 10, ""},
      {1'000, 20, "\rcopying events: 20 of 40 rows in all\033[K"}, {1'500, 40, ""},
      {2'100, 40, "\rcopying events: 40 of 40 rows in all\033[K"},
  };
  for (const Row& row : rows) {
    const auto text = meter.text({false, "events", row.done, 40}, start + Millis(row.at_ms));
    EXPECT_EQ(text.value_or(""), row.text) << row.at_ms;
  }
  EXPECT_EQ(meter.end(), "\r\033[K");
}

TEST(TransferMeterTest, InAPipeALineForEachTenth) {
  TransferMeter meter(false);
  std::string said;
  for (const bool checking : {false, true})
    for (std::int64_t done = 0; done <= 1'000; done += 7)
      said += meter.text({checking, "events", done, 1'000}, SteadyTime{}).value_or("");
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 18);
  EXPECT_THAT(said, StartsWith("copying events: 105 of 1000 rows in all (10 %)\n"));
  EXPECT_THAT(said, HasSubstr("checking events: 903 of 1000 rows in all (90 %)\n"));
  EXPECT_EQ(meter.text({false, "events", 0, 0}, SteadyTime{}), std::nullopt) << "an empty store";
  EXPECT_EQ(meter.end(), "");
}

}  // namespace
}  // namespace rollwatch
