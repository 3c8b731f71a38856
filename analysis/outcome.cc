#include "analysis/outcome.h"

#include <array>

namespace rollwatch {

std::string_view name_of(Outcome outcome) {
  constexpr std::array<std::string_view, kOutcomeCount> kNames{"pass",    "fail",  "inconclusive",
                                                               "no_data", "error", "missed"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string_view name_of(Cause cause) {
  switch (cause) {
    case Cause::kWithinLimit:
      return "within_limit";
    case Cause::kBeyondLimit:
      return "beyond_limit";
    case Cause::kBetweenLimits:
      return "between_limits";
    case Cause::kSeriesCameBack:
      return "series_came_back";
    case Cause::kNoSeriesCameBack:
      return "no_series_came_back";
    case Cause::kNoSeries:
      return "no_series";
    case Cause::kNotANumber:
      return "not_a_number";
    case Cause::kInfinite:
      return "infinite";
    case Cause::kPartial:
      return "partial";
    case Cause::kNoEvents:
      return "no_events";
    case Cause::kFewEvents:
      return "few_events";
    case Cause::kReachesBack:
      return "reaches_back";
    case Cause::kManySeries:
      return "many_series";
    case Cause::kUnusableKind:
      return "unusable_kind";
    case Cause::kUnreachable:
      return "unreachable";
    case Cause::kTimeout:
      return "timeout";
    case Cause::kBadQuery:
      return "bad_query";
    case Cause::kHttpStatus:
      return "http_status";
    case Cause::kMalformed:
      return "malformed";
    case Cause::kTooLarge:
      return "too_large";
    case Cause::kNotAsked:
      return "not_asked";
    case Cause::kMissedDowntime:
      return "downtime";
    case Cause::kMissedLate:
      return "late";
    case Cause::kMissedOverlap:
      return "overlap";
    case Cause::kMissedClockJump:
      return "clock_jump";
    case Cause::kMissedStore:
      return "store";
    case Cause::kMissedOverload:
      return "overload";
    case Cause::kMissedEnded:
      return "ended";
    case Cause::kMissedDelay:
      return "delay";
    case Cause::kNotWorse:
      return "not_worse";
    case Cause::kWorseThanStable:
      return "worse_than_stable";
    case Cause::kSuspicious:
      return "suspicious";
    case Cause::kWarmingUp:
      return "warming_up";
    case Cause::kCountingBegins:
      return "counting_begins";
    case Cause::kNotLookedYet:
      return "not_looked_yet";
    case Cause::kNoStable:
      return "no_stable";
    case Cause::kIncomparable:
      return "incomparable";
    case Cause::kNoCandidate:
      return "no_candidate";
    case Cause::kFewCompared:
      return "few_compared";
  }
  return "unknown";
}

namespace {

std::string value_against_rule(const Judgement& j) {
  std::string text = j.value ? format_number(*j.value) : std::string("no value");
  if (!j.rule) return text;
  // Never "0.05 > 0.05": a value that rounds to its limit is written in full.
  if (j.value && text == format_number(j.rule->limit)) text = format_exact(*j.value);
  // "0.083 > 0.05" when the rule holds; when it does not, the limit is named without claiming that
  // it does.
  if (j.value && j.rule->holds(*j.value)) return text + " " + to_string(*j.rule);
  return text + " (rule " + to_string(*j.rule) + ")";
}

std::string events(const Judgement& j) {
  return format_number(j.evidence.value_or(0)) + " of " + format_number(j.min_evidence) + " events";
}

// What the answer would have meant; nothing for a condition that is not judged by a number.
std::string would_be(const Judgement& j) { return j.rule ? ", " + value_against_rule(j) : ""; }

// Of a comparison: how much there is, and how much decides.
std::string evidence(const Judgement& j) {
  if (!j.value || !j.rule) return "";
  return "; evidence " + format_number(*j.value) + " of " + format_number(j.rule->limit);
}

std::string with_detail(std::string text, const Judgement& j) {
  return j.detail.empty() ? text : text + ": " + j.detail.text();
}

}  // namespace

std::string describe(const Judgement& j) {
  switch (j.cause) {
    case Cause::kWithinLimit:
    case Cause::kBeyondLimit:
      return value_against_rule(j) + (j.series.empty() ? "" : " at " + j.series);
    case Cause::kBetweenLimits:
      return (j.value ? format_number(*j.value) : std::string("no value")) +
             " neither fails nor passes" +
             (j.rule ? " (passes at " + to_string(*j.rule) + ")" : "") +
             (j.series.empty() ? "" : " at " + j.series);
    case Cause::kSeriesCameBack:
      return "series came back: " + (j.series.empty() ? "{}" : j.series);
    case Cause::kNoSeriesCameBack:
      return "no series came back";
    case Cause::kNoSeries:
      return "no data: the query found no series";
    case Cause::kNotANumber:
      return "no data: the answer is NaN";
    case Cause::kInfinite:
      return "no data: the answer is infinite (a division by zero)";
    case Cause::kPartial:
      return with_detail("no data: the answer is partial", j);
    case Cause::kNoEvents:
      return "no data: " + events(j) + " in the window";
    case Cause::kFewEvents:
      return events(j) + would_be(j);
    case Cause::kReachesBack:
      return "the window reaches back before the step" + would_be(j);
    case Cause::kManySeries:
      return with_detail("several series where one is expected", j);
    case Cause::kUnusableKind:
      return with_detail("an answer no condition can use", j);
    case Cause::kUnreachable:
      return with_detail("the datasource cannot be reached", j);
    case Cause::kTimeout:
      return with_detail("no answer within the timeout", j);
    case Cause::kBadQuery:
      return with_detail("the datasource refuses the query", j);
    case Cause::kHttpStatus:
      return with_detail("the datasource answered with an error", j);
    case Cause::kMalformed:
      return with_detail("the datasource's answer makes no sense", j);
    case Cause::kTooLarge:
      return with_detail("the answer is too large", j);
    case Cause::kNotAsked:
      return with_detail("could not be asked", j);
    case Cause::kMissedDowntime:
      return "missed: rollwatchd was not running";
    case Cause::kMissedLate:
      return "missed: could not be asked in time";
    case Cause::kMissedOverlap:
      return "missed: the previous question was still out";
    case Cause::kMissedClockJump:
      return "missed: the clock jumped";
    case Cause::kMissedStore:
      return "missed: the store was away";
    case Cause::kMissedOverload:
      return with_detail("missed: more was due than can be asked", j);
    case Cause::kMissedEnded:
      return "missed: the rollout went back or ended first";
    case Cause::kMissedDelay:
      return "missed: metrics come later than before, and that time was looked at already";
    case Cause::kNotWorse:
      return with_detail("not shown to be worse than stable", j) + evidence(j);
    case Cause::kWorseThanStable:
      return with_detail("worse than stable", j) + evidence(j);
    case Cause::kSuspicious:
      return with_detail("suspicious", j) + evidence(j);
    case Cause::kWarmingUp:
      return "warms up: not compared yet";
    case Cause::kCountingBegins:
      return "counting begins with this slot";
    case Cause::kNotLookedYet:
      return with_detail("compared once, when the step could end", j);
    case Cause::kNoStable:
      return "no data: stable served nothing to compare with";
    case Cause::kIncomparable:
      return with_detail("cannot be compared", j);
    case Cause::kNoCandidate:
      return "no data: " + (j.detail.empty() ? "the candidate served nothing" : j.detail.text());
    case Cause::kFewCompared:
      return with_detail("only " + format_number(j.evidence.value_or(0)) + " of " +
                             format_number(j.min_evidence) + " compared so far",
                         j);
  }
  return "";
}

}  // namespace rollwatch
