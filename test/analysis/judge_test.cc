#include "analysis/judge.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Series a, b, c, … with these values.
Answer series(std::initializer_list<double> values) {
  Vector vector;
  char name = 'a';
  for (const double value : values)
    vector.series.push_back({{{"pod", std::string(1, name++)}}, value});
  return Answer{vector, {}, false, nullptr, {}};
}

Answer one(double value) { return Answer{Vector{{Series{{}, value}}}, {}, false, nullptr, {}}; }
Answer scalar(double value) { return Answer{Scalar{value}, {}, false, nullptr, {}}; }
Answer unusable(const char* kind) { return Answer{Unusable{kind}, {}, false, nullptr, {}}; }
Answer failure(FailureKind kind, const char* message = "it broke") {
  return Answer{QueryFailure{kind, message, 0}, {}, false, nullptr, {}};
}
Answer partial(Answer answer, std::vector<std::string> warnings = {"a store was away"}) {
  answer.partial = true;
  answer.warnings = std::move(warnings);
  return answer;
}

// "fail beyond_limit 0.09 > 0.05 {pod="a"}": outcome, cause, value, rule, series, [evidence],
// (detail)
std::string show(const Judgement& j) {
  std::string text = std::string(name_of(j.outcome)) + " " + std::string(name_of(j.cause));
  if (j.value) text += " " + format_exact(*j.value);
  if (j.rule) text += " " + to_string(*j.rule);
  if (!j.series.empty()) text += " " + j.series;
  if (j.evidence)
    text += " [" + format_exact(*j.evidence) + " of " + format_exact(j.min_evidence) + "]";
  if (!j.detail.empty()) text += " (" + j.detail.text() + ")";
  return text;
}

struct JudgementRow {
  const char* name;
  std::function<void(ThresholdCondition&)> rule;  // what differs from fail_if > 0.05, each series
  Answer answer;
  const char* expected;
};

void expect_judgements(const std::vector<JudgementRow>& rows) {
  for (const JudgementRow& row : rows) {
    ConditionPlan plan = condition("c", "> 0.05");
    if (row.rule) row.rule(threshold(plan));
    EXPECT_EQ(show(judge(plan, row.answer, nullptr, {})), row.expected) << row.name;
  }
}

std::function<void(ThresholdCondition&)> reduce(Reduce how, const char* fail_if = "> 0.05") {
  return [=](ThresholdCondition& t) {
    t.reduce = how;
    t.rule.fail_if = comparison(fail_if);
  };
}

std::function<void(ThresholdCondition&)> rules(const char* fail_if, const char* pass_if) {
  return [=](ThresholdCondition& t) {
    t.rule.fail_if.reset();
    if (*fail_if != '\0') t.rule.fail_if = comparison(fail_if);
    t.rule.pass_if = comparison(pass_if);
  };
}

std::function<void(ThresholdCondition&)> presence(SeriesRule rule) {
  return [=](ThresholdCondition& t) { t.rule = {rule, std::nullopt, std::nullopt}; };
}

TEST(JudgeTest, OneNumberAgainstALimit) {
  expect_judgements({
      {"within", {}, one(0.01), "pass within_limit 0.01 > 0.05"},
      {"at the limit", {}, one(0.05), "pass within_limit 0.05 > 0.05"},
      {"beyond", {}, one(0.09), "fail beyond_limit 0.09 > 0.05"},
      {"zero", {}, one(0), "pass within_limit 0 > 0.05"},
      {"negative", {}, one(-1), "pass within_limit -1 > 0.05"},
      {"a scalar is a number", {}, scalar(0.09), "fail beyond_limit 0.09 > 0.05"},
      {"a scalar within", {}, scalar(0.01), "pass within_limit 0.01 > 0.05"},
      {"below is what fails", reduce(Reduce::kEach, "< 0.99"), one(0.9),
       "fail beyond_limit 0.9 < 0.99"},
      {"equal is what fails", reduce(Reduce::kEach, "== 0"), one(0), "fail beyond_limit 0 == 0"},
      {"unequal is what fails", reduce(Reduce::kEach, "!= 1"), one(1), "pass within_limit 1 != 1"},
  });
}

