#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "analysis/promql/lexer.h"
#include "analysis/promql/literals.h"
#include "analysis/promql/quoting.h"

namespace rollwatch::promql {
namespace {

// "id:up [ dur:5m ]": symbols as themselves, everything else with its kind.
std::string shown(const Token& token) {
  const std::string text(token.text);
  switch (token.kind) {
    case TokenKind::kIdentifier:
      return "id:" + text;
    case TokenKind::kNumber:
      return "num:" + text;
    case TokenKind::kDuration:
      return "dur:" + text;
    case TokenKind::kString:
      return "str:" + text;
    case TokenKind::kPlaceholder:
      return "var:" + text;
    case TokenKind::kComment:
      return "rem:" + text;
    default:
      return token.kind >= TokenKind::kAnd ? "kw:" + text : text;
  }
}

std::string shown(const Expected<Lexed, PromqlError>& lexed) {
  if (!lexed) {
    return std::to_string(lexed.error().line) + ":" + std::to_string(lexed.error().column) + " " +
           lexed.error().message;
  }
  std::string out;
  for (const Token& token : lexed->tokens) out += (out.empty() ? "" : " ") + shown(token);
  return out;
}

struct LexerRow {
  const char* name;
  std::string query;
  std::string tokens;
};

TEST(PromqlLexer, Tokens) {
  const std::vector<LexerRow> rows = {
      {"nothing", "", ""},
      {"only spaces", " \t\r\n ", ""},
      {"a metric", "up", "id:up"},
      {"recording rules have colons", "job:up:sum5m", "id:job:up:sum5m"},
      {"a name may begin with a colon or an underscore", ":a _b", "id::a id:_b"},
      {"a selector", "up{job=\"a\"}", "id:up { id:job = str:\"a\" }"},
      {"all matchers", "{a=\"1\",b!=\"2\",c=~\"3\",d!~\"4\"}",
       "{ id:a = str:\"1\" , id:b != str:\"2\" , id:c =~ str:\"3\" , id:d !~ str:\"4\" }"},
      {"keywords in braces are labels", "x{on=\"1\",By=\"2\",inf=\"3\",offset=\"4\"}",
       "id:x { id:on = str:\"1\" , id:By = str:\"2\" , id:inf = str:\"3\" , id:offset = str:\"4\" "
       "}"},
      {"a range", "x[5m]", "id:x [ dur:5m ]"},
      {"a subquery", "x[1h30m:500ms]", "id:x [ dur:1h30m : dur:500ms ]"},
      {"a subquery without step", "x[1h:]", "id:x [ dur:1h : ]"},
      {"spaces in brackets", "x [ 1h : 1m ]", "id:x [ dur:1h : dur:1m ]"},
      {"every unit", "1y2w3d4h5m6s7ms", "dur:1y2w3d4h5m6s7ms"},
      {"MetricsQL's fractions and steps", "x[1.5h:2i]", "id:x [ dur:1.5h : dur:2i ]"},
      {"numbers", "0 5 5. .5 0.5 1e5 1E-5 1.5e+5",
       "num:0 num:5 num:5. num:.5 num:0.5 num:1e5 "
       "num:1E-5 num:1.5e+5"},
      {"hex", "0x1F 0XaB", "num:0x1F num:0XaB"},
      {"numbers that are words", "Inf inf NaN nAn", "num:Inf num:inf num:NaN num:nAn"},
      {"words that begin like numbers' words", "info nano", "id:info id:nano"},
      {"MetricsQL's suffixes", "5K 2MiB 3Gi 1.5kb 4M 1_000",
       "num:5K num:2MiB num:3Gi num:1.5kb "
       "num:4M num:1_000"},
      {"a small m means minutes", "4m 4mi", "dur:4m num:4mi"},
      {"signs are operators", "-5 + +5", "- num:5 + + num:5"},
      {"arithmetic", "a+b-c*d/e%f^g", "id:a + id:b - id:c * id:d / id:e % id:f ^ id:g"},
      {"comparisons", "a==b!=c>d>=e<f<=g", "id:a == id:b != id:c > id:d >= id:e < id:f <= id:g"},
      {"keywords in any case", "a AND b Or c unless d atan2 e",
       "id:a kw:AND id:b kw:Or id:c kw:unless id:d kw:atan2 id:e"},
      {"bool", "a > bool 5", "id:a > kw:bool num:5"},
      {"vector matching", "a * on(x) group_left(y) b / ignoring(z) GROUP_RIGHT c",
       "id:a * kw:on ( id:x ) kw:group_left ( id:y ) id:b / kw:ignoring ( id:z ) kw:GROUP_RIGHT "
       "id:c"},
      {"aggregation", "sum by (a) (x)", "id:sum kw:by ( id:a ) ( id:x )"},
      {"aggregation, words behind", "sum(x) WITHOUT (a,b)",
       "id:sum ( id:x ) kw:WITHOUT ( id:a , id:b )"},
      {"offset", "x offset 5m", "id:x kw:offset dur:5m"},
      {"negative offset", "x OFFSET -5m", "id:x kw:OFFSET - dur:5m"},
      {"at a time", "x @ 1609746000.5", "id:x @ num:1609746000.5"},
      {"at start and end", "x @ start() + y @end()", "id:x @ kw:start ( ) + id:y @ kw:end ( )"},
      {"start and end are names elsewhere", "start + end", "id:start + id:end"},
      {"double quotes", R"("a\"b\\c\n'`")", R"(str:"a\"b\\c\n'`")"},
      {"single quotes", R"('a\'b\\c"`')", R"(str:'a\'b\\c"`')"},
      {"raw strings have no escapes", R"(`a\"b\\`)", R"(str:`a\"b\\`)"},
      {"raw strings span lines", "`a\nb` c", "str:`a\nb` id:c"},
      {"escapes by number", R"("\x41\101\u00e9\U0001F600")", R"(str:"\x41\101\u00e9\U0001F600")"},
      {"text outside ASCII in strings and comments", "\"é€😀\" # ü", "str:\"é€😀\" rem:# ü"},
      {"brackets and # in strings", "\"#)]}([{\" x", "str:\"#)]}([{\" id:x"},
      {"comments", "a # b ) {\n+ c# d", "id:a rem:# b ) { + id:c rem:# d"},
      {"quotes in comments", "a # it's\n+ b", "id:a rem:# it's + id:b"},
      {"a comment ends at CRLF", "a # b\r\n+ c", "id:a rem:# b\r + id:c"},
      {"grammar is not its business", "5 5 ( ) , =", "num:5 num:5 ( ) , ="},
      {"variable in a string", "x{a=\"{{service}}\"}", "id:x { id:a = str:\"{{service}}\" }"},
      {"variable in a raw string", "`{{a}}`", "str:`{{a}}`"},
      {"variable as number", "x > {{args.limit}}", "id:x > var:{{args.limit}}"},
      {"variable as range", "x[{{window}}]", "id:x [ var:{{window}} ]"},
      {"variable as range and step", "x[{{window}}:30s]", "id:x [ var:{{window}} : dur:30s ]"},
      {"variable as step", "x[1h:{{ step }}]", "id:x [ dur:1h : var:{{ step }} ]"},
      {"variable as offset", "x offset {{window}}", "id:x kw:offset var:{{window}}"},
      {"spaces and tabs in a variable", "{{ \tlabels.team_1 }}", "var:{{ \tlabels.team_1 }}"},
      {"a brace behind a variable", "{a=\"b\",{{x}}}", "{ id:a = str:\"b\" , var:{{x}} }"},
      {"joined variables", "{{a}}{{b}}c", "var:{{a}} var:{{b}} id:c"},
  };
  for (const LexerRow& row : rows) EXPECT_EQ(shown(lex(row.query)), row.tokens) << row.name;
}

TEST(PromqlLexer, Errors) {
  const std::string variable =
      "'{{' must open a variable such as {{service}} or {{labels.team}}: a name of letters, "
      "digits, "
      "'_' and '.', then '}}'";
  const std::vector<LexerRow> rows = {
      {"string without end", "up{a=\"b",
       "1:6 the string opened here with \" is not closed on its line; a second \" is missing, or a "
       "line break in it that is written \\n"},
      {"string broken by a newline", "x +\n 'b\n'",
       "2:2 the string opened here with ' is not closed on its line; a second ' is missing, or a "
       "line break in it that is written \\n"},
      {"raw string without end", "`a\nb",
       "1:1 the string opened here with ` is not closed; a second ` is missing"},
      {"raw string ending in a backslash", R"(`a\`)",
       "1:4 a `raw string` cannot end in a backslash, which VictoriaMetrics takes for an escape; "
       "write the string with \"double quotes\""},
      {"escaped closing quote", R"("a\")",
       "1:1 the string opened here with \" is not closed on its line; a second \" is missing, or a "
       "line break in it that is written \\n"},
      {"unknown escape", R"("a\d")",
       "1:3 unknown escape sequence; a backslash itself is written \\\\ here"},
      {"the other quote escaped", R"("\'")",
       "1:2 unknown escape sequence; a backslash itself is written \\\\ here"},
      {"short \\x", R"("\x4")",
       "1:2 unknown escape sequence; a backslash itself is written \\\\ here"},
      {"octal beyond a byte", R"("\400")",
       "1:2 unknown escape sequence; a backslash itself is written \\\\ here"},
      {"surrogate", R"("\ud800")",
       "1:2 unknown escape sequence; a backslash itself is written \\\\ here"},
      {"beyond Unicode", R"("\U00110000")",
       "1:2 unknown escape sequence; a backslash itself is written \\\\ here"},
      {"broken UTF-8 in a string", "\"a\xC3(\"",
       "1:3 this string is not valid UTF-8; save the query as UTF-8"},
      {"never closed", "sum(rate(x[5m])",
       "1:4 '(' is opened here and never closed; ')' is missing"},
      {"never closed, on a later line", "a +\n  sum(",
       "2:6 '(' is opened here and never closed; ')' is missing"},
      {"closed too often", "a)",
       "1:2 ')' closes nothing that was opened; take it out, or open it earlier"},
      {"closed crosswise", "sum(\nx[5m)]",
       "2:5 ')' cannot close the '[' opened at line 2, column 2; close that one with ']' first"},
      {"closed by the wrong one", "sum(x}",
       "1:6 '}' cannot close the '(' opened at line 1, column 4; close that one with ')' first"},
      {"braces in braces", "{a{",
       "1:3 '{' cannot stand inside the '{' opened at line 1, column 1; close that one with '}' "
       "first"},
      {"brackets in brackets", "x[5m[",
       "1:5 '[' cannot stand inside the '[' opened at line 1, column 2; close that one with ']' "
       "first"},
      {"unknown character", "a $ b",
       "1:3 unexpected character '$'; take it out, or put quotes around the text it belongs to"},
      {"a semicolon", "a;",
       "1:2 unexpected character ';'; take it out, or put quotes around the text it belongs to"},
      {"a dot alone", "a.b",
       "1:2 unexpected character '.'; take it out, or put quotes around the text it belongs to"},
      {"a colon behind a duration is fine, a bare ! is not", "a ! b",
       "1:3 '!' must be followed by '=' or '~'"},
      {"NUL", std::string("a\0b", 3),
       "1:2 unexpected byte 0x00; outside of strings and comments a query is ASCII, so take it out "
       "or put quotes around the text it belongs to"},
      {"a letter outside ASCII", "é",
       "1:1 unexpected byte 0xc3; outside of strings and comments a query is ASCII, so take it out "
       "or put quotes around the text it belongs to"},
      {"number and letters", "5x",
       "1:1 '5x' is neither a number nor a duration; write one such as 5, 0.05, 1e-3, 5m or 1h30m"},
      {"unfinished duration", "x[1h30]",
       "1:3 '1h30' is neither a number nor a duration; write one such as 5, 0.05, 1e-3, 5m or "
       "1h30m"},
      {"two points", "1.2.3",
       "1:1 '1.2.3' is neither a number nor a duration; write one such as 5, 0.05, 1e-3, 5m or "
       "1h30m"},
      {"exponent without digits", "1e",
       "1:1 '1e' is neither a number nor a duration; write one such as 5, 0.05, 1e-3, 5m or 1h30m"},
      {"hex without digits", "0x",
       "1:1 '0x' is neither a number nor a duration; write one such as 5, 0.05, 1e-3, 5m or 1h30m"},
      {"braces twice without a name", "{{}}", "1:1 " + variable},
      {"a number as a name", "{{1}}", "1:1 " + variable},
      {"a hyphen in a name", "\"{{a-b}}\"", "1:2 " + variable},
      {"a name ends in a dot", "{{a.}}", "1:1 " + variable},
      {"one closing brace", "x[{{a}]", "1:3 " + variable},
      {"three braces", "{{{a}}}", "1:1 " + variable},
      {"a variable over two lines", "{{a\n}}", "1:1 " + variable},
      {"Go's templates", "x{a=\"{{ $labels.a }}\"}", "1:6 " + variable},
      {"columns count bytes", "\"é\" $",
       "1:6 unexpected character '$'; take it out, or put quotes around the text it belongs to"},
  };
  for (const LexerRow& row : rows) EXPECT_EQ(shown(lex(row.query)), row.tokens) << row.name;
}

TEST(PromqlLexer, FinishedQueriesMayHoldTwoBracesInStringsOnly) {
  EXPECT_EQ(shown(lex("{a=\"{{ x\"} # {{", LexMode::kPlain)), "{ id:a = str:\"{{ x\" } rem:# {{");
  EXPECT_EQ(shown(lex("x > {{a}}", LexMode::kPlain)),
            "1:6 '{' cannot stand inside the '{' opened at line 1, column 5; close that one with "
            "'}' first");
}

TEST(PromqlLexer, PositionsOfTokensAndPlaceholders) {
  const std::string query = "a{b=\"x{{c}}y{{ d }}\"}\n  > {{e.f}} # {{g}}";
  const auto lexed = lex(query);
  ASSERT_TRUE(lexed.has_value());
  std::string found;
  for (const Placeholder& p : lexed->placeholders) {
    found += std::string(p.name) + " " + std::to_string(p.line) + ":" + std::to_string(p.column) +
             " in " + shown(lexed->tokens[p.token]) + "\n";
    EXPECT_EQ(query.substr(p.offset, p.text.size()), p.text);
  }
  EXPECT_EQ(found,
            "c 1:7 in str:\"x{{c}}y{{ d }}\"\n"
            "d 1:13 in str:\"x{{c}}y{{ d }}\"\n"
            "e.f 2:5 in var:{{e.f}}\n"
            "g 2:15 in rem:# {{g}}\n");
  for (const Token& token : lexed->tokens) {
    EXPECT_EQ(query.substr(token.offset, token.text.size()), token.text);
  }
  EXPECT_EQ(lexed->tokens[6].line, 2);
  EXPECT_EQ(lexed->tokens[6].column, 3);
}

TEST(PromqlLexer, ErrorsReadAsSentences) {
  EXPECT_EQ(to_string(PromqlError{"unexpected character '$'", 2, 7}),
            "line 2, column 7: unexpected character '$'");
}

// Whatever comes in, an answer comes out, and the tokens of a good one cover the text in order.
TEST(PromqlLexer, SurvivesAnyBytes) {
  std::mt19937 random(20240611);
  const std::string likely = "{}{{}}()[]\"'`\\#:,.=~!<>+-*/%^@ \n0123456789abcdefmsx_\xC3\xA9\xFF";
  int good = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string soup;
    const std::size_t length = random() % 24;
    for (std::size_t i = 0; i < length; ++i) {
      soup +=
          random() % 8 == 0 ? static_cast<char>(random() % 256) : likely[random() % likely.size()];
    }
    for (const LexMode mode : {LexMode::kTemplate, LexMode::kPlain}) {
      const auto lexed = lex(soup, mode);
      if (!lexed) {
        EXPECT_GE(lexed.error().line, 1);
        EXPECT_GE(lexed.error().column, 1);
        EXPECT_FALSE(lexed.error().message.empty());
        continue;
      }
      ++good;
      std::size_t done = 0;
      for (const Token& token : lexed->tokens) {
        ASSERT_GE(token.offset, done) << soup;
        ASSERT_FALSE(token.text.empty()) << soup;
        const std::string between = soup.substr(done, token.offset - done);
        EXPECT_EQ(between.find_first_not_of(" \t\r\n"), std::string::npos) << soup;
        done = token.end();
        if (mode == LexMode::kPlain && token.kind == TokenKind::kString) {
          EXPECT_TRUE(unquote(token.text).has_value()) << soup;
        }
      }
    }
  }
  EXPECT_GT(good, 1000);
}

TEST(PromqlLiterals, NumberValues) {
  struct NumberRow {
    const char* text;
    std::optional<double> value;
  };
  const std::vector<NumberRow> rows = {
      {"0", 0.0},
      {"5", 5.0},
      {"5.", 5.0},
      {".5", 0.5},
      {"0.05", 0.05},
      {"1e3", 1000.0},
      {"1E-3", 0.001},
      {"0x1F", 31.0},
      {"00.5", {}},  // 0.5 to Prometheus, nothing
                     // VictoriaMetrics can read
      {"010", {}},
      {"1_000", {}},
      {"5K", {}},
      {"Inf", {}},
      {"NaN", {}},
      {"1e999", {}},
      {"", {}},
      {"-5", {}},
      {"0x", {}},
      {"0xFFFFFFFFFFFFFFFF", {}},
      {"0x-5", {}},
  };
  for (const NumberRow& row : rows) EXPECT_EQ(number_value(row.text), row.value) << row.text;
}

TEST(PromqlLiterals, PlainNumbersAndDurations) {
  for (const char* text : {"0", "-0", "5", "-5", "0.5", ".5", "-.5", "1e5", "1.5E-3", "1e+3"}) {
    EXPECT_TRUE(is_plain_number(text)) << text;
  }
  for (const char* text :
       {"",   "-",  "+5",  "--5", " 5",    "5 ",    "5.", ".",   "010", "0x1F",
        "5K", "1e", "Inf", "nan", "1e999", "1_000", "5m", "1,5", "5)",  "5 or vector(1)",
        "५"}) {
    EXPECT_FALSE(is_plain_number(text)) << text;
  }
  for (const char* text : {"5m", "1h30m", "500ms", "1y2w3d4h5m6s7ms", "90s", "0h5m", "05m"}) {
    EXPECT_TRUE(is_plain_duration(text)) << text;
  }
  for (const char* text : {"", "5", "m", "0s", "0h0m", "5m1h", "5m5m", "1.5h", "-5m", "5 m", "5M",
                           "5m ", "300y", "99999999999999999999s", "5m]", "5i", "1h-5m"}) {
    EXPECT_FALSE(is_plain_duration(text)) << text;
  }
}

TEST(PromqlQuoting, DecodesAndEncodes) {
  EXPECT_EQ(unquote(R"("\a\b\f\n\r\t\v\\\"")"), "\a\b\f\n\r\t\v\\\"");
  EXPECT_EQ(unquote(R"('\'\x41\101\u00e9\U0001F600\xff')"), "'AAé😀\xff");
  EXPECT_EQ(unquote(R"(`\n"'`)"), "\\n\"'");
  for (const char* bad :
       {"", "\"", "\"a'", "a", "\"a\"b\"", "\"\n\"", "\"\\'\"", "`a`b`", "`a\\`"}) {
    EXPECT_EQ(unquote(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(encode("a\"b'c\\d\ne\x01\x7F`é\xEF\xBF\xBD", QuoteKind::kDouble),
            R"(a\"b'c\\d\ne\x01\x7f`é\ufffd)");
  EXPECT_EQ(encode("a\"b'c", QuoteKind::kSingle), R"(a"b\'c)");
  EXPECT_EQ(encode("\\a\"b'\\\\", QuoteKind::kRaw), "\\a\"b'\\\\");
  EXPECT_EQ(encode("a\\", QuoteKind::kRaw), std::nullopt);
  EXPECT_EQ(encode("a`b", QuoteKind::kRaw), std::nullopt);
  EXPECT_EQ(encode("a\rb", QuoteKind::kRaw), std::nullopt);
  EXPECT_EQ(encode("\xEF\xBF\xBD", QuoteKind::kRaw), std::nullopt);
  EXPECT_EQ(escape_regex("a.b*c[d]\\-"), R"(a\.b\*c\[d\]\\-)");
  EXPECT_EQ(escape_replacement("$1$"), "$$1$$");
}

TEST(PromqlQuoting, Utf8) {
  for (const char* good : {"", "a", "é", "€", "😀", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xC3", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF0\x80\x80\xAF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82", "a\xFF"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  }
}

}  // namespace
}  // namespace rollwatch::promql
