#include "analysis/outcome.h"

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>

#include "analysis/state_codec.h"
#include "test/analysis/rollout_fixture.h"

namespace rollwatch {
namespace {

Judgement judgement(Outcome outcome, Cause cause) {
  Judgement j;
  j.outcome = outcome;
  j.cause = cause;
  return j;
}

struct OutcomeRow {
  Outcome outcome;
  Cause cause;
  const char* name;
  const char* sentence;  // without anything measured
};

const OutcomeRow kOutcomeRows[] = {
    {Outcome::kPass, Cause::kWithinLimit, "within_limit", "no value"},
    {Outcome::kFail, Cause::kBeyondLimit, "beyond_limit", "no value"},
    {Outcome::kInconclusive, Cause::kBetweenLimits, "between_limits",
     "no value neither fails nor passes"},
    {Outcome::kFail, Cause::kSeriesCameBack, "series_came_back", "series came back: {}"},
    {Outcome::kFail, Cause::kNoSeriesCameBack, "no_series_came_back", "no series came back"},
    {Outcome::kNoData, Cause::kNoSeries, "no_series", "no data: the query found no series"},
    {Outcome::kNoData, Cause::kNotANumber, "not_a_number", "no data: the answer is NaN"},
    {Outcome::kNoData, Cause::kInfinite, "infinite",
     "no data: the answer is infinite (a division by zero)"},
    {Outcome::kNoData, Cause::kPartial, "partial", "no data: the answer is partial"},
    {Outcome::kNoData, Cause::kNoEvents, "no_events", "no data: 0 of 0 events in the window"},
    {Outcome::kInconclusive, Cause::kFewEvents, "few_events", "0 of 0 events"},
    {Outcome::kInconclusive, Cause::kReachesBack, "reaches_back",
     "the window reaches back before the step"},
    {Outcome::kError, Cause::kManySeries, "many_series", "several series where one is expected"},
    {Outcome::kError, Cause::kUnusableKind, "unusable_kind", "an answer no condition can use"},
    {Outcome::kError, Cause::kUnreachable, "unreachable", ""},
    {Outcome::kError, Cause::kTimeout, "timeout", ""},
    {Outcome::kError, Cause::kBadQuery, "bad_query", ""},
    {Outcome::kError, Cause::kHttpStatus, "http_status", ""},
    {Outcome::kError, Cause::kMalformed, "malformed", ""},
    {Outcome::kError, Cause::kTooLarge, "too_large", "the answer is too large"},
    {Outcome::kError, Cause::kNotAsked, "not_asked", "could not be asked"},
    {Outcome::kMissed, Cause::kMissedDowntime, "downtime", "missed: rollwatchd was not running"},
    {Outcome::kMissed, Cause::kMissedLate, "late", "missed: could not be asked in time"},
    {Outcome::kMissed, Cause::kMissedOverlap, "overlap",
     "missed: the previous question was still out"},
    {Outcome::kMissed, Cause::kMissedClockJump, "clock_jump", "missed: the clock jumped"},
    {Outcome::kMissed, Cause::kMissedStore, "store", "missed: the store was away"},
    {Outcome::kMissed, Cause::kMissedOverload, "overload",
     "missed: more was due than can be asked"},
    {Outcome::kMissed, Cause::kMissedEnded, "ended",
     "missed: the rollout went back or ended first"},
    {Outcome::kMissed, Cause::kMissedDelay, "delay",
     "missed: metrics come later than before, and that time was looked at already"},
    {Outcome::kPass, Cause::kNotWorse, "not_worse", "not shown to be worse than stable"},
    {Outcome::kFail, Cause::kWorseThanStable, "worse_than_stable", "worse than stable"},
    {Outcome::kInconclusive, Cause::kSuspicious, "suspicious", "suspicious"},
    {Outcome::kInconclusive, Cause::kWarmingUp, "warming_up", "warms up: not compared yet"},
    {Outcome::kInconclusive, Cause::kCountingBegins, "counting_begins",
     "counting begins with this slot"},
    {Outcome::kInconclusive, Cause::kNotLookedYet, "not_looked_yet",
     "compared once, when the step could end"},
    {Outcome::kNoData, Cause::kNoStable, "no_stable",
     "no data: stable served nothing to compare with"},
    {Outcome::kError, Cause::kIncomparable, "incomparable", "cannot be compared"},
    {Outcome::kNoData, Cause::kNoCandidate, "no_candidate",
     "no data: the candidate served nothing"},
    {Outcome::kInconclusive, Cause::kFewCompared, "few_compared", "only 0 of 0 compared so far"},
};

TEST(OutcomeTest, EveryCauseHasANameAndASentence) {
  std::set<std::string> sentences;
  int cause = 0;
  for (const OutcomeRow& row : kOutcomeRows) {
    EXPECT_EQ(static_cast<int>(row.cause), cause++) << "a row for every cause, in order";
    EXPECT_EQ(name_of(row.cause), row.name);
    const std::string sentence = describe(judgement(row.outcome, row.cause));
    EXPECT_FALSE(sentence.empty()) << row.name;
    if (*row.sentence != '\0') {
      EXPECT_EQ(sentence, row.sentence) << row.name;
    }
    sentences.insert(sentence);
  }
  EXPECT_FALSE(is_known(static_cast<Cause>(cause))) << "a row for every cause";
  EXPECT_EQ(sentences.size(), std::size(kOutcomeRows) - 1) << "each says something of its own";
}

// The `names` in one cell of a row of a table in Markdown.
std::set<std::string> names_in(const std::string& cell) {
  std::set<std::string> names;
  std::istringstream parts(cell);
  std::string part;
  for (bool inside = false; std::getline(parts, part, '`'); inside = !inside)
    if (inside) names.insert(part);
  return names;
}

TEST(OutcomeTest, EveryCauseIsExplainedOnThePageForPeople) {
  std::ifstream page(ROLLWATCH_SOURCE_DIR "/docs/conditions.md");
  std::map<std::string, std::string> outcomes;
  std::string line;
  while (std::getline(page, line) && line != "## From answer to outcome") {
  }
  while (std::getline(page, line) && !line.starts_with("#")) {
    std::istringstream cells(line);
    std::string cell, outcome;
    std::getline(cells, cell, '|');
    std::getline(cells, cell, '|');
    std::getline(cells, outcome, '|');
    if (!line.starts_with("|")) continue;
    for (const std::string& name : names_in(cell))
      EXPECT_TRUE(outcomes.emplace(name, outcome).second) << name << " twice";
  }
  for (const OutcomeRow& row : kOutcomeRows) {
    const std::string& outcome = outcomes[row.name];
    EXPECT_NE(outcome.find(name_of(row.outcome)), std::string::npos)
        << row.name << " is " << name_of(row.outcome) << ", the page says \"" << outcome << '"';
  }
  EXPECT_EQ(outcomes.size(), std::size(kOutcomeRows)) << "and no other names";
}

TEST(OutcomeTest, EveryOutcomeHasTheNameOfTheContract) {
  const char* const names[] = {"pass", "fail", "inconclusive", "no_data", "error", "missed"};
  for (std::size_t i = 0; i < kOutcomeCount; ++i)
    EXPECT_EQ(name_of(static_cast<Outcome>(i)), names[i]);
}

struct Measured {
  const char* name;
  Cause cause;
  std::optional<double> value;
  const char* rule;
  const char* series;
  const char* detail;
  const char* sentence;
};

TEST(DescribeTest, SaysWhatWasMeasuredAgainstWhat) {
  const Measured rows[] = {
      {"beyond", Cause::kBeyondLimit, 0.0833, "> 0.05", "", "", "0.0833 > 0.05"},
      {"of a series", Cause::kBeyondLimit, 0.0833, "> 0.05", "{pod=\"a\"}", "",
       "0.0833 > 0.05 at {pod=\"a\"}"},
      {"within claims nothing", Cause::kWithinLimit, 0.01, "> 0.05", "", "", "0.01 (rule > 0.05)"},
      {"what passes by pass_if", Cause::kWithinLimit, 0.01, "< 0.02", "", "", "0.01 < 0.02"},
      {"what rounds to its limit is written in full", Cause::kBeyondLimit, 0.0500001, "> 0.05", "",
       "", "0.0500001 > 0.05"},
      {"exactly the limit", Cause::kBeyondLimit, 0.05, ">= 0.05", "", "", "0.05 >= 0.05"},
      {"between", Cause::kBetweenLimits, 0.03, "< 0.02", "", "",
       "0.03 neither fails nor passes (passes at < 0.02)"},
      {"series came back", Cause::kSeriesCameBack, 1, "", "up{job=\"x\"}", "",
       "series came back: up{job=\"x\"}"},
      {"an error in its own words",
       Cause::kTooLarge,
       {},
       "",
       "",
       "more than 1 MiB",
       "the answer is too large: more than 1 MiB"},
      {"reaching back", Cause::kReachesBack, 0.01, "> 0.05", "", "",
       "the window reaches back before the step, 0.01 (rule > 0.05)"},
  };
  for (const Measured& row : rows) {
    Judgement j = judgement(Outcome::kFail, row.cause);
    j.value = row.value;
    if (*row.rule != '\0') j.rule = comparison(row.rule);
    j.series = row.series;
    j.detail = row.detail;
    EXPECT_EQ(describe(j), row.sentence) << row.name;
  }
}

TEST(DescribeTest, SaysHowManyEventsWereCounted) {
  Judgement j = judgement(Outcome::kInconclusive, Cause::kFewEvents);
  j.evidence = 12;
  j.min_evidence = 100;
  EXPECT_EQ(describe(j), "12 of 100 events");
  j.value = 0.01;
  j.rule = comparison("> 0.05");
  EXPECT_EQ(describe(j), "12 of 100 events, 0.01 (rule > 0.05)");
}

}  // namespace
}  // namespace rollwatch
