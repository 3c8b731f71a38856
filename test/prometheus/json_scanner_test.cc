#include "daemon/prometheus/json_scanner.h"

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <random>

namespace rollwatch {
namespace {

// What a reader is told, as text.
struct Trace {
  std::string told;
  bool null() { return add("null"); }
  bool boolean(bool value) { return add(value ? "true" : "false"); }
  bool number() { return add("number"); }
  bool string(std::string& text) { return add("string " + text); }
  bool key(std::string& name) { return add("key " + name); }
  bool start_object() { return add("{"); }
  bool end_object() { return add("}"); }
  bool start_array() { return add("["); }
  bool end_array() { return add("]"); }
  void parse_error(std::size_t) {}
  bool add(const std::string& what) {
    told += what + "\n";
    return true;
  }
};

// The same from a library that is known to be right.
struct Judge : Trace {
  bool number_integer(std::int64_t) { return number(); }
  bool number_unsigned(std::uint64_t) { return number(); }
  bool number_float(double, const std::string&) { return number(); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return Trace::start_object(); }
  bool start_array(std::size_t) { return Trace::start_array(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) {
    return false;
  }
};

std::string scanned(const std::string& text) {
  Trace trace;
  return JsonScanner(text, trace).scan() ? trace.told : "refused";
}

std::string judged(const std::string& text) {
  Judge judge;
  return nlohmann::json::sax_parse(text, &judge) ? judge.told : "refused";
}

TEST(JsonScannerTest, TakesWhatIsJson) {
  const std::string texts[] = {
      "{}",
      "[]",
      " [ ] \r\n\t",
      "1",
      "\"x\"",
      "null",
      "true",
      "false",
      "[1,2,3]",
      "[[],[[]],{}]",
      R"({"a":1,"b":{"c":[true,false,null]},"a":2})",
      "[0,-0,1.5,-1.5e10,1E+5,1e-5,0.0,1e-999]",
      R"(["\"\\\/\b\f\n\r\t","\u0041\u00e9\u20ac\ud83d\ude00","é€😀", "\u0000"])",
      "[\"\x7f\"]",
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},)"
      R"("value":[1767323045.678,"0.5"]}]}})",
  };
  for (const std::string& text : texts) {
    EXPECT_NE(scanned(text), "refused") << text;
    EXPECT_EQ(scanned(text), judged(text)) << text;
  }
}

TEST(JsonScannerTest, RefusesWhatIsNot) {
  const std::string texts[] = {
      "",
      " ",
      "{",
      "}",
      "[",
      "]",
      "[1",
      "[1,]",
      "[,1]",
      "[1 2]",
      "{\"a\"}",
      "{\"a\":}",
      "{\"a\":1,}",
      "{a:1}",
      "{1:2}",
      "{\"a\" 1}",
      "[1]]",
      "{}{}",
      "1 2",
      "01",
      "-",
      "1.",
      ".5",
      "1e",
      "1e+",
      "+1",
      "0x10",
      "1_000",
      "NaN",
      "Infinity",
      "nul",
      "True",
      "'x'",
      "\"",
      "\"\\",
      "\"\\x\"",
      "\"\\u12\"",
      "\"\\u12g4\"",
      "\"\\ud800\"",
      "\"\\udc00\"",
      "\"\\ud800\\u0041\"",
      "\"\n\"",
      "\"\t\"",
      "\"\xff\"",
      "\"\xc3\"",
      "\"\xed\xa0\x80\"",
      "\"\xc0\x80\"",
      "// x\n1",
      "[1}",
      "{\"a\":1]",
      "\x01",
      "[\"a\"\"b\"]",
      "1e999",
      "-1e400",
      "1e505",
      std::string(400, '9'),
      std::string("\"\0\"", 3),
  };
  for (const std::string& text : texts) {
    EXPECT_EQ(judged(text), "refused") << text;
    EXPECT_EQ(scanned(text), "refused") << text;
  }
}

// Documents at random, and the same with a byte changed, taken out or put in.
TEST(JsonScannerTest, AgreesWithTheJudge) {
  std::mt19937 dice(20'261'126);
  const auto roll = [&dice](std::size_t sides) { return static_cast<std::size_t>(dice() % sides); };
  const std::string pieces[] = {"{",
                                "}",
                                "[",
                                "]",
                                ",",
                                ":",
                                "\"a\"",
                                "\"\"",
                                "1",
                                "-2",
                                "0.5",
                                "1e5",
                                "true",
                                "null",
                                " ",
                                "\n",
                                "\"\\u00e9\"",
                                "\"\\ud83d\\ude00\"",
                                "\"\xc3\xa9\"",
                                "false"};
  const std::function<std::string(int)> document = [&](int depth) -> std::string {
    const std::size_t kind = roll(depth > 4 ? 4 : 6);
    if (kind < 4) return pieces[6 + roll(8)];
    std::string text(1, kind == 4 ? '[' : '{');
    const std::size_t count = roll(4);
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) text += ",";
      if (kind == 5) text += "\"k" + std::to_string(i) + "\":";
      text += document(depth + 1);
    }
    return text + (kind == 4 ? "]" : "}");
  };
  int taken = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = document(0);
    if (roll(3) == 0) {
      text.clear();
      for (std::size_t n = roll(8); n > 0; --n) text += pieces[roll(std::size(pieces))];
    }
    for (std::size_t n = roll(3); n > 0 && !text.empty(); --n) {
      const std::size_t at = roll(text.size());
      const std::string bytes = "{}[]\":,\\u0d8e1-.+eE tn\x80\xc3\x1f";
      const char byte = bytes[roll(bytes.size())];
      switch (roll(3)) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, byte);
      }
    }
    const std::string expected = judged(text);
    taken += expected != "refused" ? 1 : 0;
    ASSERT_EQ(scanned(text), expected) << text;
  }
  EXPECT_GT(taken, 3'000);
  EXPECT_LT(taken, 19'000);
}

}  // namespace
}  // namespace rollwatch
