#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "analysis/promql/trailing_comparison.h"

namespace rollwatch::promql {
namespace {

TEST(TakeComparisonOff, Taken) {
  struct Row {
    const char* query;
    const char* rest;
    const char* comparison;
  };
  const std::vector<Row> rows = {
      {"a > 5", "a", "> 5"},
      {"a>5", "a", "> 5"},
      {"a >= 0.05", "a", ">= 0.05"},
      {"a < 1e-3", "a", "< 0.001"},
      {"a <= .5", "a", "<= 0.5"},
      {"a == 0", "a", "== 0"},
      {"a != 0x10", "a", "!= 16"},
      {"a > -5", "a", "> -5"},
      {"a > - 5", "a", "> -5"},
      {"a > +5", "a", "> 5"},
      {"-a > 5", "-a", "> 5"},
      {"a + b > 5", "a + b", "> 5"},
      {"a / b * 100 > 5", "a / b * 100", "> 5"},
      {"a ^ 2 > 5", "a ^ 2", "> 5"},
      {"a atan2 b > 5", "a atan2 b", "> 5"},
      {"sum(rate(x{a=\"b\"}[5m])) > 5", "sum(rate(x{a=\"b\"}[5m]))", "> 5"},
      {"sum by (a) (x) > 5", "sum by (a) (x)", "> 5"},
      {"sum(x) by (a, b) > 5", "sum(x) by (a, b)", "> 5"},
      {"SUM(x) WITHOUT () > 5", "SUM(x) WITHOUT ()", "> 5"},
      {"a / on(x) group_left(y) b > 5", "a / on(x) group_left(y) b", "> 5"},
      {"a / ignoring(x) b > 5", "a / ignoring(x) b", "> 5"},
      {"a / on(x) group_left b > 5", "a / on(x) group_left b", "> 5"},
      {"x offset 5m > 5", "x offset 5m", "> 5"},
      {"x offset -5m > 5", "x offset -5m", "> 5"},
      {"x @ 100 > 5", "x @ 100", "> 5"},
      {"x @ end() > 5", "x @ end()", "> 5"},
      {"max_over_time(x[1h:5m] offset 1d) > 5", "max_over_time(x[1h:5m] offset 1d)", "> 5"},
      {"(a or vector(0)) / b > 0.05", "(a or vector(0)) / b", "> 0.05"},
      {"(a and b) > 5", "(a and b)", "> 5"},
      {"(a > 5)", "a", "> 5"},
      {"((a > 5))", "a", "> 5"},
      {"( # why\n (a) > 5 )", "(a)", "> 5"},
      {"(a) > 5", "(a)", "> 5"},
      {"(a > 1) > 5", "(a > 1)", "> 5"},
      {"a > 1 > 5", "a > 1", "> 5"},
      {"0 < a < 5", "0 < a", "< 5"},
      {"a > b > 5", "a > b", "> 5"},
      {"a > bool b > 5", "a > bool b", "> 5"},
      {"count(a > 3) > 5", "count(a > 3)", "> 5"},
      {"absent(x{a=~\"b > 5\"}) == 1", "absent(x{a=~\"b > 5\"})", "== 1"},
      {"x{a='> 5 or'} > 5", "x{a='> 5 or'}", "> 5"},
      {"x{or=\"1\"} > 5", "x{or=\"1\"}", "> 5"},
      {"{__name__=`a`} > 5", "{__name__=`a`}", "> 5"},
      {"time() - x > 5", "time() - x", "> 5"},
      {"\n  a\n/ b\n> 5\n", "a\n/ b", "> 5"},
      {"# what\na > 5 # percent", "a", "> 5"},
      {"a # or b\n> # and\n 5", "a", "> 5"},
      {"a + # inside\n b > 5", "a + # inside\n b", "> 5"},
      {"default > 5", "default", "> 5"},
      {"rate(x[5m]) keep_metric_names > 5", "rate(x[5m]) keep_metric_names", "> 5"},
      {"x{a=\"{{service}}\"} > 5", "x{a=\"{{service}}\"}", "> 5"},
      {"rate(x[{{window}}] offset {{window}}) * {{args.n}} > 0.05",
       "rate(x[{{window}}] offset {{window}}) * {{args.n}}", "> 0.05"},
      {"x offset {{window}} > 5", "x offset {{window}}", "> 5"},
      {"{{args.n}} > 5", "{{args.n}}", "> 5"},
      {"\n  (sum(rate(h{app=\"{{service}}\",code=~\"5..\"}[{{window}}])) or vector(0))\n/  "
       "sum(rate(h{app=\"{{service}}\"}[{{window}}])) > 0.05",
       "(sum(rate(h{app=\"{{service}}\",code=~\"5..\"}[{{window}}])) or vector(0))\n/  "
       "sum(rate(h{app=\"{{service}}\"}[{{window}}]))",
       "> 0.05"},
  };
  for (const Row& row : rows) {
    const auto taken = take_comparison_off(row.query);
    ASSERT_TRUE(taken.has_value()) << row.query << ": " << to_string(taken.error());
    ASSERT_TRUE(taken->comparison.has_value()) << row.query << " " << taken->why_left_alone;
    EXPECT_EQ(taken->query, row.rest) << row.query;
    EXPECT_EQ(to_string(*taken->comparison), row.comparison) << row.query;
    EXPECT_EQ(taken->why_left_alone, "") << row.query;
  }
}

TEST(TakeComparisonOff, LeftAlone) {
  struct Row {
    const char* query;
    const char* why;
  };
  const char* none = "does not end in a comparison with a number";
  const char* odd = "is not one expression ending in a comparison";
  const char* computed =
      "compares with a calculation or a number in parentheses; write the number itself, as in > "
      "0.05";
  const char* mirrored =
      "has the number on the left of the comparison; write it on the right, as in … > 0.05";
  const char* range =
      "has a range such as [5m] outside of a function, which is no single value; put a function "
      "around it, as in max_over_time(…[5m])";
  const auto weak = [](const std::string& word) {
    return "has '" + word +
           "' outside of parentheses, which binds weaker than the comparison; put parentheses "
           "around what stands left of the comparison";
  };
  const std::vector<std::pair<const char*, std::string>> rows = {
      {"", none},
      {"a", none},
      {"5", none},
      {"> 5", none},
      {"> -5", none},
      {"()", none},
      {"(> 5)", none},
      {"a >", none},
      {"a > b", none},
      {"5 < a", mirrored},
      {"a - 5", none},
      {"a > 5 + 3", computed},
      {"a > 5 * b", none},
      {"a > 5 ^ 2", computed},
      {"a > (5)", computed},
      {"a > --5", computed},
      {"a > vector(5)", none},
      {"a > 5m", none},
      {"a > \"5\"", none},
      {"a = 5", none},
      {"a =~ 5", none},
      {"a @ 5", none},
      {"count(a > 5)", none},
      {"sum(a > 5) by (b)", none},
      {"-(a > 5)", none},
      {"(a > 5) or b", none},
      {"a > 5 or b", none},
      {"a > 5 and on() b", none},
      {"(a > 5) + 0", none},
      {"(a) or (b > 5)", none},
      {"(a > 5)[5m:]", none},
      {"a > on(x) 5", none},
      {"a > ignoring(x) group_left 5", none},
      {"x[5m]", none},
      {"x{a=\"b\"}", none},
      {"x # > 5", none},
      {"\"a > 5\"", none},
      {"topk(5, x)", none},
      {"topk(x, 5) > y", none},
      {"a > bool 5", "compares with 'bool'; leave out 'bool'"},
      {"a == BOOL -5", "compares with 'bool'; leave out 'bool'"},
      {"(a > bool 5)", "compares with 'bool'; leave out 'bool'"},
      {"a > {{args.limit}}", "compares with a variable, not with a number"},
      {"a > -{{args.limit}}", "compares with a variable, not with a number"},
      {"a or b > 5", weak("or")},
      {"a AND b > 5", weak("AND")},
      {"a unless on(x) b > 5", weak("unless")},
      {"(a or b > 5)", weak("or")},
      {"a > 3 or b > 5", weak("or")},
      {"a / (b or c) or d > 5", weak("or")},
      {"a default b > 5", weak("default")},
      {"a if b > 5", weak("if")},
      {"a ifnot b > 5", weak("ifnot")},
      {"a > Inf", "compares with Inf, which is no plain finite number; write it in decimal digits"},
      {"a > -nan",
       "compares with nan, which is no plain finite number; write it in decimal digits"},
      {"a > 010", "compares with 010, which is no plain finite number; write it in decimal digits"},
      {"a > 5K", "compares with 5K, which is no plain finite number; write it in decimal digits"},
      {"a > 1_0", "compares with 1_0, which is no plain finite number; write it in decimal digits"},
      {"a > 00.5",
       "compares with 00.5, which is no plain finite number; write it in decimal digits"},
      {"a > 007e1",
       "compares with 007e1, which is no plain finite number; write it in decimal digits"},
      {"a > 1e999",
       "compares with 1e999, which is no plain finite number; write it in decimal digits"},
      {"a b > 5", odd},
      {"a, b > 5", odd},
      {"a 5 > 5", odd},
      {"a + > 5", odd},
      {"a > > 5", odd},
      {"* a > 5", odd},
      {"by (a) > 5", odd},
      {"(a)(b) > 5", odd},
      {"(a){b=\"c\"} > 5", odd},
      {"WITH (n = 1) a > 5", odd},
      {"sum by > 5", odd},
      {"a offset b > 5", odd},
      {"a @ b > 5", odd},
      {"a / on b > 5", odd},
      {"{a=\"b\"} {c=\"d\"} > 5", odd},
      {"5 {{n}} > 5", odd},
      {"a > 0.05 * 100", computed},
      {"a > -(5)", computed},
      {"(a > (5))", computed},
      {"a > 3 > 2 ^ 3", computed},
      {"a or b > (5)", computed},
      {"a > on(x) (5)", none},
      {"(5 < a)", mirrored},
      {"-5 <= a / b # c", mirrored},
      {"2 * 3 < a", mirrored},
      {"5 < a or b", none},
      {"a or 5 < b", none},
      {"5 < 3 + 4", computed},
      {"\"a\" > 5", odd},
      {"(\"a\") > 5", odd},
      {"a + \"b\" > 5", odd},
      // VictoriaMetrics would take the last value of a range beside an operator, but answers a
      // range alone with all of its samples: nothing any more that a rule could judge.
      {"x[5m] > 5", range},
      {"x{a=\"b\"}[5m] offset 1h > 5", range},
      {"((x[{{window}}])) > 5", range},
      {"x[1h:5m] > 5", range},
      {"rate(x[5m])[1h:5m] > 5", range},
      {"a / x[5m] > 5", range},
  };
  for (const auto& [query, why] : rows) {
    const auto taken = take_comparison_off(query);
    ASSERT_TRUE(taken.has_value()) << query << ": " << to_string(taken.error());
    EXPECT_FALSE(taken->comparison.has_value()) << query;
    EXPECT_EQ(taken->query, query);
    EXPECT_EQ(taken->why_left_alone, why) << query;
  }
}

TEST(TakeComparisonOff, ErrorsHaveAPosition) {
  struct Row {
    const char* query;
    const char* error;
  };
  for (const Row& row : std::vector<Row>{
           {"a{b=\"c} > 5",
            "line 1, column 5: the string opened here with \" is not closed on its line; a second "
            "\" is missing, or a line break in it that is written \\n"},
           {"sum(a > 5", "line 1, column 4: '(' is opened here and never closed; ')' is missing"},
           {"a\n  ] > 5",
            "line 2, column 3: ']' closes nothing that was opened; take it out, or open it "
            "earlier"},
           {"a > 5;",
            "line 1, column 6: unexpected character ';'; take it out, or put quotes around the "
            "text it belongs to"},
           {"a > 5x",
            "line 1, column 5: '5x' is neither a number nor a duration; write one such as 5, 0.05, "
            "1e-3, 5m or 1h30m"}}) {
    const auto taken = take_comparison_off(row.query);
    ASSERT_FALSE(taken.has_value()) << row.query;
    EXPECT_EQ(to_string(taken.error()), row.error);
  }
}

// Whatever is taken off can be put back: the rest in parentheses with the comparison behind it is
// taken apart in the same way again, and the rest has balanced brackets of its own.
TEST(TakeComparisonOff, SurvivesAnyQuery) {
  std::mt19937 random(20240615);
  const std::vector<std::string> pieces = {
      "a",          " b ",        "5",       "-",         "+",    " > ",  " < 5",
      "== 3",       "(",          ")",       "{a=\"b\"}", "[5m]", "or",   "and",
      "by",         "()",         "bool",    "#",         "\n",   "sum(", ", ",
      "{{args.n}}", " offset 5m", " on(x) ", "@",         " > 5", "/",    "default"};
  int taken_off = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string query;
    const std::size_t length = 1 + random() % 8;
    for (std::size_t i = 0; i < length; ++i) query += pieces[random() % pieces.size()];
    const auto taken = take_comparison_off(query);
    if (!taken) continue;
    if (!taken->comparison) {
      ASSERT_EQ(taken->query, query);
      ASSERT_NE(taken->why_left_alone, "") << query;
      continue;
    }
    ++taken_off;
    ASSERT_TRUE(lex(taken->query).has_value()) << query;
    const std::string wrapped = "(" + taken->query + "\n)";
    const auto again =
        take_comparison_off(wrapped + " " + rollwatch::to_string(*taken->comparison));
    ASSERT_TRUE(again.has_value() && again->comparison.has_value()) << query;
    EXPECT_EQ(again->query, wrapped) << query;
    EXPECT_EQ(*again->comparison, *taken->comparison) << query;
  }
  EXPECT_GT(taken_off, 300);
}

}  // namespace
}  // namespace rollwatch::promql
