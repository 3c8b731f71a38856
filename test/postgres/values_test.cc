// Values in PostgreSQL's text format: what is sent comes back, and what is odd harms nobody.
#include "daemon/postgres/values.h"

#include <gtest/gtest.h>

#include "test/postgres/nodes_fixture.h"

namespace rollwatch {
namespace {

TEST(PgValuesTest, TextIsMadeWhatThePostgresTakes) {
  struct Row {
    std::string text, taken;
  };
  using namespace std::string_literals;
  const std::vector<Row> rows = {
      {"", ""},
      {"plain", "plain"},
      {"é € 😀", "é € 😀"},
      {"a\0b"s, "a\xEF\xBF\xBD"s + "b"},
      {"a\xFF\xFE", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xC3", "\xEF\xBF\xBD"},
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},  // half of a surrogate pair
  };
  for (const Row& row : rows) EXPECT_EQ(pg_text(row.text), row.taken);
}

TEST(PgValuesTest, AnArrayKeepsItsElementsApart) {
  PgArray texts;
  for (const char* text : {"", "a,b", "{}", "say \"x\"", "back\\slash", "NULL", " "})
    texts.add(text);
  texts.add(std::optional<std::string>());
  EXPECT_EQ(texts.text(), R"({"","a,b","{}","say \"x\"","back\\slash","NULL"," ",NULL})");
  PgArray numbers;
  numbers.add(std::int64_t{-1});
  numbers.add(std::optional<double>(0.1));
  numbers.add(std::optional<int>());
  EXPECT_EQ(numbers.text(), "{-1,0.1,NULL}");
  PgArray bytes;
  bytes.add(PgBytes{std::string_view("\0\xFF", 2)});
  EXPECT_EQ(bytes.text(), R"({"\\x00ff"})");
}

class PgRowsTest : public NodesTest {
 protected:
  PgRows ask(PgStatement statement) {
    PgConnection connection(io_.get_executor(), {url_});
    std::vector<PgStatement> statements;
    statements.push_back(std::move(statement));
    return wait(connection.ask(std::move(statements))).at(0);
  }
};

TEST_F(PgRowsTest, WhatIsSentComesBack) {
  const std::string bytes("\0\x01\x7F\x80\xFF", 5);
  const PgRows rows =
      ask(pg("SELECT $1::bigint, $2::double precision, $3::text, $4::bytea,"
             " $5::boolean, $6::bigint",
             std::int64_t{-9'000'000'000}, 1e-300, "é\"'\\", PgBytes{bytes}, true,
             std::optional<SysTime>()));
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows.integer(0, 0), -9'000'000'000);
  EXPECT_EQ(rows.real(0, 1), 1e-300);
  EXPECT_EQ(rows.text(0, 2), "é\"'\\");
  EXPECT_EQ(rows.bytes(0, 3), bytes);
  EXPECT_TRUE(rows.boolean(0, 4));
  EXPECT_EQ(rows.optional_time(0, 5), std::nullopt);
}

TEST_F(PgRowsTest, WhatIsNotThereOrNoNumberIsAnError) {
  const PgRows rows = ask(pg("SELECT 'x'::text"));
  EXPECT_THROW(rows.integer(0, 0), std::out_of_range);
  EXPECT_THROW(rows.bytes(0, 0), std::out_of_range);
  EXPECT_THROW(rows.text(0, 1), std::out_of_range);
  EXPECT_THROW(rows.text(1, 0), std::out_of_range);
}

}  // namespace
}  // namespace rollwatch
