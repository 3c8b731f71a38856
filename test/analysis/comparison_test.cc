#include "analysis/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace rollwatch {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Comparison, Parses) {
  struct Row {
    const char* text;
    Comparison expected;
    const char* written;
  };
  const std::vector<Row> rows = {
      {"> 0.05", {CompareOp::kGreater, 0.05}, "> 0.05"},
      {">=1", {CompareOp::kGreaterEqual, 1}, ">= 1"},
      {"<  -2.5", {CompareOp::kLess, -2.5}, "< -2.5"},
      {"<=1e3", {CompareOp::kLessEqual, 1000}, "<= 1000"},
      {"== 0", {CompareOp::kEqual, 0}, "== 0"},
      {"!= +7", {CompareOp::kNotEqual, 7}, "!= 7"},
      {"\t> .5\n", {CompareOp::kGreater, 0.5}, "> 0.5"},
      {"> 1e-9", {CompareOp::kGreater, 1e-9}, "> 1e-09"},
      {"> 0.1", {CompareOp::kGreater, 0.1}, "> 0.1"},
  };
  for (const Row& row : rows) {
    const auto parsed = parse_comparison(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text;
    EXPECT_EQ(*parsed, row.expected) << row.text;
    EXPECT_EQ(to_string(*parsed), row.written);
    const auto again = parse_comparison(to_string(*parsed));
    ASSERT_TRUE(again.has_value()) << row.text;
    EXPECT_EQ(*again, *parsed) << row.text;
  }
}

TEST(Comparison, RefusesWithASentence) {
  for (const char* text : {"", "5", "=> 5", "= 5", "=~ 5", "any", "greater than 5"}) {
    const auto parsed = parse_comparison(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error(), "\"" + std::string(text) +
                                  "\" is not a comparison: write one of > >= < <= == != and a "
                                  "number, as in \"> 0.05\"");
  }
  for (const char* text : {">", "> ", "> x", "> 5%", "> 5 6", "> NaN", "> inf", "> 1e999", "> 0x10",
                           "> +-5", "> --5", "> 5m", ">> 5", "> = 5"}) {
    const auto parsed = parse_comparison(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error(), "\"" + std::string(text) +
                                  "\": after > a plain number must follow, as in \"> 0.05\"");
  }
}

TEST(Comparison, Holds) {
  struct Row {
    CompareOp op;
    bool below, at, above;
  };
  for (const Row& row : std::vector<Row>{{CompareOp::kGreater, false, false, true},
                                         {CompareOp::kGreaterEqual, false, true, true},
                                         {CompareOp::kLess, true, false, false},
                                         {CompareOp::kLessEqual, true, true, false},
                                         {CompareOp::kEqual, false, true, false},
                                         {CompareOp::kNotEqual, true, false, true}}) {
    const Comparison comparison{row.op, 0.05};
    EXPECT_EQ(comparison.holds(0.04), row.below) << to_string(comparison);
    EXPECT_EQ(comparison.holds(0.05), row.at) << to_string(comparison);
    EXPECT_EQ(comparison.holds(0.06), row.above) << to_string(comparison);
    EXPECT_EQ(comparison.holds(-kInf), row.below) << to_string(comparison);
    EXPECT_EQ(comparison.holds(kInf), row.above) << to_string(comparison);
    EXPECT_FALSE(comparison.holds(kNaN)) << to_string(comparison);
  }
}

TEST(Numbers, ForPeople) {
  struct Row {
    double value;
    const char* text;
  };
  for (const Row& row : std::vector<Row>{{0, "0"},
                                         {-0.0, "0"},
                                         {5, "5"},
                                         {-5, "-5"},
                                         {0.05, "0.05"},
                                         {0.08333, "0.0833"},
                                         {1.0 / 3, "0.3333"},
                                         {0.99951, "0.9995"},
                                         {0.0012345, "0.00123"},
                                         {0.000012345, "1.23e-05"},
                                         {12.3456, "12.35"},
                                         {-123.456, "-123.5"},
                                         {1234.5678, "1235"},
                                         {123456.7, "123457"},
                                         {999999999999999.0, "999999999999999"},
                                         {1e15, "1e+15"},
                                         {1.23456e20, "1.235e+20"},
                                         {kInf, "+Inf"},
                                         {-kInf, "-Inf"},
                                         {kNaN, "NaN"}}) {
    EXPECT_EQ(format_number(row.value), row.text);
  }
}

TEST(Numbers, Exact) {
  struct Row {
    double value;
    const char* text;
  };
  for (const Row& row : std::vector<Row>{{0, "0"},
                                         {-0.0, "0"},
                                         {0.1, "0.1"},
                                         {0.1 + 0.2, "0.30000000000000004"},
                                         {1000000, "1000000"},
                                         {0.0001, "0.0001"},
                                         {-12345.678, "-12345.678"},
                                         {1e300, "1e+300"},
                                         {5e-324, "5e-324"},
                                         {kInf, "+Inf"},
                                         {kNaN, "NaN"}}) {
    EXPECT_EQ(format_exact(row.value), row.text);
  }
}

TEST(Numbers, ExactReadsBackAsTheSame) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20000; ++i) {
    const double scale = std::pow(10.0, static_cast<double>(random() % 40) - 20);
    const double value = (static_cast<double>(random()) / 1e19 - 1) * scale;
    if (value == 0) continue;
    EXPECT_EQ(parse_finite(format_exact(value)), value);
  }
}

TEST(Numbers, ParseFiniteTakesTheWholeText) {
  EXPECT_EQ(parse_finite("-1.5e3"), -1500.0);
  for (const char* text : {"", " 5", "5 ", "+5", "inf", "nan", "1e999", "0x10", "5,5", "five"}) {
    EXPECT_EQ(parse_finite(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace rollwatch
