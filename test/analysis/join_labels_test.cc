#include "analysis/promql/join_labels.h"

#include <gtest/gtest.h>

#include <string>

namespace rollwatch::promql {
namespace {

QueryTemplate query_of(const std::string& text) {
  auto query = parse_query_template(text);
  if (!query) throw std::runtime_error(text + ": " + to_string(query.error()));
  return *std::move(query);
}

std::string picks_of(const JoinedQuery& joined) {
  std::string text;
  for (const auto& pick : joined.picks)
    text += (text.empty() ? "" : " ") + pick.label + "=" + pick.variable;
  return text;
}

std::string words(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += (text.empty() ? "" : " ") + one;
  return text;
}

TEST(JoinLabelsTest, WhatCanBeAskedTogether) {
  struct Row {
    const char* name;
    const char* query;
    const char* joined;
    const char* picks;
    const char* added;
  };
  const Row rows[] = {
      {"an aggregation", R"(sum(up{app="{{service}}"}))", "sum by (app) (up)", "app=service",
       "app"},
      {"matchers stay that have no variable",
       R"(sum(rate(x_total{app="{{service}}",version="{{candidate}}",code=~"5..",m!="GET"}[2m])))",
       R"(sum by (app, version) (rate(x_total{code=~"5..",m!="GET"}[2m])))",
       "app=service version=candidate", "app version"},
      {"the window stays a variable", R"(count(increase(x{v="{{candidate}}"}[{{window}}])))",
       "count by (v) (increase(x[{{window}}]))", "v=candidate", "v"},
      {"an own by, in front", R"(max by (pod) (x{v="{{candidate}}"}))", "max by (pod, v) (x)",
       "v=candidate", "v"},
      {"an own by, behind", R"(max(x{v="{{candidate}}"}) by (pod,))", "max by (pod, v) (x)",
       "v=candidate", "v"},
      {"an own by that has the label already is kept in the answer",
       R"(avg by (v, pod) (x{v="{{candidate}}",s="{{service}}"}))", "avg by (pod, s, v) (x)",
       "s=service v=candidate", "s"},
      {"an empty by", R"(sum by () (x{v="{{candidate}}"}))", "sum by (v) (x)", "v=candidate", "v"},
      {"a label's other matcher stays", R"(sum(x{v="{{candidate}}",v!~"0.*"}))",
       R"(sum by (v) (x{v!~"0.*"}))", "v=candidate", "v"},
      {"every quote", "min(x{a='{{service}}',b=`{{candidate}}`,c=\"{{ labels.tier }}\"})",
       "min by (a, b, c) (x)", "a=service b=candidate c=labels.tier", "a b c"},
      {"whatever case an aggregation's name is written in", R"(SUM BY (a) (x{v="{{id}}"}))",
       "sum by (a, v) (x)", "v=id", "v"},
      {"comments and line breaks",
       "sum( # all of {them}\n  x{\n    v=\"{{args.v}}\", # his\n    a=\"b\",\n  }\n)",
       "sum by (v) (x{a=\"b\"})", "v=args.v", "v"},
      {"parentheses", R"(((sum(x{v="{{candidate}}"}))))", "sum by (v) (x)", "v=candidate", "v"},
      {"a ratio",
       R"(sum(rate(bad{v="{{candidate}}",c="5"}[1m])) / sum(rate(all{v="{{candidate}}"}[1m])))",
       R"(sum by (v) (rate(bad{c="5"}[1m])) / on (v) sum by (v) (rate(all[1m])))", "v=candidate",
       "v"},
      {"a ratio in parentheses", R"(((sum(a{v="{{candidate}}"})) / (count(b{v="{{candidate}}"}))))",
       "sum by (v) (a) / on (v) count by (v) (b)", "v=candidate", "v"},
      {"a ratio by its own label and another",
       R"(sum by (p, v) (a{v="{{target}}",s="{{id}}"}) / sum(b{s="{{id}}",v="{{target}}"}) by (v, p))",
       "sum by (p, s, v) (a) / on (p, s, v) sum by (p, s, v) (b)", "s=id v=target", "s"},
      {"a ratio that is 0 without a numerator",
       R"((sum(rate(x{v="{{candidate}}",c="5"}[1m])) or vector(0)) / avg(rate(x{v="{{candidate}}"}[1m])))",
       "(sum by (v) (rate(x{c=\"5\"}[1m])) or 0 * count by (v) (rate(x[1m]))) / "
       "on (v) avg by (v) (rate(x[1m]))",
       "v=candidate", "v"},
      {"a metric named like an aggregation", R"(sum(count{v="{{candidate}}"}))",
       "sum by (v) (count)", "v=candidate", "v"},
      {"a metric named like a function", R"(sum(rate{v="{{candidate}}"}))", "sum by (v) (rate)",
       "v=candidate", "v"},
      {"a recorded series", R"(sum(job:x:rate5m{v="{{candidate}}"}))", "sum by (v) (job:x:rate5m)",
       "v=candidate", "v"},
  };
  for (const Row& row : rows) {
    const auto joined = join_labels(query_of(row.query));
    if (!joined) {
      ADD_FAILURE() << row.name << ": left alone";
      continue;
    }
    EXPECT_EQ(joined->query.text(), row.joined) << row.name;
    EXPECT_EQ(picks_of(*joined), row.picks) << row.name;
    EXPECT_EQ(words(joined->added), row.added) << row.name;
    for (const Variable& variable : joined->query.variables())
      EXPECT_EQ(variable.name, "window") << row.name;
  }
}

TEST(JoinLabelsTest, WhatIsLeftAlone) {
  struct Row {
    const char* name;
    const char* query;
  };
  const Row rows[] = {
      {"no variable", "sum(x)"},
      {"only the window", "sum(rate(x[{{window}}]))"},
      {"no aggregation", R"(x{v="{{candidate}}"})"},
      {"a function alone", R"(rate(x{v="{{candidate}}"}[1m]))"},
      {"a regular expression", R"(sum(x{v=~"{{candidate}}"}))"},
      {"not this one", R"(sum(x{v!="{{candidate}}"}))"},
      {"a part of the value", R"(sum(x{v="v{{candidate}}"}))"},
      {"two in one value", R"(sum(x{v="{{service}}{{candidate}}"}))"},
      {"another variable in another matcher", R"(sum(x{v="{{candidate}}",s=~"{{service}}-.*"}))"},
      {"the same label twice", R"(sum(x{v="{{candidate}}",v="{{stable}}"}))"},
      {"the same label and variable twice", R"(sum(x{v="{{candidate}}",v="{{candidate}}"}))"},
      {"what changes on the way", R"(sum(x{v="{{candidate}}",s="{{step}}"}))"},
      {"the weight", R"(sum(x{w="{{weight}}"}))"},
      {"the window in a matcher", R"(sum(x{v="{{candidate}}",w="{{window}}"}))"},
      {"another variable in the range", R"(sum(rate(x{v="{{candidate}}"}[{{args.range}}])))"},
      {"the metric's name", R"(sum({__name__="{{args.metric}}",v="{{candidate}}"}))"},
      {"the metric's name beside one", R"(sum(x{__name__="{{args.metric}}"}))"},
      {"no name of a metric", R"(sum(rate({v="{{candidate}}"}[1m])))"},
      {"a name that is an expression", R"(sum({__name__=~"x.*",v="{{candidate}}"}))"},
      {"without", R"(sum without (pod) (x{v="{{candidate}}"}))"},
      {"without, behind", R"(sum(x{v="{{candidate}}"}) without (pod))"},
      {"topk", R"(topk(3, x{v="{{candidate}}"}))"},
      {"bottomk", R"(bottomk by (v) (3, x{v="{{candidate}}"}))"},
      {"quantile", R"(quantile(0.9, x{v="{{candidate}}"}))"},
      {"count_values", R"(count_values("n", x{v="{{candidate}}"}))"},
      {"histogram_quantile",
       R"(histogram_quantile(0.9, sum by (le) (rate(x{v="{{candidate}}"}[1m]))))"},
      {"absent", R"(absent(x{v="{{candidate}}"}))"},
      {"absent_over_time", R"(sum(absent_over_time(x{v="{{candidate}}"}[1m])))"},
      {"a function of instants", R"(sum(abs(x{v="{{candidate}}"})))"},
      {"a function with a parameter", R"(sum(quantile_over_time(0.9, x{v="{{candidate}}"}[1m])))"},
      {"predict_linear", R"(sum(predict_linear(x{v="{{candidate}}"}[1m], 60)))"},
      {"timestamp", R"(max(timestamp(x{v="{{candidate}}"})))"},
      {"an offset", R"(sum(x{v="{{candidate}}"} offset 5m))"},
      {"an offset in a range", R"(sum(rate(x{v="{{candidate}}"}[1m] offset 5m)))"},
      {"a moment", R"(sum(x{v="{{candidate}}"} @ 0))"},
      {"a subquery", R"(sum(max_over_time(x{v="{{candidate}}"}[5m:1m])))"},
      {"a comparison inside", R"(count(x{v="{{candidate}}"} > 1))"},
      {"a comparison outside", R"(sum(x{v="{{candidate}}"}) > 1)"},
      {"a factor", R"(100 * sum(x{v="{{candidate}}"}))"},
      {"a factor behind", R"(sum(a{v="{{candidate}}"}) / sum(b{v="{{candidate}}"}) * 100)"},
      {"a number below", R"(sum(x{v="{{candidate}}"}) / 100)"},
      {"a sign", R"(-sum(x{v="{{candidate}}"}))"},
      {"another operator", R"(sum(a{v="{{candidate}}"}) - sum(b{v="{{candidate}}"}))"},
      {"three of them", R"(sum(a{v="{{id}}"}) / sum(b{v="{{id}}"}) / sum(c{v="{{id}}"}))"},
      {"a default alone", R"(sum(x{v="{{candidate}}"}) or vector(0))"},
      {"a default alone, in parentheses", R"((sum(x{v="{{candidate}}"}) or vector(0)))"},
      {"another default",
       R"((sum(a{v="{{candidate}}"}) or vector(1)) / sum(b{v="{{candidate}}"}))"},
      {"another kind of default",
       R"((sum(a{v="{{candidate}}"}) or on() vector(0)) / sum(b{v="{{candidate}}"}))"},
      {"a default below",
       R"(sum(a{v="{{candidate}}"}) / (sum(b{v="{{candidate}}"}) or vector(0)))"},
      {"a default of a ratio",
       R"((sum(a{v="{{candidate}}"}) / sum(b{v="{{candidate}}"})) or vector(0))"},
      {"a default of groups",
       "(sum by (p) (a{v=\"{{candidate}}\"}) or vector(0)) / "
       "sum by (p) (b{v=\"{{candidate}}\"})"},
      {"a default without parentheses",
       R"(sum(a{v="{{candidate}}"}) or vector(0) / sum(b{v="{{candidate}}"}))"},
      {"other labels below", R"(sum(a{v="{{candidate}}"}) / sum(b{w="{{candidate}}"}))"},
      {"more labels above",
       R"(sum(a{v="{{candidate}}",s="{{service}}"}) / sum(b{v="{{candidate}}"}))"},
      {"more labels below",
       R"(sum(a{v="{{candidate}}"}) / sum(b{v="{{candidate}}",s="{{service}}"}))"},
      {"another value below", R"(sum(a{v="{{candidate}}"}) / sum(b{v="{{stable}}"}))"},
      {"nothing to join below", R"(sum(a{v="{{candidate}}"}) / sum(b))"},
      {"other groups below", R"(sum by (p) (a{v="{{candidate}}"}) / sum(b{v="{{candidate}}"}))"},
      {"groups of labels that series may lack",
       R"(sum by (p) (a{v="{{candidate}}"}) / sum by (p) (b{v="{{candidate}}"}))"},
      {"a default of groups by its own label",
       R"((sum by (v) (a{v="{{id}}"}) or vector(0)) / sum by (v) (b{v="{{id}}"}))"},
      {"matching words", R"(sum(a{v="{{candidate}}"}) / on() sum(b{v="{{candidate}}"}))"},
      {"ignoring", R"(sum by (p) (a{v="{{candidate}}"}) / ignoring(p) sum(b{v="{{candidate}}"}))"},
      {"group_left", R"(sum by (p) (a{v="{{id}}"}) / on() group_left sum(b{v="{{id}}"}))"},
      {"an aggregation of an aggregation", R"(max(sum by (pod) (x{v="{{candidate}}"})))"},
      {"MetricsQL's alternatives", R"(sum(x{v="{{candidate}}" or v="b"}))"},
      {"MetricsQL's limit", R"(sum(x{v="{{candidate}}"}) limit 3)"},
      {"MetricsQL's default", R"(sum(a{v="{{candidate}}"}) default 0)"},
      {"MetricsQL's several arguments", R"(sum(a{v="{{candidate}}"}, b{v="{{candidate}}"}))"},
      {"a range without a window", R"(sum(rate(x{v="{{candidate}}"})))"},
      {"a label that is no name in by", R"(sum(x{nan="{{candidate}}"}))"},
      {"a label that is a word of the language", R"(sum(x{on="{{candidate}}"}))"},
      {"two queries' worth of brackets", R"((sum(a{v="{{id}}"})) / (sum(b{v="{{id}}"})) / (x))"},
  };
  for (const Row& row : rows) {
    const auto joined = join_labels(query_of(row.query));
    EXPECT_FALSE(joined) << row.name << ": " << joined->query.text();
  }
}

}  // namespace
}  // namespace rollwatch::promql
