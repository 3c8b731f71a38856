// What following a rollout leaves or draws: JUnit reports, trends, steps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/github.h"
#include "daemon/cli/junit.h"
#include "daemon/cli/render.h"
#include "daemon/cli/text.h"
#include "daemon/cli/trend.h"

namespace rollwatch {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json condition(const std::string& name, const std::string& verdict,
               const std::string& on_fail = "rollback") {
  return {{"name", name},
          {"verdict", verdict},
          {"on_fail", on_fail},
          {"value", 0.5},
          {"rule", "> 0.05"},
          {"last", {{"slot", "1"}, {"outcome", "fail"}, {"detail", "0.5 > \"0.05\" & <more>"}}},
          {"counts",
           {{"pass", 1},
            {"fail", 2},
            {"inconclusive", 0},
            {"no_data", 0},
            {"error", 0},
            {"missed", 0}}}};
}

json ended(const std::string& state, const std::vector<json>& conditions) {
  return {{"id", "ro_1"},
          {"namespace", "payments"},
          {"service", "checkout"},
          {"stable", "1"},
          {"candidate", "2"},
          {"state", state},
          {"reason", "it hurts"},
          {"conditions", conditions},
          {"created_at", "2026-01-02T03:00:00.000Z"},
          {"updated_at", "2026-01-02T03:01:00.000Z"},
          {"ended_at", "2026-01-02T03:01:30.500Z"}};
}

TEST(Junit, ConditionsAreTestCases) {
  const std::string report = junit_report(
      ended("rolled_back", {condition("errors", "failed"), condition("latency", "passing")}),
      ExitCode::kRolledBack);
  const std::string expected = R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="rollwatch" tests="3" failures="2" errors="0">
  <testsuite name="checkout 1 → 2 (payments)" tests="3" failures="2" errors="0" skipped="0" time="90.500" timestamp="2026-01-02T03:00:00.000Z">
    <testcase classname="rollwatch.payments.checkout" name="errors">
      <failure message="failed: 0.5 &gt; &quot;0.05&quot; &amp; &lt;more&gt;"/>
      <system-out>value 0.5, rule &gt; 0.05
pass 1, fail 2, inconclusive 0, no data 0, error 0, missed 0
</system-out>
    </testcase>
    <testcase classname="rollwatch.payments.checkout" name="latency">
      <system-out>value 0.5, rule &gt; 0.05
pass 1, fail 2, inconclusive 0, no data 0, error 0, missed 0
</system-out>
    </testcase>
    <testcase classname="rollwatch.payments.checkout" name="checkout 1 → 2 (payments)">
      <failure message="rolled_back: it hurts"/>
      <system-out>ro_1 rolled_back: checkout 1 → 2 (payments): it hurts
</system-out>
    </testcase>
  </testsuite>
</testsuites>
)xml";
  EXPECT_EQ(report, expected);
}

TEST(Junit, EachVerdictAndEndHasItsKind) {
  struct Row {
    const char* verdict;
    const char* on_fail;
    const char* counts;
  };
  const Row rows[] = {
      {"passed", "rollback", R"(failures="0" errors="0" skipped="0")"},
      {"failing", "rollback", R"(failures="1" errors="0" skipped="0")"},
      {"failed", "observe", R"(failures="0" errors="0" skipped="1")"},
      {"unknown", "rollback", R"(failures="0" errors="1" skipped="0")"},
      {"pending", "rollback", R"(failures="0" errors="0" skipped="1")"},
  };
  for (const Row& row : rows) {
    const std::string report = junit_report(
        ended("promoted", {condition("c", row.verdict, row.on_fail)}), ExitCode::kPromoted);
    EXPECT_THAT(report, HasSubstr(row.counts)) << row.verdict;
  }
  struct End {
    ExitCode end;
    const char* message;
  };
  const End ends[] = {
      {ExitCode::kRollbackFailed, "<failure message=\"paused: it hurts\"/>"},
      {ExitCode::kWaitsForPerson, "<error message=\"paused: it hurts\"/>"},
      {ExitCode::kCancelled, "<error message=\"paused: it hurts\"/>"},
      {ExitCode::kTimeout, "<error message=\"--timeout passed; the rollout goes on\"/>"},
      {ExitCode::kInterrupted, "<error message=\"interrupted; the rollout goes on\"/>"},
      {ExitCode::kFailed, "<error message=\"could not tell how it ends\"/>"},
  };
  for (const End& row : ends)
    EXPECT_THAT(junit_report(ended("paused", {}), row.end), HasSubstr(row.message));
  EXPECT_THAT(junit_report(nullptr, ExitCode::kFailed),
              HasSubstr("<testcase classname=\"rollwatch\" name=\"rollout\">\n      <error"));
}

