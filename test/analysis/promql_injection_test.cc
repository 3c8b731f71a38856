// Values that try to change a query's meaning, and do not.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "analysis/promql/query_template.h"
#include "test/promql_corpus/harmful_values.h"

namespace rollwatch::promql {
namespace {

VariableLookup always_value(std::string value) {
  return [value = std::move(value)](std::string_view) { return value; };
}

// What a finished query means as far as values could change it: the kinds of its tokens, and the
// decoded strings.
struct Meaning {
  std::vector<TokenKind> kinds;
  std::vector<std::string> strings;
};

Meaning meaning_of(const std::string& query) {
  Meaning meaning;
  const auto lexed = lex(query, LexMode::kPlain);
  EXPECT_TRUE(lexed.has_value()) << query;
  if (!lexed) return meaning;
  for (const Token& token : lexed->tokens) {
    meaning.kinds.push_back(token.kind);
    if (token.kind == TokenKind::kString) {
      meaning.strings.push_back(unquote(token.text).value_or("<broken>"));
    }
  }
  return meaning;
}

// The inverse of escape_regex, written apart from it.
std::string without_regex_escapes(std::string_view regex) {
  std::string out;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else {
      EXPECT_EQ(std::string_view(".+*?()|[]{}^$").find(regex[i]), std::string_view::npos) << regex;
    }
    if (i < regex.size()) out += regex[i];
  }
  return out;
}

// Renders query with value and checks that only strings differ from a harmless rendering, and that
// string number `index` is prefix + value + suffix after `undo`.
template <class Undo>
void expect_value_means_itself(std::string_view query, const std::string& value, std::size_t index,
                               const std::string& prefix, const std::string& suffix, Undo undo) {
  const auto parsed = parse_query_template(query);
  ASSERT_TRUE(parsed.has_value()) << query;
  const auto text = render(*parsed, always_value(value));
  ASSERT_TRUE(text.has_value()) << text.error().message;
  const auto harmless = render(*parsed, always_value("x"));
  ASSERT_TRUE(harmless.has_value());
  const Meaning meaning = meaning_of(*text);
  Meaning expected = meaning_of(*harmless);
  EXPECT_EQ(meaning.kinds, expected.kinds) << *text;
  ASSERT_EQ(meaning.strings.size(), expected.strings.size()) << *text;
  const std::string& whole = meaning.strings[index];
  ASSERT_GE(whole.size(), prefix.size() + suffix.size()) << *text;
  EXPECT_EQ(whole.substr(0, prefix.size()), prefix) << *text;
  EXPECT_EQ(whole.substr(whole.size() - suffix.size()), suffix) << *text;
  const std::string middle =
      whole.substr(prefix.size(), whole.size() - prefix.size() - suffix.size());
  EXPECT_EQ(undo(middle), value) << *text;
  for (std::size_t i = 0; i < meaning.strings.size(); ++i) {
    if (i == index) continue;
    EXPECT_EQ(meaning.strings[i], expected.strings[i]) << *text;
  }
}

// In a regular expression a last backslash is doubled, so that it does no harm.
bool fits_raw_regex(const std::string& value) {
  return value.find_first_of("`\r") == std::string::npos &&
         value.find("\xEF\xBF\xBD") == std::string::npos;
}
bool fits_raw_string(const std::string& value) {
  return fits_raw_regex(value) && !value.ends_with('\\');
}

void expect_raw_is_accepted(std::string_view query, const std::string& value, bool accepted) {
  const auto parsed = parse_query_template(query);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(render(*parsed, always_value(value)).has_value(), accepted) << value;
}

void expect_harmless_everywhere(const std::string& value) {
  const auto as_is = [](const std::string& text) { return text; };
  const auto undo_regex = [](const std::string& text) { return without_regex_escapes(text); };
  const auto undo_replacement = [](std::string text) {
    for (std::size_t i = 0; (i = text.find("$$", i)) != std::string::npos; ++i) text.erase(i, 1);
    return text;
  };
  expect_value_means_itself("sum(rate(x{z=\"1\",a=\"{{v}}\",b!=\"2\"}[5m])) > 5", value, 1, "", "",
                            as_is);
  expect_value_means_itself("x{a='p-{{v}}-s'} or vector(0)", value, 0, "p-", "-s", as_is);
  expect_value_means_itself("x{a=~\"{{v}}\"} # end", value, 0, "", "", undo_regex);
  expect_value_means_itself("x{a!~'(?:p-{{v}})?s'}", value, 0, "(?:p-", ")?s", undo_regex);
  expect_value_means_itself("count_values(\"{{v}}\", x)", value, 0, "", "", as_is);
  expect_value_means_itself("label_replace(x, \"d\", \"{{v}}\", \"s\", \"\")", value, 1, "", "",
                            undo_replacement);
  expect_raw_is_accepted("x{a=`{{v}}`}", value, fits_raw_string(value));
  expect_raw_is_accepted("x{a=~`{{v}}`}", value, fits_raw_regex(value));
  if (fits_raw_string(value)) {
    expect_value_means_itself("x{a=`{{v}}`,b=\"c\"}", value, 0, "", "", as_is);
  }
  if (fits_raw_regex(value)) {
    expect_value_means_itself("x{a=~`p{{v}}s`,b=\"c\"}", value, 0, "p", "s", undo_regex);
  }
}

TEST(QueryInjection, HarmfulValuesStayValues) {
  for (const std::string& value : harmful_values()) {
    SCOPED_TRACE(value.substr(0, 60));
    expect_harmless_everywhere(value);
  }
}

// VictoriaMetrics 1.79 takes a backslash before the closing backtick for an escape and reads on, so
// that the next value would be read as part of the query.
TEST(QueryInjection, NoRawStringEndsInAnOpenBackslash) {
  EXPECT_FALSE(lex("{a=`x\\`,b=`c`}").has_value());
  EXPECT_FALSE(parse_query_template("{a=`{{v}}\\`,b=`c`}").has_value());
  for (const char* query :
       {"{a=`{{v}}`}", "{a=`\\{{v}}`}", "{a=`{{v}}{{v}}`}", "{a=`{{v}}\\\\`}", "{a=~`{{v}}`}",
        "{a=~`{{v}}{{v}}`}", "{a=~`\\\\{{v}}`}", "f(`{{v}}`)"}) {
    const auto parsed = parse_query_template(query);
    ASSERT_TRUE(parsed.has_value()) << query;
    for (const char* value : {"\\", "\\\\", "\\\\\\", "a\\", "a\\\\"}) {
      const auto text = render(*parsed, always_value(value));
      if (!text) continue;
      const std::size_t end = text->rfind('`');
      const std::size_t run = end - 1 - text->find_last_not_of('\\', end - 1);
      EXPECT_EQ(run % 2, 0U) << *text;
    }
  }
}

TEST(QueryInjection, RandomValuesStayValues) {
  std::mt19937 random(20240612);
  const std::vector<std::string> letters = {"\"",
                                            "'",
                                            "`",
                                            "\\",
                                            "{",
                                            "}",
                                            "\n",
                                            "\r",
                                            "$",
                                            "#",
                                            ".",
                                            "*",
                                            "(",
                                            ")",
                                            "[",
                                            "]",
                                            "|",
                                            "x",
                                            "n",
                                            "0",
                                            " ",
                                            "é",
                                            "😀",
                                            "\xEF\xBF\xBD",
                                            std::string(1, '\0'),
                                            "\x7F"};
  for (int round = 0; round < 3000; ++round) {
    std::string value;
    const std::size_t length = 1 + random() % 12;
    for (std::size_t i = 0; i < length; ++i) value += letters[random() % letters.size()];
    expect_harmless_everywhere(value);
  }
}

// Arbitrary bytes are either refused or harmless, wherever the variable stands.
TEST(QueryInjection, RandomBytesNeverChangeTheShape) {
  std::mt19937 random(20240613);
  const std::string_view query =
      "a{b=\"{{v}}\",c=~'{{v}}',d!~`{{v}}`} / label_replace(e, \"f\", \"{{v}}\", \"g\", \"{{v}}\")";
  const auto parsed = parse_query_template(query);
  ASSERT_TRUE(parsed.has_value());
  const auto kinds = meaning_of(*render(*parsed, always_value("x"))).kinds;
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string value;
    const std::size_t length = 1 + random() % 6;
    const unsigned top = round % 2 == 0 ? 128 : 256;
    for (std::size_t i = 0; i < length; ++i) value += static_cast<char>(random() % top);
    const auto text = render(*parsed, always_value(value));
    ASSERT_EQ(text.has_value(), is_valid_utf8(value) && fits_raw_regex(value));
    if (!text) continue;
    ++accepted;
    ASSERT_EQ(meaning_of(*text).kinds, kinds) << *text;
  }
  EXPECT_GT(accepted, 5000);
  for (const char* bare : {"x > {{v}} + y", "x[{{v}}:{{v}}] offset {{v}}", "x @ {{v}}"}) {
    const auto place = parse_query_template(bare);
    ASSERT_TRUE(place.has_value());
    for (int round = 0; round < 20000; ++round) {
      constexpr std::string_view kLikely = "0123456789.eEmshd-+_xInfNa ]){#";
      std::string value;
      const std::size_t length = 1 + random() % 4;
      for (std::size_t i = 0; i < length; ++i) value += kLikely[random() % kLikely.size()];
      const auto text = render(*place, always_value(value));
      if (!text) continue;
      const auto lexed = lex(*text, LexMode::kPlain);
      ASSERT_TRUE(lexed.has_value()) << *text;
      const std::size_t signs = value.starts_with('-') && bare[2] == '>' ? 3
                                : value.starts_with('-')                 ? 1
                                                                         : 0;
      ASSERT_EQ(lexed->tokens.size(), lex(bare)->tokens.size() + signs) << *text;
    }
  }
}