TEST(JudgeTest, PassIfLeavesAPlaceBetween) {
  expect_judgements({
      {"passes", rules("> 0.05", "< 0.02"), one(0.01), "pass within_limit 0.01 < 0.02"},
      {"between", rules("> 0.05", "< 0.02"), one(0.03), "inconclusive between_limits 0.03 < 0.02"},
      {"fails", rules("> 0.05", "< 0.02"), one(0.09), "fail beyond_limit 0.09 > 0.05"},
      {"both hold: failing wins", rules("> 0.05", "> 0.01"), one(0.09),
       "fail beyond_limit 0.09 > 0.05"},
      {"pass_if alone passes", rules("", "< 0.02"), one(0.01), "pass within_limit 0.01 < 0.02"},
      {"pass_if alone never fails", rules("", "< 0.02"), one(0.9),
       "inconclusive between_limits 0.9 < 0.02"},
  });
}

TEST(JudgeTest, NoEvidenceIsNoPass) {
  expect_judgements({
      {"an empty answer", {}, series({}), "no_data no_series"},
      {"NaN", {}, one(kNoNumber), "no_data not_a_number"},
      {"+Inf", {}, one(kInfinite), "no_data infinite"},
      {"-Inf", {}, one(-kInfinite), "no_data infinite"},
      {"-Inf where small is bad", reduce(Reduce::kEach, "< 1"), one(-kInfinite),
       "no_data infinite"},
      {"a scalar NaN", {}, scalar(kNoNumber), "no_data not_a_number"},
      {"a scalar Inf", {}, scalar(kInfinite), "no_data infinite"},
      {"partial, though within", {}, partial(one(0.01)), "no_data partial (a store was away)"},
      {"partial, though beyond", {}, partial(one(0.09)), "no_data partial (a store was away)"},
      {"partial and empty", {}, partial(series({})), "no_data partial (a store was away)"},
      {"partial without a word", {}, partial(one(0.01), {}), "no_data partial"},
      {"NaN under pass_if", rules("", "< 0.02"), one(kNoNumber), "no_data not_a_number"},
  });
}

TEST(JudgeTest, OfSeveralSeriesTheWorstDecidesAndIsNamed) {
  expect_judgements({
      {"all pass: the nearest to the limit",
       {},
       series({0.01, 0.04, 0.02}),
       "pass within_limit 0.04 > 0.05 {pod=\"b\"}"},
      {"one fails", {}, series({0.01, 0.09, 0.02}), "fail beyond_limit 0.09 > 0.05 {pod=\"b\"}"},
      {"two fail: the worse",
       {},
       series({0.06, 0.01, 0.09}),
       "fail beyond_limit 0.09 > 0.05 {pod=\"c\"}"},
      {"the worst where small is bad", reduce(Reduce::kEach, "<= 0.99"), series({0.9, 0.5, 1}),
       "fail beyond_limit 0.5 <= 0.99 {pod=\"b\"}"},
      {"nearest where small is bad", reduce(Reduce::kEach, "<= 0.99"), series({1.5, 1, 2}),
       "pass within_limit 1 <= 0.99 {pod=\"b\"}"},
      {"nearest to an equal", reduce(Reduce::kEach, "== 3"), series({1, 4, 9}),
       "pass within_limit 4 == 3 {pod=\"b\"}"},
      {"furthest from an unequal", reduce(Reduce::kEach, "!= 3"), series({4, 1, 3}),
       "fail beyond_limit 1 != 3 {pod=\"b\"}"},
      {"between goes before a pass", rules("> 0.05", "< 0.02"), series({0.01, 0.03, 0.04}),
       "inconclusive between_limits 0.04 < 0.02 {pod=\"c\"}"},
      {"pass_if alone: the furthest from passing", rules("", "< 0.02"), series({0.03, 0.9, 0.01}),
       "inconclusive between_limits 0.9 < 0.02 {pod=\"b\"}"},
      {"pass_if alone: the nearest to not passing", rules("", ">= 0.9"), series({1, 0.91, 0.95}),
       "pass within_limit 0.91 >= 0.9 {pod=\"b\"}"},
      {"failing goes before NaN",
       {},
       series({kNoNumber, 0.09}),
       "fail beyond_limit 0.09 > 0.05 {pod=\"b\"}"},
      {"and before Inf",
       {},
       series({0.09, kInfinite}),
       "fail beyond_limit 0.09 > 0.05 {pod=\"a\"}"},
      {"NaN goes before a pass", {}, series({0.01, kNoNumber}), "no_data not_a_number {pod=\"b\"}"},
      {"NaN goes before between", rules("> 0.05", "< 0.02"), series({0.03, kNoNumber}),
       "no_data not_a_number {pod=\"b\"}"},
      {"the first of several that are no number",
       {},
       series({0.01, kInfinite, kNoNumber}),
       "no_data infinite {pod=\"b\"}"},
  });
}

