// One connection: pipelines, errors, and every way in which a server or the way to it can fail.
#include "daemon/postgres/connection.h"

#include "test/postgres/nodes_fixture.h"
#include "test/support/fake_server.h"
#include "test/support/relay.h"

namespace rollwatch {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class PgConnectionTest : public NodesTest {
 protected:
  std::string url_by(int port) const {
    return "postgresql://rollwatch@127.0.0.1:" + std::to_string(port) +
           url_.substr(url_.rfind('/'));
  }
  PgTarget target(const std::string& url, Millis limit = Millis{10'000}) const {
    PgTarget target;
    target.url = url;
    target.connect_limit = limit;
    target.answer_limit = limit;
    return target;
  }
  static std::vector<PgStatement> list(std::vector<PgStatement> statements) { return statements; }
  // "" or SQLSTATE and message.
  std::string failure(PgConnection& connection, std::vector<PgStatement> statements) {
    try {
      wait(connection.ask(std::move(statements)));
      return "";
    } catch (const PgError& error) {
      return (error.is_lost() ? "lost" : error.state()) + ": " + error.what();
    }
  }
};

TEST_F(PgConnectionTest, APipelineIsOneTransaction) {
  PgConnection connection(io_.get_executor(), target(url_));
  wait(connection.execute("CREATE TABLE t (a bigint PRIMARY KEY)"));
  const auto rows = wait(connection.ask(
      list({pg("INSERT INTO t VALUES ($1::bigint)", 1), pg("SELECT count(*) FROM t")})));
  EXPECT_EQ(rows.at(0).changed(), 1);
  EXPECT_EQ(rows.at(1).integer(0, 0), 1);
  // The second fails, so the first never was, and the third is not tried.
  EXPECT_THAT(
      failure(connection, list({pg("INSERT INTO t VALUES ($1::bigint)", 2),
                                pg("INSERT INTO t VALUES (1)"), pg("INSERT INTO t VALUES (3)")})),
      ContainsRegex("23505: .*t_pkey"));
  EXPECT_FALSE(connection.is_broken());
  EXPECT_EQ(number("SELECT count(*) FROM t"), 1);
}

TEST_F(PgConnectionTest, WhatWasNotPreparedForAnErrorBeforeItIsPreparedLater) {
  PgConnection connection(io_.get_executor(), target(url_));
  static constexpr std::string_view kBad = "SELECT 1 / $1::bigint";
  static constexpr std::string_view kNext = "SELECT $1::bigint + 1";
  EXPECT_THAT(failure(connection, list({pg(kBad, 0), pg(kNext, 1)})), HasSubstr("22012"));
  EXPECT_EQ(wait(connection.ask(list({pg(kBad, 1), pg(kNext, 1)}))).at(1).integer(0, 0), 2);
  EXPECT_EQ(wait(connection.ask(list({pg(kNext, 4)}))).at(0).integer(0, 0), 5);
}

TEST_F(PgConnectionTest, AThousandStatementsWithMuchTextGoThroughAtOnce) {
  PgConnection connection(io_.get_executor(), target(url_));
  const std::string text(20'000, 'x');
  std::vector<PgStatement> statements;
  for (int i = 0; i < 1'000; ++i) statements.push_back(pg("SELECT $1::text", text));
  const auto rows = wait(connection.ask(std::move(statements)));
  ASSERT_EQ(rows.size(), 1'000U);
  EXPECT_EQ(rows[999].text(0, 0), text);
}

TEST_F(PgConnectionTest, AScriptsErrorIsTold) {
  PgConnection connection(io_.get_executor(), target(url_));
  EXPECT_THROW(wait(connection.execute("CREATE TABLE a (b int); CREATE TABLE a (b int)")), PgError);
  EXPECT_EQ(wait(connection.ask(list({pg("SELECT 7")}))).at(0).integer(0, 0), 7);
}

TEST_F(PgConnectionTest, WaysNotToGetThere) {
  const FakeServer silent([](FakeConnection& c) { c.hang(); });
  const FakeServer rude([](FakeConnection& c) { c.reset(); });
  const FakeServer http([](FakeConnection& c) { c.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  struct Row {
    std::string name, url, why;
  };
  const std::vector<Row> rows = {
      {"nobody listens", url_by(free_port()), "refused"},
      {"no such database", url_ + "x", "does not exist"},
      {"not a url", "postgresql://:::/", "."},
      {"an unknown option", url_ + "?colour=blue", "colour"},
      {"silent", url_by(silent.port()), "no connection within 300 ms"},
      {"reset", url_by(rude.port()), "."},
      {"another protocol", url_by(http.port()), "."},
  };
  for (const Row& row : rows) {
    PgConnection connection(io_.get_executor(), target(row.url, Millis{300}));
    EXPECT_THAT(failure(connection, list({pg("SELECT 1")})), ContainsRegex("lost: .*" + row.why))
        << row.name;
    EXPECT_TRUE(connection.is_broken()) << row.name;
    EXPECT_THAT(failure(connection, list({pg("SELECT 1")})), HasSubstr("lost: ")) << row.name;
  }
}

TEST_F(PgConnectionTest, AWrongAddressIsToldWithoutItsPassword) {
  const std::string db = "127.0.0.1:" + std::to_string(free_port()) + "/db";
  const std::vector<std::string> urls = {
      "postgresql://u:geheim@[::1/db",
      "postgresql://u:zz%zgeheim@" + db,
      "postgresql://u:geheim/zz@" + db,
      "postgresql://u:zz@geheim@" + db,
      "postgresql://u@" + db + "?password=geheim%zz",
      "postgresql://u@" + db + "?password=zz&geheim",
      "postgresql://u@" + db + "?password=zz&geheim=1",
      "postgresql://u:geheim@" + db,
  };
  for (const std::string& url : urls) {
    PgConnection connection(io_.get_executor(), target(url, Millis{5'000}));
    const std::string why = failure(connection, list({pg("SELECT 1")}));
    EXPECT_THAT(why, HasSubstr("lost: ")) << url;
    EXPECT_THAT(why, testing::Not(HasSubstr("geheim"))) << url;
    EXPECT_THAT(connection.trouble(), testing::Not(HasSubstr("geheim"))) << url;
  }
}

TEST_F(PgConnectionTest, AServerThatEndsTheSessionIsALostConnection) {
  PgConnection connection(io_.get_executor(), target(url_));
  wait(connection.ask(list({pg("SELECT 1")})));
  EXPECT_THAT(failure(connection, list({pg("SELECT pg_terminate_backend(pg_backend_pid())")})),
              HasSubstr("lost: terminating connection"));
  PgConnection next(io_.get_executor(), target(url_));
  EXPECT_EQ(failure(next, list({pg("SELECT 1")})), "");
}

TEST_F(PgConnectionTest, ACutConnectionIsNoticedByItsSilence) {
  Relay relay(postgres().port());
  PgConnection connection(io_.get_executor(), target(url_by(relay.port()), Millis{400}));
  EXPECT_EQ(failure(connection, list({pg("SELECT 1")})), "");
  relay.cut();
  EXPECT_THAT(failure(connection, list({pg("SELECT 1")})),
              HasSubstr("lost: no answer within 400 ms"));
}

TEST_F(PgConnectionTest, NotificationsAreHeardWhileIdleAndWhileAsking) {
  PgConnection listener(io_.get_executor(), target(url_));
  std::vector<std::string> heard;
  listener.on_notification([&](const std::string& payload) { heard.push_back(payload); });
  wait(listener.ask(list({pg("LISTEN rollwatch")})));
  PgConnection speaker(io_.get_executor(), target(url_));
  wait(speaker.ask(list({pg("SELECT pg_notify('rollwatch', $1)", "one")})));
  EXPECT_TRUE(until([&] { return heard.size() == 1; }));
  wait(speaker.ask(list({pg("SELECT pg_notify('rollwatch', $1)", "two")})));
  wait(listener.ask(list({pg("SELECT 1")})));
  EXPECT_TRUE(until([&] { return heard.size() == 2; }));
  EXPECT_THAT(heard, testing::ElementsAre("one", "two"));
}

}  // namespace
}  // namespace rollwatch
