#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "analysis/promql/query_template.h"
#include "analysis/promql/regex_place.h"

namespace rollwatch::promql {
namespace {

using ::testing::HasSubstr;

std::string quote_name(QuoteKind quote) {
  switch (quote) {
    case QuoteKind::kNone:
      return "";
    case QuoteKind::kDouble:
      return " \"";
    case QuoteKind::kSingle:
      return " '";
    case QuoteKind::kRaw:
      return " `";
  }
  return "?";
}

// "service: label string \" at 1:9; window: duration at 1:24", or the error.
std::string shown(const Expected<QueryTemplate, TemplateError>& query) {
  if (!query) return to_string(query.error());
  std::string out;
  for (const Variable& v : query->variables()) {
    out += (out.empty() ? "" : "; ") + v.name + ": " + std::string(to_string(v.context)) +
           quote_name(v.quote) + " at " + std::to_string(v.line) + ":" + std::to_string(v.column);
  }
  return out;
}

VariableLookup lookup_in(std::map<std::string, std::string, std::less<>> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    return found->second;
  };
}

VariableLookup always(std::string value) {
  return [value = std::move(value)](std::string_view) { return value; };
}

// The rendered text, or the error's sentence behind an exclamation mark.
std::string rendered(std::string_view text, const VariableLookup& lookup) {
  const auto query = parse_query_template(text);
  if (!query) return "not a template: " + to_string(query.error());
  const auto result = render(*query, lookup);
  return result ? *result : "! " + result.error().message;
}

TEST(QueryTemplate, KnowsWhatAVariableStandsFor) {
  struct Row {
    const char* query;
    const char* variables;
  };
  const std::vector<Row> rows = {
      {"up", ""},
      {"up{app=\"{{service}}\"}", "service: label string \" at 1:9"},
      {"up{app!='{{service}}'}", "service: label string ' at 1:10"},
      {"up{app=`{{service}}`}", "service: label string ` at 1:9"},
      {"up{app=\"x-{{ service }}-y\"}", "service: label string \" at 1:11"},
      {"up{app=~\"{{service}}\"}", "service: regular expression \" at 1:10"},
      {"up{app!~'a|{{service}}.*'}", "service: regular expression ' at 1:12"},
      {"up{app=~`({{a}}|{{b}})?`}",
       "a: regular expression ` at 1:11; b: regular expression ` at 1:17"},
      {"{__name__=\"{{args.metric}}_total\"}", "args.metric: label string \" at 1:12"},
      {"up # comment\n{a # it's\n=~\n\"{{x}}\"}", "x: regular expression \" at 4:2"},
      {"rate(x[{{window}}])", "window: duration at 1:8"},
      {"x[{{window}}:30s]", "window: duration at 1:3"},
      {"x[{{ window }}:{{step}}]", "window: duration at 1:3; step: duration at 1:16"},
      {"x[1h:{{window}}]", "window: duration at 1:6"},
      {"x[{{window}}:]", "window: duration at 1:3"},
      {"x offset {{window}}", "window: duration at 1:10"},
      {"x OFFSET -{{window}}", "window: duration at 1:11"},
      {"x @ {{args.start}}", "args.start: timestamp at 1:5"},
      {"x > {{args.limit}}", "args.limit: number at 1:5"},
      {"x > bool {{n}}", "n: number at 1:10"},
      {"{{n}} * x", "n: number at 1:1"},
      {"-{{n}}", "n: number at 1:2"},
      {"x and {{n}} or vector({{m}})", "n: number at 1:7; m: number at 1:23"},
      {"x default {{n}}", "n: number at 1:11"},
      {"topk({{n}}, x)", "n: number at 1:6"},
      {"histogram_quantile({{args.q}}, sum by (le) (rate(x[{{window}}])))",
       "args.q: number at 1:20; window: duration at 1:52"},
      {"(({{n}}))", "n: number at 1:3"},
      {"x{a=\"1\"}[{{w}}] @ {{t}} offset {{o}} > {{n}}",
       "w: duration at 1:10; t: timestamp at 1:19; o: duration at 1:32; n: number at 1:40"},
      {"count_values(\"{{l}}\", x)", "l: label string \" at 1:15"},
      {"label_replace(x, \"d\", \"{{v}}\", \"s\", \"{{r}}-(.*)\")",
       "v: replacement text \" at 1:24; r: regular expression \" at 1:38"},
      {"LABEL_REPLACE(rate(x[5m]), \"d\", \"$1\", \"s\", \"{{r}}\")",
       "r: regular expression \" at 1:45"},
      {"label_replace(x, \"{{d}}\", \"${1}{{v}}\", \"s\", \"\")",
       "d: label string \" at 1:19; v: replacement text \" at 1:32"},
      {"label_match(x, \"a\", \"{{r}}\")", "r: regular expression \" at 1:22"},
      {"label_join(x, \"d\", \"{{v}}\", \"s\")", "v: label string \" at 1:21"},
      {"sum(label_replace(a, \"d\", f(1, 2), \"s\", \"{{r}}\"))",
       "r: regular expression \" at 1:42"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(shown(parse_query_template(row.query)), row.variables) << row.query;
}

TEST(QueryTemplate, RefusesWhatItCannotPlace) {
  struct Row {
    const char* query;
    const char* position;
    const char* part;
  };
  const std::vector<Row> rows = {
      {"foo_{{service}}", "line 1, column 5", "{{service}} is joined to 'foo_'"},
      {"{{service}}_total", "line 1, column 1",
       "joined to '_total'; a variable cannot be part of a name"},
      {"a +\n job:{{service}}:rate", "line 2, column 6", "joined to 'job:'"},
      {"x > 1{{n}}", "line 1, column 6",
       "joined to '1'; outside of strings a variable stands for a whole"},
      {"x > {{n}}5", "line 1, column 5", "joined to '5'"},
      {"x > {{n}}.5", "line 1, column 5", "joined to '.5'"},
      {"x > {{n}}{{m}}", "line 1, column 5", "joined to '{{m}}'"},
      {"x[{{n}}m]", "line 1, column 3", "joined to 'm'; outside of strings a variable stands for"},
      {"x[1{{n}}]", "line 1, column 4", "joined to '1'"},
      {"x[{{n}}30s]", "line 1, column 3", "joined to '30s'"},
      {"x[1h {{n}}]", "line 1, column 6", "must be the whole duration in the [ ]"},
      {"x[{{n}} 30s]", "line 1, column 3", "must be the whole duration in the [ ]"},
      {"x[-{{n}}]", "line 1, column 4", "must be the whole duration in the [ ]"},
      {"x[({{n}})]", "line 1, column 3", "'(' cannot stand inside the '['"},
      {"x offset{{n}}", "line 1, column 9", "joined to 'offset'"},
      {"x and{{n}}", "line 1, column 6", "joined to 'and'"},
      {"{{metric}}{a=\"b\"}", "line 1, column 1", "where a metric's name must stand"},
      {"rate({{metric}}[5m])", "line 1, column 6", "where a metric's name must stand"},
      {"{{metric}} offset 5m", "line 1, column 1", "where a metric's name must stand"},
      {"{{metric}} @ 5", "line 1, column 1", "where a metric's name must stand"},
      {"{{function}}(x)", "line 1, column 1", "where a function's name must stand"},
      {"{{sum}} by (a) (x)", "line 1, column 1", "where a function's name must stand"},
      {"x{{{label}}=\"a\"}", "line 1, column 2", "must open a variable"},
      {"x{ {{label}}=\"a\"}", "line 1, column 4", "label name or a whole matcher"},
      {"x{a=\"b\",{{matchers}}}", "line 1, column 9", "label name or a whole matcher"},
      {"x{a={{v}}}", "line 1, column 5", "put quotes around it: \"{{v}}\""},
      {"x{a=~{{v}}}", "line 1, column 6", "put quotes around it"},
      {"sum by ({{label}}) (x)", "line 1, column 9", "where a label name must stand"},
      {"sum(x) without (a, {{label}})", "line 1, column 20", "where a label name must stand"},
      {"a * on({{label}}) b", "line 1, column 8", "where a label name must stand"},
      {"a * on(b) group_left({{label}}) b", "line 1, column 22", "where a label name must stand"},
      {"sum by (\"{{label}}\") (x)", "line 1, column 10", "where a label name must stand"},
      {"{\"{{metric}}\"}", "line 1, column 3", "not the whole value of a matcher"},
      {"{a=~\"x\" + \"{{b}}\"}", "line 1, column 12", "not the whole value of a matcher"},
      {"{a=~\"{{b}}\" + \"x\"}", "line 1, column 6", "not the whole value of a matcher"},
      {"f(\"x\" + \"{{b}}\")", "line 1, column 10", "nor a whole function argument"},
      {"f(\"{{b}}\" + \"x\")", "line 1, column 4", "nor a whole function argument"},
      {"x \"{{b}}\"", "line 1, column 4", "nor a whole function argument"},
      {"{__graphite__=\"a.{{b}}\"}", "line 1, column 18", "Graphite pattern"},
      {"x # {{service}}", "line 1, column 5", "{{service}} stands in a comment"},
      {"x {{n}}", "line 1, column 3", "neither a string, a number nor a duration"},
      {"(x) {{n}}", "line 1, column 5", "neither a string, a number nor a duration"},
      {"x > {{n}} y", "line 1, column 5", "neither a string, a number nor a duration"},
      {"x > on(a) {{n}}", "line 1, column 11", "neither a string, a number nor a duration"},
      {"x{a=\"b\"", "line 1, column 2", "never closed"},
      {"x{a=\"{{ bad name }}\"}", "line 1, column 6", "must open a variable"},
      {"x{a=~\"[{{v}}]\"}", "line 1, column 8", "inside a character class"},
      {"x{a=~\"[^]a{{v}}]\"}", "line 1, column 11", "inside a character class"},
      {"x{a=~\"[[:alpha:]{{v}}]\"}", "line 1, column 17", "inside a character class"},
      {"x{a=~\"\\\\{{v}}\"}", "line 1, column 9", "behind a backslash"},
      {"x{a=~`\\{{v}}`}", "line 1, column 8", "behind a backslash"},
      {"x{a=~`\\x4{{v}}`}", "line 1, column 10", "behind a backslash"},
      {"x{a=~`\\x{4{{v}}}`}", "line 1, column 11", "behind a backslash"},
      {"x{a=~`\\p{{v}}`}", "line 1, column 9", "behind a backslash"},
      {"x{a=~`\\10{{v}}`}", "line 1, column 10", "behind a backslash"},
      {"x{a=~`\\Qa{{v}}\\E`}", "line 1, column 10", "leave out \\Q and \\E"},
      {"x{a=~\"(?{{v}})\"}", "line 1, column 9", "head of a regular expression's group"},
      {"x{a=~\"(?P<{{v}}>a)\"}", "line 1, column 11", "head of a regular expression's group"},
      {"x{a=~\"a{2,{{v}}}\"}", "line 1, column 11", "{ } of a repetition"},
      {"x{a=~\"{{v}}?\"}", "line 1, column 7", "followed by a repetition"},
      {"x{a=~\"{{v}}{2}\"}", "line 1, column 7", "followed by a repetition"},
      {"x{a=~\"{{u}}[{{v}}]\"}", "line 1, column 13", "inside a character class"},
      {"label_replace(x,\"d\",\"$1\",\"s\",\"[{{v}}]\")", "line 1, column 32", "character class"},
      {"label_replace(x,\"d\",\"${{v}}\",\"s\",\"\")", "line 1, column 23", "write ${1} instead"},
      {"label_replace(x,\"d\",\"$1{{v}}\",\"s\",\"\")", "line 1, column 24", "write ${1} instead"},
      {"label_replace(x,\"d\",\"${a{{v}}}\",\"s\",\"\")", "line 1, column 25",
       "write ${1} instead"},
  };
  for (const Row& row : rows) {
    const std::string error = shown(parse_query_template(row.query));
    EXPECT_THAT(error, ::testing::StartsWith(std::string(row.position) + ": ")) << row.query;
    EXPECT_THAT(error, HasSubstr(row.part)) << row.query;
  }
}

TEST(QueryTemplate, RegexPlacesThatAreFine) {
  for (const char* before :
       {"",        "a",     "a|",    "(",       "(?:",         "(?i)",       "(?P<n>",
        "^",       "[a-z]", "[]]",   "[^]]",    "[[:alpha:]]", "[[]",        "\\\\",
        "\\.",     "\\d",   "\\x41", "\\x{41}", "\\pL",        "\\p{Greek}", "\\101",
        "\\Qa\\E", "a{2}",  "a{b",   "a{2,3}",  "[\\]]",       ".*",         "a+"}) {
    EXPECT_EQ(why_not_in_regex(before, ""), "") << before;
    EXPECT_EQ(why_not_in_regex(before, ".*"), "") << before;
    EXPECT_EQ(why_not_in_regex(before, ")?"), "") << before;
  }
  for (const char* before : {"", "a", "$$", "${1}", "$1-", "$$$$", "1"}) {
    EXPECT_EQ(why_not_in_replacement(before), "") << before;
  }
}

TEST(QueryTemplate, Renders) {
  const auto values = lookup_in({{"service", "pay\"ments"},
                                 {"candidate", "v1.2+b"},
                                 {"window", "1h30m"},
                                 {"args.limit", "-0.5"},
                                 {"args.n", "5"},
                                 {"money", "$1"},
                                 {"tick", "a`b"},
                                 {"empty", ""},
                                 {"words", "five"},
                                 {"broken", "a\xFF"},
                                 {"nested", "{{service}}"}});
  struct Row {
    const char* query;
    const char* result;
  };
  const std::vector<Row> rows = {
      {"up", "up"},
      {"up{a=\"{{service}}\",v=~\"{{candidate}}\"}[{{window}}]",
       R"(up{a="pay\"ments",v=~"v1\\.2\\+b"}[1h30m])"},
      {"up{a='{{service}}',v=~`{{candidate}}.*`}", R"(up{a='pay"ments',v=~`v1\.2\+b.*`})"},
      {"{{args.n}} ^ 2 > {{args.limit}}", "5 ^ 2 > (-0.5)"},
      {"{{args.limit}} ^ 2", "(-0.5) ^ 2"},
      {"x @ {{args.limit}}", "x @ -0.5"},
      {"label_replace(x,\"d\",\"${1}{{money}}\",\"s\",\"{{money}}\")",
       R"(label_replace(x,"d","${1}$$1","s","\\$1"))"},
      {"x{a=\"{{nested}}\"}", "x{a=\"{{service}}\"}"},
      {"{{ args.n }}+{{args.n}}", "5+5"},
      {"x{a=\"{{unknown}}\"}", "! {{unknown}} is not known here"},
      {"x{a=\"{{empty}}\"}", "! {{empty}} is empty; give it a value or leave it out of the text"},
      {"x{a=\"{{broken}}\"}", "! {{broken}} has a value that is not valid UTF-8"},
      {"x > {{words}}",
       "! {{words}} stands where a number is needed, such as 5 or 0.25 (it is \"five\")"},
      {"x[{{words}}]",
       "! {{words}} stands where a duration is needed, such as 30s, 5m or 1h30m (it is \"five\")"},
      {"x[{{args.n}}]",
       "! {{args.n}} stands where a duration is needed, such as 30s, 5m or 1h30m (it is \"5\")"},
      {"x{a=`{{tick}}`}",
       "! {{tick}} has a value that a `raw string` cannot hold (a backtick, a carriage return, "
       "U+FFFD, "
       "or a backslash at its end); write that string of the query with \"double quotes\""},
  };
  for (const Row& row : rows) EXPECT_EQ(rendered(row.query, values), row.result) << row.query;
}

TEST(QueryTemplate, ErrorsNameTheVariableAndShowNoUnreadableValue) {
  const auto query = parse_query_template("x > {{args.limit}}");
  ASSERT_TRUE(query.has_value());
  for (const std::string& value : {std::string("5\n or x"), std::string(100, 'x')}) {
    const auto result = render(*query, always(value));
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().variable, "args.limit");
    EXPECT_EQ(result.error().message,
              "{{args.limit}} stands where a number is needed, such as 5 or 0.25");
  }
}

TEST(QueryTemplate, OnlyNumbersAndDurationsOutsideOfStrings) {
  for (const char* bad : {"1 or vector(1)", "1) or (1", "1#", "1\n", " 1", "0x1F", "010", "1e",
                          "Inf", "NaN", "+1", "--1", "1m", "(1)", "{{n}}", "1;2", "1e999", "५"}) {
    EXPECT_THAT(rendered("x > {{n}}", always(bad)), HasSubstr("where a number is needed")) << bad;
    EXPECT_THAT(rendered("x @ {{n}}", always(bad)), HasSubstr("where a number is needed")) << bad;
  }
  for (const char* bad : {"5m]) or vector(1) #", "5m:1s", "5", "-5m", "0s", "5m 1s", "1m1h", "5m\n",
                          "]", "1.5h", "400y", "{{w}}"}) {
    EXPECT_THAT(rendered("x[{{w}}]", always(bad)), HasSubstr("where a duration is needed")) << bad;
    EXPECT_THAT(rendered("x offset {{w}}", always(bad)), HasSubstr("a duration is needed")) << bad;
  }
}

TEST(QueryTemplate, TextSegmentsAndUses) {
  const auto query = parse_query_template("a{b=\"{{x}}\"}[{{ w }}]");
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->text(), "a{b=\"{{x}}\"}[{{ w }}]");
  ASSERT_EQ(query->segments().size(), 5U);
  EXPECT_EQ(std::get<std::string>(query->segments()[0]), "a{b=\"");
  EXPECT_EQ(std::get<Variable>(query->segments()[3]),
            (Variable{"w", VariableContext::kDuration, QuoteKind::kNone, 1, 14}));
  EXPECT_TRUE(query->uses("x"));
  EXPECT_TRUE(query->uses("w"));
  EXPECT_FALSE(query->uses("b"));
  EXPECT_TRUE(*query == *parse_query_template(query->text()));
  EXPECT_FALSE(*query == *parse_query_template("a"));
}

TEST(TextTemplate, PutsValuesInAsTheyAre) {
  const auto values =
      lookup_in({{"service", "a\"b\\c\n`{{x}}"}, {"empty", ""}, {"broken", "\xFF"}});
  struct Row {
    const char* text;
    const char* result;
  };
  for (const Row& row : std::vector<Row>{
           {"", ""},
           {"plain } { \"text", "plain } { \"text"},
           {"é{{service}}-{{ service }}", "éa\"b\\c\n`{{x}}-a\"b\\c\n`{{x}}"},
           {"{{unknown}}", "! {{unknown}} is not known here"},
           {"{{empty}}", "! {{empty}} is empty; give it a value or leave it out of the text"},
           {"{{broken}}", "! {{broken}} has a value that is not valid UTF-8"}}) {
    const auto text = parse_text_template(row.text);
    ASSERT_TRUE(text.has_value()) << row.text;
    const auto result = render(*text, values);
    EXPECT_EQ(result ? *result : "! " + result.error().message, row.result) << row.text;
  }
}

TEST(TextTemplate, RefusesWithPosition) {
  struct Row {
    const char* text;
    const char* error;
  };
  for (const Row& row :
       std::vector<Row>{{"a\né {{", "line 2, column 4: '{{' must open a variable"},
                        {"{{a-b}}", "line 1, column 1: '{{' must open a variable"},
                        {"{{a}}{{}}", "line 1, column 6: '{{' must open a variable"},
                        {"ab\xFF", "line 1, column 3: not valid UTF-8"}}) {
    const auto text = parse_text_template(row.text);
    ASSERT_FALSE(text.has_value()) << row.text;
    EXPECT_THAT(to_string(text.error()), ::testing::StartsWith(row.error));
  }
}

}  // namespace
}  // namespace rollwatch::promql