TEST(JudgeTest, Reductions) {
  expect_judgements({
      {"max", reduce(Reduce::kMax), series({0.01, 0.09, 0.06}),
       "fail beyond_limit 0.09 > 0.05 {pod=\"b\"}"},
      {"max within", reduce(Reduce::kMax), series({0.01, 0.03}),
       "pass within_limit 0.03 > 0.05 {pod=\"b\"}"},
      {"max where small is bad", reduce(Reduce::kMax, "< 1"), series({0.5, 2}),
       "pass within_limit 2 < 1 {pod=\"b\"}"},
      {"min", reduce(Reduce::kMin), series({0.01, 0.09}),
       "pass within_limit 0.01 > 0.05 {pod=\"a\"}"},
      {"min beyond", reduce(Reduce::kMin, "< 1"), series({2, 0.5}),
       "fail beyond_limit 0.5 < 1 {pod=\"b\"}"},
      {"sum", reduce(Reduce::kSum), series({0.03, 0.03}), "fail beyond_limit 0.06 > 0.05"},
      {"avg", reduce(Reduce::kAvg), series({0.02, 0.06}), "pass within_limit 0.04 > 0.05"},
      {"avg beyond", reduce(Reduce::kAvg), series({0.25, 0.75}), "fail beyond_limit 0.5 > 0.05"},
      {"one", reduce(Reduce::kOne), series({0.09}), "fail beyond_limit 0.09 > 0.05 {pod=\"a\"}"},
      {"one of a scalar", reduce(Reduce::kOne), scalar(0.01), "pass within_limit 0.01 > 0.05"},
      {"one, but two came", reduce(Reduce::kOne), series({0.01, 0.09}),
       "error many_series (2 series, such as {pod=\"a\"})"},
      {"one, but none came", reduce(Reduce::kOne), series({}), "no_data no_series"},
      {"one NaN", reduce(Reduce::kOne), one(kNoNumber), "no_data not_a_number"},
      {"max of none", reduce(Reduce::kMax), series({}), "no_data no_series"},
      {"sum of none is not zero", reduce(Reduce::kSum, "< 1"), series({}), "no_data no_series"},
      {"avg of none", reduce(Reduce::kAvg), series({}), "no_data no_series"},
      {"sum with a NaN", reduce(Reduce::kSum), series({0.9, kNoNumber}),
       "no_data not_a_number {pod=\"b\"}"},
      {"avg with an Inf", reduce(Reduce::kAvg), series({0.9, kInfinite}),
       "no_data infinite {pod=\"b\"}"},
      {"a sum beyond what a number holds", reduce(Reduce::kSum), series({1e308, 1e308}),
       "no_data infinite"},
      {"max with a NaN, within", reduce(Reduce::kMax), series({0.01, kNoNumber}),
       "no_data not_a_number {pod=\"b\"}"},
      {"max with a NaN: the failing one decides", reduce(Reduce::kMax),
       series({kNoNumber, 0.06, 0.09}), "fail beyond_limit 0.09 > 0.05 {pod=\"c\"}"},
      {"min with a NaN: the failing one decides", reduce(Reduce::kMin, "<= 1"),
       series({2, kInfinite, 0.5}), "fail beyond_limit 0.5 <= 1 {pod=\"c\"}"},
      {"max with a NaN that could be the larger", reduce(Reduce::kMax, "< 1"),
       series({0.5, kNoNumber}), "no_data not_a_number {pod=\"b\"}"},
      {"min with a NaN that could be the smaller", reduce(Reduce::kMin), series({0.9, kNoNumber}),
       "no_data not_a_number {pod=\"b\"}"},
      {"max of NaN alone", reduce(Reduce::kMax), series({kNoNumber, kNoNumber}),
       "no_data not_a_number {pod=\"a\"}"},
  });
}

