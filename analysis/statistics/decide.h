// Several comparisons, one promise: what their evidence says together, and what is to be done. One
// alpha for a whole rollout, however many conditions compare, and however often.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analysis/statistics/counts.h"
#include "analysis/statistics/wealth.h"

namespace rollwatch::statistics {

// The weighted mean of the evidence: the one way of merging that is right however the metrics hang
// together. It speaks whenever one of them reaches its part of alpha. Weights need not add up to 1;
// 0 leaves one out.
double combine(std::span<const double> log_evidence, std::span<const double> weights);

struct ComparedMetric {
  double log_evidence = 0;  // that the candidate is worse than is tolerated
  double weight = 1;
  double log_promote = 0;  // that it is within the margin
  double samples = 0;      // requests of the candidate; slots, for a gauge
  double least_samples = 100;
  bool required = true;  // for early promotion
};

double log_evidence_of(std::span<const ComparedMetric> metrics);

// The metrics that are the cause: those that reach their own part of alpha, else the one that
// contributes most. Indices.
std::vector<std::size_t> causes(std::span<const ComparedMetric> metrics, double alpha);

// What happens at the planned end without a decision.
enum class AtTheEnd : std::uint8_t { kPromoteIfNoHarm, kPauseIfInconclusive };

struct DecisionRules {
  double alpha = 0.01;          // of ever rolling back a candidate that is within tolerance
  double alpha_hold = 0.2;      // the weight is kept while there is so much evidence
  double alpha_promote = 0.05;  // of promoting early one that is at or beyond the margin
  bool early_promote = true;
  std::uint32_t no_data_limit = 5;  // slots in a row
  std::uint32_t least_ticks = 5;
  std::uint32_t most_ticks = 60;
  AtTheEnd at_the_end = AtTheEnd::kPromoteIfNoHarm;
};

struct Standing {
  std::uint64_t tick = 0;
  std::uint32_t ticks_without_data = 0;
  bool guard_breached = false;  // a threshold that somebody set: outside the promise
  bool rolled_back = false;     // by evidence, before: it is not taken back
  double placebo = -1;          // the most evidence against a part of stable; see PlaceboGuard
};

enum class Advice : std::uint8_t { kContinue, kPause, kPromote, kRollback };
enum class Because : std::uint8_t {
  kNothing,
  kGuard,
  kEvidence,
  kNoData,
  kSuspicious,
  kNonInferior,
  kNoHarm,
  kInconclusive
};

struct Decision {
  Advice advice = Advice::kContinue;
  Because because = Because::kNothing;
  double log_evidence = 0;
};

// The first rule that applies, in the order of Because.
Decision decide(const DecisionRules& rules, std::span<const ComparedMetric> metrics,
                const Standing& standing);

// Holds stable against itself: its pods are dealt out to groups of about the candidate's size, and
// each is compared with the others as the candidate is with stable. While evidence against a group
// of stable is as large as that against the candidate, pods differ for other reasons than the
// release, and nothing is rolled back for it. It can only prevent rollbacks, so the promise stays.
struct PlaceboGuard {
  static constexpr std::size_t kLeastGroups = 5;

  struct Member {
    std::uint64_t source = 0;
    std::uint32_t group = 0;

    bool operator==(const Member&) const = default;
  };

  std::vector<Wealth> groups;
  double log_most = 0;          // of any group at any time
  std::vector<Member> members;  // sources rise

  // 0 when there would be fewer than five.
  static std::size_t groups_for(double candidate_events, double stable_events,
                                std::size_t stable_series);
  static PlaceboGuard start(std::size_t groups);

  // Takes in who is new, and forgets who is not among `known`; both rise. A newcomer goes to the
  // group that has the fewest of the `present`, so groups are as even as can be, and nobody ever
  // changes. Whose keys are hashes, that is no choice of anybody's.
  void deal(std::span<const std::uint64_t> present, std::span<const std::uint64_t> known);
  // Of one that was not dealt, by its key.
  std::size_t group_of(std::uint64_t source) const;
  // The counts of each group in one slot.
  void update(const Tolerance& tolerance, std::span<const ArmCounts> by_group, double dispersion);
  bool allows(double log_evidence) const { return groups.empty() || log_evidence > log_most; }

  bool operator==(const PlaceboGuard&) const = default;
};

}  // namespace rollwatch::statistics
