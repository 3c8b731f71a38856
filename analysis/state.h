// Everything a rollout remembers between two slots. It is saved as one blob in the commit of the
// step that made it (state_codec.h) and is all that a restart needs besides spec and plan.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/compare/memory.h"
#include "analysis/outcome.h"
#include "analysis/rare.h"
#include "analysis/time.h"

namespace rollwatch {

enum class State : std::uint8_t {
  kWaiting,
  kAnalyzing,
  kPaused,
  kPromoting,
  kSoaking,
  kRollingBack,
  kPromoted,
  kRolledBack,
  kRollbackFailed,
  kCancelled,
  kSuperseded,
};
std::string_view name_of(State state);
bool is_final(State state);
struct RolloutState;
// Ended, nothing is watched any more, and nobody has to act.
bool is_over(const RolloutState& state);
// Its rollback failed and nobody has acted, or has it sent again just now: people are reminded.
bool awaits_somebody(const RolloutState& state);
// A rollback is out, the first time or sent again: whatever is newer in its place waits for it.
bool is_rolling_back(const RolloutState& state);

enum class Verdict : std::uint8_t { kPending, kPassing, kFailing, kUnknown, kFailed, kPassed };
std::string_view name_of(Verdict verdict);

enum class DecisionKind : std::uint8_t {
  kAdvance,
  kPromote,
  kPause,
  kResume,
  kRollback,
  kCancel,
  kExtend,
};
std::string_view name_of(DecisionKind kind);
std::optional<DecisionKind> decision_kind(std::string_view name);

// The order that is out: recorded, and neither acknowledged nor refused nor replaced.
struct OpenOrder {
  DecisionKind kind = DecisionKind::kAdvance;  // never kCancel or kExtend
  unsigned number = 0;                         // order_id(spec, number)
  double weight = 0;                           // the candidate's share it asks for
  bool accepted = false;                       // 202: to be acknowledged later
  SysTime at{};                                // when it was given
  SysTime reminded_at{};   // when people were last told that it is not acknowledged
  bool by_person = false;  // decided by one
};

enum class QuestionKind : std::uint8_t {
  kNoAnswers,        // a condition gave no answer for `patience`; the engine lifts this one itself
  kInconclusive,     // only inconclusive answers for `patience`
  kConditionFailed,  // on_fail = "pause"
  kOrderRefused,
  kOrderExpired,
  kDeadline,
  kApproveStart,
  kApproveStep,
  kApprovePromote,
  kNothingMeasured,  // the end was reached and no condition ever passed
  kPersonPaused,
  kNotReady,    // readiness gave no answer when its time was up; the engine lifts this one itself
  kReadyLost,   // ready.on_lost = "pause"
  kAlertFires,  // alerts.on_fire = "pause"
};
inline constexpr QuestionKind kLastQuestionKind = QuestionKind::kAlertFires;
std::string_view name_of(QuestionKind kind);

// What a paused (or waiting) rollout waits for a person to answer.
struct OpenQuestion {
  QuestionKind kind = QuestionKind::kPersonPaused;
  unsigned number = 0;  // shown as "q1", "q2", …
  SysTime since{};
  SysTime reminded_at{};
  std::string text;  // one sentence
  // The datasource whose silence asked it, if it was one's: people are told of that once, not once
  // for every rollout it keeps waiting.
  std::string datasource = {};
};
std::string question_id(const OpenQuestion& question);
// Whether the engine answers it, when there are answers again.
bool lifts_itself(const OpenQuestion& question);

// A slot that counts towards `fail_after`: one with an answer, or one that is told to count as
// failing.
struct CountedSlot {
  std::int64_t slot = 0;
  Outcome outcome = Outcome::kPass;
  bool failing = false;
  std::optional<double> value;
};

struct ConditionState {
  // The grid: slot k lies at phase + k × interval. Fixed at registration.
  std::int64_t phase_ms = 0;
  std::int64_t last_slot = kNoSlot;  // the latest slot that has a recorded end
  // The first slot is the first one evaluated for this time or a later one. Unset: not watched now.
  MaybeTime watched_from;
  static constexpr std::int64_t kNoSlot = std::numeric_limits<std::int64_t>::min();