TEST(JudgeTest, PresenceOfSeries) {
  const auto any = presence(SeriesRule::kAnySeriesFails);
  const auto none = presence(SeriesRule::kNoSeriesFails);
  expect_judgements({
      {"any: one came", any, series({3}), "fail series_came_back 3 {pod=\"a\"}"},
      {"any: a NaN is a series, too", any, series({kNoNumber}),
       "fail series_came_back {pod=\"a\"}"},
      {"any: none came", any, series({}), "pass no_series_came_back"},
      {"any: partial", any, partial(series({})), "no_data partial (a store was away)"},
      {"any: an error", any, failure(FailureKind::kTimeout), "error timeout (it broke)"},
      {"none: none came", none, series({}), "fail no_series_came_back"},
      {"none: one came", none, series({3, 4}), "pass series_came_back 3 {pod=\"a\"}"},
      {"none: partial", none, partial(series({})), "no_data partial (a store was away)"},
      {"none: an error", none, failure(FailureKind::kUnreachable), "error unreachable (it broke)"},
  });
}

TEST(JudgeTest, WhatIsNoAnswerIsAnErrorWithAName) {
  expect_judgements({
      {"unreachable", {}, failure(FailureKind::kUnreachable), "error unreachable (it broke)"},
      {"timeout", {}, failure(FailureKind::kTimeout), "error timeout (it broke)"},
      {"bad query", {}, failure(FailureKind::kBadQuery), "error bad_query (it broke)"},
      {"http status", {}, failure(FailureKind::kHttpStatus), "error http_status (it broke)"},
      {"malformed", {}, failure(FailureKind::kMalformed), "error malformed (it broke)"},
      {"too large", {}, failure(FailureKind::kTooLarge), "error too_large (it broke)"},
      {"not asked", {}, failure(FailureKind::kNotAsked), "error not_asked (it broke)"},
      {"overload", {}, failure(FailureKind::kOverload), "missed overload (it broke)"},
      {"a string", {}, unusable("string"), "error unusable_kind (string)"},
      {"a matrix", {}, unusable("matrix"), "error unusable_kind (matrix)"},
      {"a native histogram",
       {},
       unusable("native histogram"),
       "error unusable_kind (native histogram)"},
      {"a partial error is an error",
       {},
       partial(failure(FailureKind::kTimeout)),
       "error timeout (it broke)"},
      {"one line",
       {},
       failure(FailureKind::kMalformed, "two\nlines"),
       "error malformed (two lines)"},
  });
  const std::string long_message(1000, 'x');
  const Judgement j = judge(condition("c", "> 1"),
                            failure(FailureKind::kMalformed, long_message.c_str()), nullptr, {});
  EXPECT_LE(j.detail.text().size(), 300U);
}