TEST(Junit, HoldsOnlyWhatXmlCanHold) {
  const std::string replaced = "\xEF\xBF\xBD";
  EXPECT_EQ(xml_text("a\x1b[2J\x01\tb\n"), "a" + replaced + "[2J" + replaced + "\tb\n");
  EXPECT_EQ(xml_text("é→😀"), "é→😀");
  EXPECT_EQ(xml_text("\xEF\xBF\xBF"), replaced + replaced + replaced);  // U+FFFF
  EXPECT_EQ(xml_text("\xED\xA0\x80"), replaced + replaced + replaced);  // half of a pair
  EXPECT_EQ(xml_text("\xC0\xAF\xE2\x82"), replaced + replaced + replaced + replaced);
}

TEST(Github, OutputsSummaryAndAnnotation) {
  json rollout = ended("rolled_back", {condition("err|ors", "failed")});
  rollout["verdict"] = "failed";
  rollout["reason"] = "50 % fail: <b>\n::set-output name=x::y";
  EXPECT_EQ(github_output(rollout, ExitCode::kRolledBack),
            "id=ro_1\nstate=rolled_back\nverdict=failed\nexit_code=2\n")
      << "what others wrote begins no line of its own";
  EXPECT_EQ(github_annotation(rollout, ExitCode::kRolledBack),
            "::error title=checkout 1 → 2 (payments)::rolled_back, failed: 50 %25 fail: <b> "
            "::set-output name=x::y\n");
  EXPECT_EQ(github_annotation(rollout, ExitCode::kPromoted), "");
  const std::string summary = github_summary(rollout, ExitCode::kRolledBack);
  EXPECT_THAT(summary, HasSubstr("### checkout 1 → 2 (payments)\n\nrolled\\_back, failed: 50 % "
                                 "fail: \\<b\\> ::set-output name=x::y\n"));
  EXPECT_THAT(summary, HasSubstr("\n| err\\|ors | failed | 0.5 | \\> 0.05 | 1 | 2 | 0.5 \\> "));
  EXPECT_THAT(github_summary(nullptr, ExitCode::kFailed),
              testing::Eq("### rollout\n\ncould not tell how it ends\n"));
}

