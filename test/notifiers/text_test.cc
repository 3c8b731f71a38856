#include "notifiers/text.h"

#include <gtest/gtest.h>

namespace rollwatch {
namespace {

TEST(CleanUtf8, KeepsCharactersWhole) {
  struct Row {
    const char* name;
    std::string text;
    std::size_t limit;
    std::string expected;
  };
  const Row rows[] = {
      {"plain", "hello", 10, "hello"},
      {"cut", "hello", 3, "hel"},
      {"nothing", "", 3, ""},
      {"a character that does not fit is left out", "a\u00e4b", 2, "a"},
      {"and one that just fits is kept", "a\u00e4b", 3, "a\u00e4"},
      {"four bytes", "\U0001F680", 4, "\U0001F680"},
      {"four bytes in three", "\U0001F680", 3, ""},
      {"a stray byte", "a\xFFz", 10, "a\uFFFDz"},
      {"a lone continuation", "\x80", 10, "\uFFFD"},
      {"cut off in the middle by somebody else", "a\xE2\x82", 10, "a\uFFFD\uFFFD"},
      {"overlong", "\xC0\x80", 10, "\uFFFD\uFFFD"},
      {"overlong in three bytes", "\xE0\x80\x80", 10, "\uFFFD\uFFFD\uFFFD"},
      {"a surrogate", "\xED\xA0\x80", 10, "\uFFFD\uFFFD\uFFFD"},
      {"above the last character", "\xF4\x90\x80\x80", 20, "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"NUL", std::string("a\0b", 3), 10, "a\uFFFDb"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(clean_utf8(row.text, row.limit), row.expected);
  }
}

TEST(OneLine, HasNoBreaks) { EXPECT_EQ(one_line("a\r\nb\tc\x7F\u00e4"), "a  b c \u00e4"); }

TEST(Mrkdwn, EscapesAndCutsByCharacters) {
  struct Row {
    const char* name;
    const char* text;
    std::size_t limit;
    const char* expected;
  };
  const Row rows[] = {
      {"plain", "checkout", 100, "checkout"},
      {"a broadcast is only text", "<!channel> & co", 100, "&lt;!channel&gt; &amp; co"},
      {"nothing else is escaped", "\"quoted\" 'x'", 100, "\"quoted\" 'x'"},
      {"exactly as long", "abcde", 5, "abcde"},
      {"one too many", "abcdef", 5, "abcd\u2026"},
      {"characters, not bytes", "\u00e4\u00f6\u00fc\u00df", 4, "\u00e4\u00f6\u00fc\u00df"},
      {"cut between characters", "\u00e4\u00f6\u00fc\u00df\u00e9", 4, "\u00e4\u00f6\u00fc\u2026"},
      {"an entity counts as written and is not cut through", "ab<d", 5, "ab\u2026"},
      {"an entity that just fits", "a<", 5, "a&lt;"},
      {"no room at all", "abc", 0, ""},
      {"room for the ellipsis only", "abc", 1, "\u2026"},
      {"nothing", "", 5, ""},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(mrkdwn(row.text, row.limit), row.expected);
  }
}

}  // namespace
}  // namespace rollwatch