TEST(JudgeTest, EvidenceSaysWhetherThereWasAnythingToJudge) {
  struct EvidenceRow {
    const char* name;
    Answer value;
    Answer evidence;
    const char* expected;
  };
  const EvidenceRow rows[] = {
      {"enough", one(0.01), one(500), "pass within_limit 0.01 > 0.05 [500 of 100]"},
      {"just enough", one(0.01), one(100), "pass within_limit 0.01 > 0.05 [100 of 100]"},
      {"a scalar counts", one(0.01), scalar(100), "pass within_limit 0.01 > 0.05 [100 of 100]"},
      {"all series count together", one(0.01), series({60, 60}),
       "pass within_limit 0.01 > 0.05 [120 of 100]"},
      {"few", one(0.01), one(12), "inconclusive few_events 0.01 > 0.05 [12 of 100]"},
      {"few, but beyond", one(0.09), one(12), "fail beyond_limit 0.09 > 0.05 [12 of 100]"},
      {"none", one(0.01), one(0), "no_data no_events [0 of 100]"},
      {"none, though beyond", one(0.09), one(0), "no_data no_events [0 of 100]"},
      {"no series", one(0.01), series({}), "no_data no_events [0 of 100]"},
      {"NaN", one(0.01), one(kNoNumber), "no_data no_events [0 of 100]"},
      {"Inf", one(0.01), one(kInfinite), "no_data no_events [0 of 100]"},
      {"negative", one(0.01), one(-5), "no_data no_events [0 of 100]"},
      {"partial", one(0.01), partial(one(500)), "no_data partial (evidence: a store was away)"},
      {"partial without a word", one(0.01), partial(one(500), {}), "no_data partial (evidence)"},
      {"partial, though beyond", one(0.09), partial(one(500)),
       "no_data partial (evidence: a store was away)"},
      {"an error", one(0.09), failure(FailureKind::kTimeout), "error timeout (evidence: it broke)"},
      {"a matrix", one(0.01), unusable("matrix"), "error unusable_kind (evidence: matrix)"},
      {"the value's error goes first", failure(FailureKind::kTimeout), one(0),
       "error timeout (it broke)"},
      {"events, but no value", series({}), one(500), "no_data no_series [500 of 100]"},
      {"few events and no value", series({}), one(12), "no_data no_series [12 of 100]"},
      {"few events and NaN", one(kNoNumber), one(12), "no_data not_a_number [12 of 100]"},
  };
  ConditionPlan plan = condition("c", "> 0.05");
  counting_events(plan);
  for (const EvidenceRow& row : rows)
    EXPECT_EQ(show(judge(plan, row.value, &row.evidence, {})), row.expected) << row.name;

  threshold(plan).rule = {SeriesRule::kAnySeriesFails, std::nullopt, std::nullopt};
  const Answer few = one(12);
  const Answer enough = one(500);
  EXPECT_EQ(show(judge(plan, series({}), &few, {})), "inconclusive few_events [12 of 100]");
  EXPECT_EQ(show(judge(plan, series({}), &enough, {})), "pass no_series_came_back [500 of 100]");
  EXPECT_EQ(show(judge(plan, series({1}), &few, {})),
            "fail series_came_back 1 {pod=\"a\"} [12 of 100]");
}

