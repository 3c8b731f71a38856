#include "analysis/text.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

TEST(CutTest, IsOneShortLineOfValidText) {
  struct Row {
    const char* name;
    std::string text;
    std::size_t bytes;
    const char* expected;
  };
  const Row rows[] = {
      {"short enough", "five", 4, "five"},
      {"empty", "", 4, ""},
      {"too long", "a sentence", 8, "a sen…"},
      {"just the ellipsis", "a sentence", 3, "…"},
      {"no place for an ellipsis", "a sentence", 2, ""},
      {"no place at all", "a sentence", 0, ""},
      {"never in the middle of a character", "aééé", 6, "aé…"},
      {"of three bytes", "→→→", 8, "→…"},
      {"line breaks become spaces", "a\nb\r\nc\td", 20, "a b  c d"},
      {"a zero byte becomes a space", std::string("a\0b", 3), 20, "a b"},
      {"escape sequences lose their escape", "\x1b[31mred\x7f", 20, " [31mred "},
      {"so do the control characters of Latin-1",
       "a\xc2\x9b"
       "b",
       20, "a b"},
      {"what is not UTF-8 becomes question marks", "a\xff\xc3(b\xe2\x82", 20,
       "a?"
       "?(b?"
       "?"},
      {"an overlong slash is not UTF-8", "\xc0\xaf", 20,
       "?"
       "?"},
      {"neither is half a surrogate pair", "\xed\xa0\x80", 20,
       "?"
       "?"
       "?"},
      {"four bytes are fine", "😀", 20, "😀"},
  };
  for (const Row& row : rows) EXPECT_EQ(cut(row.text, row.bytes), row.expected) << row.name;
}

TEST(HideTest, TakesEveryOccurrenceOut) {
  struct Row {
    const char* name;
    const char* text;
    const char* secret;
    const char* expected;
  };
  const Row rows[] = {
      {"once", "not /hook/token here", "/hook/token", "not … here"},
      {"twice, and at both ends", "s3cr3t or s3cr3t", "s3cr3t", "… or …"},
      {"side by side", "s3cr3ts3cr3t", "s3cr3t", "……"},
      {"not there", "nothing to hide", "s3cr3t", "nothing to hide"},
      {"too short to be told from a word", "a team of five", "team", "a team of five"},
      {"none", "nothing to hide", "", "nothing to hide"},
  };
  for (const Row& row : rows) {
    std::string text = row.text;
    hide(text, row.secret);
    EXPECT_EQ(text, row.expected) << row.name;
  }
}

TEST(UrlEncodedTest, LeavesOnlyWhatIsCertain) {
  EXPECT_EQ(url_encoded("rate(x{a=\"b\"}[1m])"), "rate%28x%7Ba%3D%22b%22%7D%5B1m%5D%29");
  EXPECT_EQ(url_encoded("aZ09-_.~"), "aZ09-_.~");
  EXPECT_EQ(url_encoded("\u00e4&?#/ "), "%C3%A4%26%3F%23%2F%20");
  EXPECT_EQ(url_encoded(std::string_view("\0", 1)), "%00");
}

TEST(PercentTest, IsAsShortAsItCanBe) {
  struct Row {
    double weight;
    const char* text;
  };
  const Row rows[] = {{0, "0 %"}, {5, "5 %"}, {12.5, "12.5 %"}, {0.1, "0.1 %"}, {100, "100 %"}};
  for (const Row& row : rows) EXPECT_EQ(percent(row.weight), row.text);
}

}  // namespace
}  // namespace rollwatch
