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
