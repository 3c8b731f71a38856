#include "daemon/cli/text.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

TEST(Text, SuggestsTheNearestWordOrNone) {
  struct Row {
    const char* name;
    const char* word;
    const char* nearest;  // empty: none
  };
  const Row rows[] = {
      {"swapped letters", "pormote", "promote"},
      {"missing letter", "promte", "promote"},
      {"too many letters", "waitt", "wait"},
      {"wrong letter", "lust", "list"},
      {"nothing near", "deploy", ""},
      {"short and wrong", "xy", ""},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(nearest_word(row.word, {"promote", "wait", "list"}).value_or(""), row.nearest)
        << row.name;
  }
}

TEST(Text, ControlCharactersDoNotReachTheTerminal) {
  EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a [2Jb c ");
  EXPECT_EQ(printable("CSI as one character: \xC2\x9B"
                      "2J"),
            "CSI as one character:  2J");
  EXPECT_EQ(printable("1.23 → 1.24 é"), "1.23 → 1.24 é");
}

TEST(Text, WidthAndCutCountCharactersNotBytes) {
  EXPECT_EQ(text_width("1 → 2"), 5U);
  EXPECT_EQ(cut_to_width("1 → 2", 5), "1 → 2");
  EXPECT_EQ(cut_to_width("1 → 23", 5), "1 → …");
  EXPECT_EQ(cut_to_width("ab", 1), "…");
  EXPECT_EQ(cut_to_width("ab", 0), "");
}

TEST(Text, AlignsColumnsWithoutTrailingSpaces) {
  EXPECT_EQ(aligned({{"a", "→→", "c"}, {"long", "x"}}), "a     →→  c\nlong  x\n");
}

TEST(Text, EncodesEverythingAUrlCouldMisread) {
  EXPECT_EQ(percent_encoded("ro_1"), "ro_1");
  EXPECT_EQ(percent_encoded("../a?b=c&d é"), "..%2Fa%3Fb%3Dc%26d%20%C3%A9");
}

}  // namespace
}  // namespace rollwatch