TEST(Trend, IsDrawnAgainstTheLimit) {
  struct Row {
    const char* name;
    std::deque<std::optional<double>> values;
    const char* rule;
    const char* bars;
  };
  const Row rows[] = {
      {"far below a limit from above", {0.001, 0.002}, "> 0.05", "▁▁"},
      {"rising over it", {0, 0.02, 0.04, 0.06}, "> 0.05", "▁▃▆█"},
      {"above a limit from below", {0.999, 0.995, 0.99, 0.98}, "< 0.99", "█▇▅▁"},
      {"slots without a value", {std::nullopt, 1.0, std::nullopt}, "any", "·▁·"},
      {"all the same without a limit", {3.0, 3.0}, "none", "▁▁"},
      {"nothing", {}, "> 1", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(bars(row.values, row.rule), row.bars) << row.name;
}

TEST(Trend, EachSlotIsDrawnOnceAndTheOldestGo) {
  Trends trends;
  trends.add_evaluation({{"condition", "errors"}, {"slot", "0"}, {"value", 0.0}});
  trends.add_rollout({{"conditions", json::array({condition("errors", "failing")})}});
  trends.add_rollout({{"conditions", json::array({condition("errors", "failing")})}});
  EXPECT_EQ(trends.of("errors", "> 0.5"), "▁█");
  json lost = condition("errors", "unknown");
  lost["last"] = {{"slot", "2"}, {"outcome", "no_data"}};
  trends.add_rollout({{"conditions", json::array({lost})}});
  EXPECT_EQ(trends.of("errors", "> 0.5"), "▁█·") << "the value of before is not this slot's";
  for (char slot = 'a'; slot <= 'z'; ++slot)
    trends.add_evaluation({{"condition", "errors"}, {"slot", std::string(1, slot)}, {"value", 1}});
  EXPECT_EQ(text_width(trends.of("errors", "> 2")), Trends::kWidth);
  EXPECT_EQ(trends.of("other", "> 1"), "");
}

TEST(Steps, ShowWhereItIs) {
  const SysTime now = *parse_time("2026-01-02T03:04:48.500Z");
  json rollout = {{"state", "analyzing"},
                  {"step", {{"index", 1}, {"weight", 25}, {"since", "2026-01-02T03:04:00.000Z"}}},
                  {"analysis",
                   {{"steps", json::array({{{"weight", 5}, {"hold", "2m"}},
                                           {{"weight", 25}, {"hold", "5m"}},
                                           {{"weight", 100}}})}}}};
  EXPECT_EQ(steps_line(rollout, now, 80), "5 % ✓ → ▸ 25 % for 48s of 5m → 100 %");
  EXPECT_EQ(steps_line(rollout, now, 30), "… → ▸ 25 % for 48s of 5m → …");
  rollout["state"] = "rolled_back";
  EXPECT_EQ(steps_line(rollout, now, 80), "5 % ✓ → 25 % → 100 %");
  rollout["state"] = "soaking";
  EXPECT_EQ(steps_line(rollout, now, 80), "5 % ✓ → 25 % ✓ → 100 % ✓");
  rollout["state"] = "waiting";
  rollout["analysis"]["steps"].erase(2);
  EXPECT_EQ(steps_line(rollout, now, 80), "5 % → 25 % → 100 %") << "100 may be left out";
  rollout["analysis"] = {{"duration", "10m"}};
  EXPECT_EQ(steps_line(rollout, now, 80), "");
}

// Of what does not fit, what tells least goes first: counts that are 0, other counts, the trend.
TEST(LiveView, KeepsWhatTellsMost) {
  Trends trends;
  json rollout = ended("analyzing", {condition("errors", "failing")});
  trends.add_rollout(rollout);
  struct Row {
    std::size_t columns;
    const char* head;
  };
  const Row rows[] = {
      {120,
       "condition  verdict  value  rule    trend  pass  fail  unclear  no data  error  missed  "
       "next"},
      {80, "condition  verdict  value  rule    trend  pass  fail  unclear  no data  next"},
      {70, "condition  verdict  value  rule    trend  pass  fail  unclear  next"},
      {60, "condition  verdict  value  rule    trend  pass  fail  next"},
      {50, "condition  verdict  value  rule    trend  next"},
      {40, "condition  verdict  value  rule    next"},
      {30, "condition  value  rule"},
  };
  for (const Row& row : rows) {
    const auto lines =
        live_view(rollout, nullptr, trends, SysTime{}, Canvas{.columns = row.columns});
    EXPECT_THAT(lines, testing::Contains(row.head)) << row.columns;
    for (const std::string& line : lines) EXPECT_LE(text_width(line), row.columns) << line;
  }
}

}  // namespace
}  // namespace rollwatch