  std::array<std::uint32_t, kOutcomeCount> counts{};
  // Newest last, at most `within`; for within = "all" the last few, to be shown: the numbers below
  // count.
  std::vector<CountedSlot> recent;
  std::uint32_t fails_of_all = 0;
  std::uint32_t answers_of_all = 0;
  std::uint32_t passes_in_step = 0;
  std::uint32_t passes = 0;       // since registration: "was anything ever measured?"
  MaybeTime silent_since;         // time evaluated for of the first slot without an answer
  MaybeTime inconclusive_since;   // the same for answers that decide nothing
  bool failed = false;            // fail_after reached; stays until a person resumes
  std::optional<Judgement> last;  // of the latest slot
  SysTime last_evaluated_at{};
  MaybeTime answered_for;  // time evaluated for of the latest slot with an answer
  ConditionMemory memory;  // of one that compares, or counts since its step began
};

// The wait for readiness, in attempts; between two of them nothing is asked.
struct ReadyState {
  unsigned attempt = 0;             // 0: does not wait for it yet
  std::optional<SysTime> ends_at;   // when this attempt's time is up
  std::optional<SysTime> retry_at;  // when the next one begins
  bool overruled = false;           // a person decided that it begins all the same
  // Its clock stands still since then: a freeze, or an earlier rollout's rollback.
  std::optional<SysTime> stopped_at;
  bool operator==(const ReadyState&) const = default;
};

// The service, or everything, is frozen: nothing goes on, everything is watched.
struct FreezeState {
  SysTime since{};
  std::string text;  // "frozen by ana: stocktaking"
};

// What failed is watched for a while after the rollback was acknowledged.
struct RecoveryState {
  SysTime until{};
  bool prolonged = false;  // no slot had come back by then
};

// An alert that fires, and whose labels match.
struct FiringAlert {
  std::string fingerprint;  // of its labels: who it is
  std::string name;
  std::string labels;   // the others, `severity="page"`
  std::string summary;  // its annotation
  std::string generator_url;
  SysTime starts_at{};
  bool counts = false;  // it began after the rollout's first step did
  bool operator==(const FiringAlert&) const = default;
};
inline constexpr std::size_t kMostFiringAlerts = 20;  // that are kept

// The alerts of a plan that asks for them, as one condition.
struct AlertsState {
  std::optional<SysTime> since;     // when the first step began: earlier ones decide nothing
  std::vector<FiringAlert> firing;  // in the order they were told
  std::uint32_t fired = 0;          // of those that count
  std::uint32_t resolved = 0;
  bool failed = false;  // one that counts fired; until none does, or a person goes on all the same
  std::optional<SysTime> last_at;  // what was told last
  bool last_fires = false;
  std::string last_text;
  bool operator==(const AlertsState&) const = default;
};

struct RolloutState {
  State state = State::kWaiting;
  int step = -1;         // index of the step reached; -1 until the first is acknowledged
  MaybeTime step_since;  // when it was acknowledged (or begun afresh): windows reach back to it
  MaybeTime hold_since;  // its hold is counted from here: later, after a pause for want of answers
  MaybeTime soak_since;
  SysTime deadline_at{};  // of the promote order
  Rare<OpenOrder> order;
  // The latest order, expired: a late acknowledgement still counts. In `rollback_failed`: the
  // rollback, refused ones too, until somebody acts; it is in `order` while it is sent again.
  Rare<OpenOrder> lapsed;
  Rare<OpenQuestion> question;
  bool conditions_only_observe =
      false;                  // a person ordered the promotion, or observe was registered
  double reached_weight = 0;  // the share the orchestrator last acknowledged or reported
  unsigned orders_given = 0;
  unsigned decisions_made = 0;
  unsigned questions_asked = 0;
  unsigned evaluations = 0;            // rows of history, the next one's number
  unsigned revision = 0;               // grows with every step; the ETag
  bool waits_for_predecessor = false;  // an earlier rollout of the target is rolling back
  bool newer_waits = false;            // a newer rollout of the target waits to begin: no progress
  bool older_active = false;           // an older one has begun and not ended; told until it begins
  Verdict verdict = Verdict::kPending;  // as of `revision`
  bool begun = false;                   // left `waiting` for its first step
  Seldom<ReadyState> ready;
  Rare<FreezeState> freeze;
  // What people added to the time that runs: of the step's hold, the soak or the wait for
  // readiness.
  Millis extension{0};
  Rare<RecoveryState> recovery;            // in `rolled_back` only
  std::vector<ConditionState> conditions;  // in the plan's order
  Seldom<AlertsState> alerts;
  std::string reason;  // why it is where it is, one sentence
  RareText waits_for;  // in `waiting`: for what, one sentence
  SysTime updated_at{};
  MaybeTime ended_at;
};

}  // namespace rollwatch
