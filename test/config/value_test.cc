#include "config/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace rollwatch {
namespace {

using testing::HasSubstr;

TEST(Value, ReadsJsonWithPointersAndLayers) {
  const auto value =
      value_from_json(R"({"a/b": [1, {"c~d": "x"}], "n": 1.0})", "request", "/analysis");
  ASSERT_TRUE(value);
  const Value* inner = (*value->find("a/b")->as_array())[1].find("c~d");
  EXPECT_EQ(inner->origin().pointer, "/analysis/a~1b/1/c~0d");
  EXPECT_EQ(inner->origin().layer, "request");
  EXPECT_EQ(value->origin().pointer, "/analysis");
  EXPECT_EQ(value->find("n")->kind(), Value::Kind::kDouble);
  EXPECT_EQ((*value->find("a/b")->as_array())[0].kind(), Value::Kind::kInteger);
}

TEST(Value, CanonicalJsonReadsBackAndDoesNotDependOnTheOrderOfKeys) {
  struct Row {
    const char* name;
    const char* json;
    const char* canonical;
  };
  const Row rows[] = {
      {"keys are sorted", R"({"b": 1, "a": [true, null]})", R"({"a":[true,null],"b":1})"},
      {"a whole double stays a double", R"([5.0, 5])", R"([5.0,5])"},
      {"doubles are short", R"([0.1, 1e300, 123456.789])", R"([0.1,1e+300,123456.789])"},
      {"text is escaped", R"(["\"\\\n\u00fc"])", R"(["\"\\\nü"])"},
      {"limits of integers", R"([9223372036854775807, -9223372036854775808])",
       R"([9223372036854775807,-9223372036854775808])"},
      {"empty", R"({"a": {}, "b": []})", R"({"a":{},"b":[]})"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto value = value_from_json(row.json);
    ASSERT_TRUE(value);
    EXPECT_EQ(to_json(*value), row.canonical);
    const auto again = value_from_json(to_json(*value));
    ASSERT_TRUE(again);
    EXPECT_TRUE(*again == *value);
    EXPECT_EQ(to_json(*again), row.canonical);
  }
}

TEST(Value, RefusesJsonThatCouldBeMisread) {
  const std::string deep(100, '[');
  struct Row {
    const char* name;
    std::string json;
    const char* message;
    const char* pointer;
  };
  const Row rows[] = {
      {"a name twice", R"({"a": {"b": 1, "b": 2}})", "given twice", "/a/b"},
      {"an integer beyond 64 bits", R"({"a": 9223372036854775808})", "too large", "/a"},
      {"an integer beyond every integer", R"({"a": 99999999999999999999999})", "too large", "/a"},
      {"a number beyond doubles", R"({"a": 1e999})", "too large", "/a"},
      {"too deep", deep, "too deeply", "/0/0/0"},
      {"cut off", R"({"a": "MARKER)", "not JSON: the mistake is at byte", ""},
      {"text after the end", R"({} MARKER)", "not JSON", ""},
      {"nothing", "", "not JSON", ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto value = value_from_json(row.json);
    ASSERT_FALSE(value);
    EXPECT_THAT(value.error().message, HasSubstr(row.message));
    EXPECT_THAT(value.error().message, testing::Not(HasSubstr("MARKER")));
    EXPECT_THAT(value.error().pointer, HasSubstr(row.pointer));
  }
}

TEST(Value, NumbersThatAreNoneBecomeNull) {
  EXPECT_EQ(to_json(Value(std::nan(""))), "null");
  EXPECT_EQ(to_json(Value(std::numeric_limits<double>::infinity())), "null");
}

TEST(Value, EqualityIgnoresOrderAndPlace) {
  const auto a = value_from_json(R"({"x": 1, "y": [1, 2]})", "request", "/a");
  const auto b = value_from_json(R"({"y": [1, 2], "x": 1})");
  const auto c = value_from_json(R"({"y": [2, 1], "x": 1})");
  const auto d = value_from_json(R"({"x": 1})");
  ASSERT_TRUE(a && b && c && d);
  EXPECT_TRUE(*a == *b);
  EXPECT_FALSE(*a == *c);
  EXPECT_FALSE(*a == *d);
  EXPECT_FALSE(*d == *a);
}

TEST(Value, SetReplacesInPlaceAndRemoveTakesAway) {
  Value table;
  table.set("a", Value("1"));
  table.set("b", Value("2"));
  table.set("a", Value("3"));
  EXPECT_EQ(to_json(table), R"({"a":"3","b":"2"})");
  EXPECT_EQ(table.as_table()->front().key, "a");
  table.remove("a");
  EXPECT_EQ(to_json(table), R"({"b":"2"})");
}

TEST(Value, QuotesForErrorsAreShortAndNeverFromTheEnvironment) {
  Value secret("MARKER");
  secret.set_from_environment();
  EXPECT_EQ(quoted(secret), "the text from the environment");
  EXPECT_EQ(quoted(Value("30x")), "\"30x\"");
  EXPECT_EQ(quoted(Value("a\nb\"\x01")), "\"a\\nb\\\"?\"");
  EXPECT_EQ(quoted(Value(std::int64_t{7})), "7");
  EXPECT_LT(quoted(Value(std::string(5000, 'x'))).size(), 80u);
}

TEST(Origin, SaysWhereAndWhose) {
  Origin file{"policy http", "/etc/rollwatch/conf.d/http.toml", 40, 3, ""};
  EXPECT_EQ(file.source(), "policy http conf.d/http.toml:40");
  EXPECT_EQ(file.place(), "/etc/rollwatch/conf.d/http.toml:40:3");
  Origin main{"[defaults]", "/etc/rollwatch/rollwatch.toml", 12, 1, ""};
  EXPECT_EQ(main.source(), "[defaults] rollwatch.toml:12");
  Origin request{"request", "", 0, 0, "/analysis/interval"};
  EXPECT_EQ(request.source(), "request");
  EXPECT_EQ(request.place(), "/analysis/interval");
}

}  // namespace
}  // namespace rollwatch
