// The analysis of one rollout after all layers were merged: what to ask, how to judge it, how to go
// on. A plan is fixed when the rollout is registered and shared (interned) by all rollouts whose
// merged analysis is the same; config/plan_decoder makes it from the pinned document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "analysis/compare/condition.h"
#include "analysis/comparison.h"
#include "analysis/promql/join_labels.h"
#include "analysis/promql/query_template.h"
#include "analysis/time.h"

namespace rollwatch {

// Bumped when a pinned document written by this version would be read differently by an older one.
inline constexpr int kPlanVersion = 1;

struct StepPlan {
  std::optional<double>
      weight;  // none: `duration`, one step in which the orchestrator is not told a weight
  Millis hold{0};
  bool approve = false;
};

enum class OnFail : std::uint8_t { kRollback, kPause, kObserve };
enum class OnMissing : std::uint8_t { kWait, kFail, kIgnore };
enum class OnInconclusive : std::uint8_t { kPause, kRollback };
enum class OnDeadline : std::uint8_t { kPause, kRollback };
enum class Reduce : std::uint8_t { kEach, kMax, kMin, kSum, kAvg, kOne };

// What an answer means: either a number is compared, or the mere presence of series decides.
enum class SeriesRule : std::uint8_t { kByValue, kAnySeriesFails, kNoSeriesFails };

struct Rule {
  SeriesRule series = SeriesRule::kByValue;
  std::optional<Comparison> fail_if;
  std::optional<Comparison> pass_if;
};

// A label that picks a rollout's series out of an answer that several rollouts share.
struct SelectLabel {
  std::string name;
  promql::TextTemplate value;
};

// A condition judged by a limit on one query's answer.
struct ThresholdCondition {
  promql::QueryTemplate query;  // the trailing comparison already taken off
  Rule rule;
  Reduce reduce = Reduce::kEach;
  std::optional<promql::QueryTemplate> evidence;
  double min_evidence = 100;
  std::vector<SelectLabel> select = {};  // empty: the answer is this rollout's alone
  // How several rollouts may ask together what each would ask alone. None: it is not to be shared,
  // or cannot be. The evidence's only beside the query's.
  std::optional<promql::JoinedQuery> joined = {};
  std::optional<promql::JoinedQuery> joined_evidence = {};
  // `count_of`: the query's answer are raw counters. Judged is what they have counted since the
  // step began.
  bool counts = false;
};

// The closed list of condition kinds.
using ConditionKind = std::variant<ThresholdCondition, CompareCondition>;

struct ConditionPlan {
  std::string name;
  ConditionKind kind;
  Millis interval{30'000};
  Millis window{60'000};
  Millis initial_delay{0};
  std::optional<Millis> timeout;  // none: the datasource's
  std::string datasource = "default";
  int fail_after = 3;
  int within = 3;  // kWithinAll: all slots that gave an answer
  int min_passes = 1;
  OnFail on_fail = OnFail::kRollback;
  OnMissing on_no_data = OnMissing::kWait;
  OnMissing on_error = OnMissing::kWait;
  bool share = false;         // "auto": `joined`, where there is such a form
  std::vector<double> steps;  // weights at which it applies; empty: all
  // The query of the readiness gate (Plan::ready). Asked from the moment the rollout waits for it
  // until the rollout ends; it gates no step, and a pass of it is no evidence. Its rule fails below
  // `at_least`, and `on_fail` is what follows when readiness is lost later: kObserve for "ignore".
  bool is_readiness = false;
};
inline constexpr int kWithinAll = 0;
inline constexpr int kWithinLimit = 1000;
inline constexpr int kShownOfAll = 20;  // slots that are kept of within = "all"

// What a rollout waits for before it begins; the query is the condition with `is_readiness`.
struct ReadyPlan {
  double at_least = 1;
  Millis timeout{600'000};     // of one attempt
  Millis retry_after{60'000};  // from the end of one attempt to the next
  int attempts = 1;
};

// Alerts that count as a condition: those that have all of these labels.
struct AlertsPlan {
  std::vector<SelectLabel> match;  // at least one
  OnFail on_fire = OnFail::kRollback;
};

struct Plan {
  std::vector<StepPlan> steps;  // at least one; 100 % is not among them, it is the promotion
  bool approve_start = false;
  bool approve_promote = false;
  Millis soak{0};
  Millis patience{300'000};
  OnInconclusive on_inconclusive = OnInconclusive::kPause;
  Millis deadline{86'400'000};
  OnDeadline on_deadline = OnDeadline::kPause;
  Millis recovery{300'000};  // how long failed conditions are watched after a rollback
  std::optional<ReadyPlan> ready;
  std::optional<AlertsPlan> alerts;
  std::vector<ConditionPlan> conditions;
};

// The step with this index, which must be one.
const StepPlan& step_at(const Plan& plan, int index);

// The first step with at least this weight, else the last; of a plan with weights.
int step_for(const Plan& plan, double weight);

// Whether the condition is asked at all at this weight. Until a promotion is acknowledged its
// step's weight counts, from then on 100; a condition with `steps` is never asked in a plan without
// weights.
bool applies(const ConditionPlan& condition, std::optional<double> weight);

// The readiness gate's condition, if the plan has one.
std::optional<std::size_t> readiness_of(const Plan& plan);

// The condition as one that compares, or counts since the step began; null if it does not.
const CompareCondition* comparison_of(const ConditionPlan& condition);
const ThresholdCondition* count_of(const ConditionPlan& condition);

// What a condition asks in one slot.
struct PlannedQuestion {
  const promql::QueryTemplate* query = nullptr;
  std::optional<Arm> arm = {};  // of a comparison
  bool is_evidence = false;     // of a threshold
  bool is_bad = false;          // `bad_events`, of a comparison
};
// In the order in which their answers come: the query and its evidence; or the candidate's and then
// stable's.
std::vector<PlannedQuestion> questions_of(const ConditionPlan& condition);

// How far back from the time evaluated for the condition looks: `window` if its query uses it, else
// 0.
Millis lookback(const ConditionPlan& condition);

// How long after the beginning of a step the first slot looks that is wholly within it: one
// interval, or one window if there is one.
Millis first_slot_after(const ConditionPlan& condition);

}  // namespace rollwatch