TEST(JudgeTest, AWindowThatReachesBackBeforeTheStepCanFailButNotPass) {
  struct ReachRow {
    const char* name;
    const char* window;  // "": the query looks at one moment
    int after_s;         // evaluated for this long after the step began
    Answer answer;
    const char* expected;
  };
  const ReachRow rows[] = {
      {"whole", "1m", 60, one(0.01), "pass within_limit 0.01 > 0.05"},
      {"a second short", "1m", 59, one(0.01), "inconclusive reaches_back 0.01 > 0.05"},
      {"evaluated for before the step", "1m", -5, one(0.01),
       "inconclusive reaches_back 0.01 > 0.05"},
      {"fails all the same", "1m", 10, one(0.09), "fail beyond_limit 0.09 > 0.05"},
      {"no data stays no data", "1m", 10, series({}), "no_data no_series"},
      {"an error stays an error", "1m", 10, failure(FailureKind::kTimeout),
       "error timeout (it broke)"},
      {"no window: at the step's beginning", "", 0, one(0.01), "pass within_limit 0.01 > 0.05"},
      {"no window: before it", "", -1, one(0.01), "inconclusive reaches_back 0.01 > 0.05"},
  };
  const SysTime began(Millis(1'000'000));
  for (const ReachRow& row : rows) {
    ConditionPlan plan = condition("c", "> 0.05");
    if (*row.window != '\0') windowed(plan, row.window);
    const JudgeContext context{began + Millis(row.after_s * 1000), began};
    EXPECT_EQ(show(judge(plan, row.answer, nullptr, context)), row.expected) << row.name;
  }
  ConditionPlan plan = condition("c", "> 0.05");
  threshold(plan).evidence = query("increase(requests[{{window}}])");
  const Answer enough = one(500);
  EXPECT_EQ(show(judge(plan, one(0.01), &enough, {began + Millis(59'999), began})),
            "inconclusive reaches_back 0.01 > 0.05 [500 of 100]")
      << "the evidence's window counts, too";
}

TEST(JudgeTest, SelectPicksTheSeriesOfThisRollout) {
  const auto of = [](const char* app, const char* version, double value) {
    return Series{{{"app", app}, {"version", version}}, value};
  };
  const Answer shared{Vector{{of("shop", "1.2", 0.01), of("shop", "1.1", 0.5),
                              of("till", "1.2", 0.6), Series{{{"app", "shop"}}, 0.7}}},
                      {},
                      false,
                      nullptr,
                      {}};
  const Answer events{
      Vector{{of("shop", "1.2", 12), of("shop", "1.1", 900)}}, {}, false, nullptr, {}};
  struct SelectRow {
    const char* name;
    std::vector<Label> select;
    const char* expected;
  };
  const SelectRow rows[] = {
      {"all labels must fit",
       {{"app", "shop"}, {"version", "1.2"}},
       "pass within_limit 0.01 > 0.05 {app=\"shop\",version=\"1.2\"}"},
      {"one label picks several", {{"app", "shop"}}, "fail beyond_limit 0.7 > 0.05 {app=\"shop\"}"},
      {"none fits: no data, not a pass",
       {{"app", "shop"}, {"version", "1.3"}},
       "no_data no_series"},
      {"a value is not a pattern", {{"app", "sho."}}, "no_data no_series"},
      {"a label that is not there is empty",
       {{"app", "shop"}, {"version", ""}},
       "fail beyond_limit 0.7 > 0.05 {app=\"shop\"}"},
  };
  const ConditionPlan plan = condition("c", "> 0.05");
  for (const SelectRow& row : rows)
    EXPECT_EQ(show(judge(plan, shared, nullptr, {{}, {}, row.select})), row.expected) << row.name;

  ConditionPlan counted = condition("c", "> 0.05");
  counting_events(counted);
  const std::vector<Label> select = {{"app", "shop"}, {"version", "1.2"}};
  EXPECT_EQ(show(judge(counted, shared, &events, {{}, {}, select})),
            "inconclusive few_events 0.01 > 0.05 {app=\"shop\",version=\"1.2\"} [12 of 100]")
      << "the evidence is shared as well";
  const Answer scalar{Scalar{0.5}, {}, false, nullptr, {}};
  EXPECT_EQ(show(judge(plan, scalar, nullptr, {{}, {}, select})), "no_data no_series")
      << "a scalar is nobody's";
}

TEST(SeriesNameTest, IsWrittenAsPrometheusDoes) {
  struct NameRow {
    const char* name;
    std::vector<Label> labels;
    const char* expected;
  };
  const NameRow rows[] = {
      {"no labels", {}, ""},
      {"labels", {{"job", "x"}, {"instance", "a:1"}}, "{job=\"x\",instance=\"a:1\"}"},
      {"a name", {{"__name__", "up"}, {"job", "x"}}, "up{job=\"x\"}"},
      {"a name alone", {{"__name__", "up"}}, "up"},
      {"quotes", {{"path", "say \"hi\""}}, "{path=\"say \\\"hi\\\"\"}"},
      {"backslashes", {{"path", "C:\\x"}}, "{path=\"C:\\\\x\"}"},
      {"line breaks", {{"path", "a\nb"}}, "{path=\"a\\nb\"}"},
      {"braces stay in their quotes", {{"path", "\"} or {\""}}, "{path=\"\\\"} or {\\\"\"}"},
  };
  for (const NameRow& row : rows)
    EXPECT_EQ(series_name(Series{row.labels, 0}), row.expected) << row.name;
}

}  // namespace
}  // namespace rollwatch