// Soup made of template pieces: parsing must answer, and what it accepts must render and lex.
TEST(QueryInjection, SurvivesAnyTemplate) {
  std::mt19937 random(20240614);
  const std::vector<std::string> pieces = {
      "{{v}}",  "{",       "}",      "(",  ")", "[", "]",  "\"", "'",
      "`",      "a",       "=",      "=~", ",", ":", "5m", "5",  " ",
      "by",     "offset ", "@",      ">",  "+", "#", "\n", "\\", "label_replace(",
      "x{a=\"", "\"}",     "[{{v}}]"};
  int accepted = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string text;
    const std::size_t length = 1 + random() % 8;
    for (std::size_t i = 0; i < length; ++i) text += pieces[random() % pieces.size()];
    const auto parsed = parse_query_template(text);
    if (!parsed || parsed->variables().empty()) continue;
    ++accepted;
    const auto harmless = [&](std::string_view) -> std::optional<std::string> { return "v"; };
    const bool only_strings = std::ranges::all_of(
        parsed->variables(), [](const Variable& v) { return v.quote != QuoteKind::kNone; });
    if (!only_strings) continue;
    const auto query = render(*parsed, harmless);
    ASSERT_TRUE(query.has_value()) << text;
    EXPECT_EQ(meaning_of(*query).kinds.size(), lex(text)->tokens.size()) << text;
  }
  EXPECT_GT(accepted, 500);
}

}  // namespace
}  // namespace rollwatch::promql
