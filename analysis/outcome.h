// What a slot ended as and why: the product's own words, shared by judging, state, history
// and everything that is shown to people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/comparison.h"
#include "analysis/rare.h"

namespace rollwatch {

enum class Outcome : std::uint8_t { kPass, kFail, kInconclusive, kNoData, kError, kMissed };
inline constexpr std::size_t kOutcomeCount = 6;

// Why it ended so. Each is a different story for the person on call.
enum class Cause : std::uint8_t {
  kWithinLimit,       // pass: no failing value
  kBeyondLimit,       // fail: fail_if holds
  kBetweenLimits,     // inconclusive: neither fail_if nor pass_if holds
  kSeriesCameBack,    // fail_if = "any"
  kNoSeriesCameBack,  // fail_if = "none"
  kNoSeries,          // no_data: an empty answer
  kNotANumber,        // no_data: NaN
  kInfinite,          // no_data: +Inf or -Inf
  kPartial,           // no_data: the server warned that the answer is not whole
  kNoEvents,          // no_data: the evidence is zero or has no value
  kFewEvents,         // inconclusive: evidence below min_evidence, would have passed
  kReachesBack,       // inconclusive: the window begins before the step, would have passed
  kManySeries,        // error: reduce = "one" and several came
  kUnusableKind,      // error: string, matrix, native histogram
  kUnreachable,       // error: FailureKind …
  kTimeout,
  kBadQuery,
  kHttpStatus,
  kMalformed,
  kTooLarge,
  kNotAsked,
  kMissedDowntime,   // missed: the daemon was not running
  kMissedLate,       // missed: the grid moved on before it could be asked
  kMissedOverlap,    // missed: the previous question was still out
  kMissedClockJump,  // missed: the wall clock jumped
  kMissedStore,      // missed: the store was away
  kMissedOverload,   // missed: no connection to the datasource got free in time
  kMissedEnded,      // missed: the rollout went back or ended before there was an answer
  kMissedDelay,      // missed: the ingestion delay has grown, and that time was looked at already
  kNotWorse,         // pass: compared with stable
  kWorseThanStable,  // fail: the evidence is there
  kSuspicious,       // inconclusive: some evidence; where it gates, the weight is kept
  kWarmingUp,        // inconclusive: the step is young, so this slot is not compared
  kCountingBegins,   // inconclusive: counters are only remembered
  kNotLookedYet,     // inconclusive: a test with one look waits for the end of the step
  kNoStable,         // no_data: stable served nothing
  kIncomparable,     // error: answers that are no counters, or histograms that differ
  kNoCandidate,      // no_data: the candidate served nothing
  kFewCompared,      // inconclusive: nothing speaks against it, but too little was compared so far
};

// The result of judging one slot: small enough to be kept as "the last one" in a rollout's state.
struct Judgement {
  Outcome outcome = Outcome::kMissed;
  Cause cause = Cause::kMissedDowntime;
  std::optional<double> value;     // of the series that decided
  std::optional<Comparison> rule;  // the comparison that decided, or would have
  std::optional<double> evidence;  // events counted, if the condition counts them
  double min_evidence = 0;
  std::string series;  // labels of the series that decided, "" if there is one without labels
  RareText detail;     // an error's own words, cut to 300 bytes
};

std::string_view name_of(Outcome outcome);
std::string_view name_of(Cause cause);

// One clause that says what the slot showed: "0.083 > 0.05", "no series came back", "12 of 100
// events".
std::string describe(const Judgement& judgement);

}  // namespace rollwatch
