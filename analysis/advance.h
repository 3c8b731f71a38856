// The transition function of a rollout: (what is fixed, state, what happened, now) → what follows.
// Pure: it reads no clock, does no I/O and changes nothing in place, so the same inputs give the
// same verdicts on every run and a whole rollout can be played in a test in microseconds.
//
//   Transition t = advance({spec, plan}, state, SlotAnswered{…}, now);
//   if (t.refusal) …            // a person asked for what is not possible now; nothing else is set
//   store.record(t);            // state, evaluations, decisions and orders become durable together
//   state = t.state;            // and only then are they acted on
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "analysis/answer.h"
#include "analysis/compare/history_slot.h"
#include "analysis/plan.h"
#include "analysis/spec.h"
#include "analysis/state.h"

namespace rollwatch {

// By what means a caller came: for the audit, beside who they say they are and why. The engine's
// own doing has neither.
struct Via {
  std::string token;    // its name
  std::string address;  // where from
  Via() = default;
  Via(std::string by_token, std::string from)
      : token(std::move(by_token)), address(std::move(from)) {}
  friend bool operator==(const Via&, const Via&) = default;
};

// ---- What can happen

// Nothing stands before the rollout any more: no freeze, no earlier rollback. Leaves `waiting`
// unless an approval is asked for.
struct Begin {};

// A slot was asked and answered (an error is an answer).
struct SlotAnswered {
  std::size_t condition = 0;
  std::int64_t slot = 0;   // index on the condition's grid
  SysTime evaluated_at{};  // slot time − ingestion delay
  Answer value;
  std::optional<Answer> evidence;
  // Of a condition that compares, in place of both: as questions_of() asks.
  std::vector<Answer> arms = {};
};

// What stable did before the rollout was read, for a condition that compares; or could not be.
struct HistoryRead {
  std::size_t condition = 0;
  std::vector<HistorySlot> slots;
  std::string failed;  // why there are none
};

// Consecutive slots of one condition that were never asked or have no record.
struct SlotsMissed {
  std::size_t condition = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  SysTime evaluated_at{};  // of the last
  Cause cause = Cause::kMissedLate;
};

struct PersonDecided {
  DecisionKind kind = DecisionKind::kPause;
  std::string by;
  std::string reason;
  std::optional<std::string> question;  // the id it answers, if the caller named one
  Millis span{0};                       // of kExtend: how much longer
  std::string traceparent = {};         // of the call, if it has one
  Via via = {};
};

enum class OrderEnd : std::uint8_t { kDone, kAccepted, kRefused, kExpired };
struct OrderEnded {
  unsigned number = 0;
  OrderEnd end = OrderEnd::kDone;
  std::string detail;  // the receiver's words, or what went wrong last
  Via via = {};        // of an acknowledgement that came as a call
};

// A person has the rollback that failed sent again: the same order, with a new deadline.
struct RollbackSentAgain {
  std::string by;
  std::string reason;
  Via via = {};
};

// The orchestrator says which share the candidate has, on its own account.
struct WeightReported {
  double weight = 0;
  SysTime since{};
  std::string by;
  Via via = {};
};

struct SupersededBy {
  std::string rollout;
  std::string candidate;
};

// Watching had stopped (restart, clock jump) and goes on: patience starts again, nothing advances
// before a new pass. The missed slots themselves come as SlotsMissed.
struct WatchResumed {
  Cause cause = Cause::kMissedDowntime;
};

// A moment asked for by next_timer().
struct TimePassed {};

// Another rollout of the same target took the place this one was waiting for, or freed it.
struct PredecessorRollingBack {
  bool rolling_back = true;
};

// A newer rollout of the same target is registered and has not begun: until it does (and supersedes
// this one), this one is watched and may be rolled back, but does not advance by itself.
struct NewerWaits {
  bool waits = true;
};

// An older rollout of the same target has begun and not ended, so the traffic that is not stable's
// is its: to order this one's rollback before it has begun would take that away.
struct OlderActive {
  bool active = true;
};

// How the sentence begins of a freeze that is not of one service.
inline constexpr std::string_view kEverythingIs = "everything is ";

// A person froze the service, or everything; or no freeze holds it any more (no text).
struct FreezeChanged {
  std::optional<std::string> text = {};  // one sentence: "frozen by ana: stocktaking"
  std::string by = {};                   // who did that; "": nobody, its time was up
  std::string reason = {};               // their own words
  Via via = {};
};

// An alert whose labels match the plan's `alerts` fires, or is resolved. It may be told again and
// again, and out of order.
struct AlertChanged {
  std::string fingerprint;
  std::string name;    // its alertname
  std::string labels;  // the others, `instance="a", severity="page"`
  std::string summary;
  std::string generator_url;
  SysTime starts_at{};
  std::optional<SysTime> ends_at = {};  // of one that is resolved
  bool firing = true;
  Via via = {};
};

using Input =
    std::variant<Begin, SlotAnswered, SlotsMissed, PersonDecided, OrderEnded, WeightReported,
                 SupersededBy, WatchResumed, TimePassed, PredecessorRollingBack, NewerWaits,
                 FreezeChanged, AlertChanged, RollbackSentAgain, OlderActive, HistoryRead>;

// ---- What follows

struct Evaluation {
  std::size_t condition = 0;
  std::int64_t slot = 0;
  std::int64_t last_slot = 0;  // = slot, but for a run of missed ones
  SysTime slot_time{};
  SysTime evaluated_at{};
  Judgement judgement;
  int step = -1;
  Millis duration{0};
};

struct Decision {
  unsigned number = 0;  // decision_id(spec, number)
  DecisionKind kind = DecisionKind::kAdvance;
  std::string by;                        // "engine" or a person
  std::string reason;                    // one sentence
  std::optional<std::size_t> condition;  // the one that decided, if one did
  bool by_alerts = false;                // it was an alert that decided
  bool would_have = false;               // of an observing condition: recorded, nothing done
  Via via = {};                          // of a person's
  SysTime at{};
  std::string traceparent = {};  // of the call it came with; "": none did
};

// An order to be delivered. Ids and the time it was decided come from the decision; the fence from
// the store.
struct Order {
  unsigned number = 0;
  unsigned decision = 0;
  DecisionKind kind = DecisionKind::kAdvance;
  double weight = 0;
};

enum class EventType : std::uint8_t {
  kRegistered,
  kStarted,
  kStepBegan,
  kVerdict,
  kDecided,
  kPaused,
  kResumed,
  kOrderDone,
  kOrderAccepted,
  kOrderRefused,
  kOrderExpired,
  kPromoted,
  kSoaking,
  kRolledBack,
  kRollbackFailed,
  kCancelled,
  kSuperseded,
  kWatchResumed,
  kConditionFailed,
  kReminder,
  kNote,
  kExtended,
  kFrozen,
  kThawed,
  kReady,
  kRecovered,  // after a rollback, the failed conditions pass again
  kStillBad,   // or they do not
  kLabelled,   // a person says whether how it ended was right
};
inline constexpr EventType kLastEventType = EventType::kLabelled;
std::string_view name_of(EventType type);

// One line of the event log: the only origin of waiting callers, streams, notifications, audit and
// page.
struct Event {
  EventType type = EventType::kNote;
  SysTime at{};
  State state = State::kWaiting;  // after it
  int step = -1;
  std::optional<double> weight;
  std::string summary;  // one sentence for people
  std::string by;       // "engine" or a person
  std::string reason;   // a person's own words
  Via via;              // of what a call brought about
  std::string condition;
  std::optional<double> value;
  std::string rule;
  Verdict verdict = Verdict::kPending;
  std::optional<unsigned> decision;
  std::optional<unsigned> order;
  std::optional<DecisionKind> kind;
  std::string question;
  std::string datasource;  // whose trouble it is about, as in OpenQuestion
  // Of a type that is mostly for the record (condition_failed, ready, note): this one people must
  // hear of, because no other event says it.
  bool is_news = false;
};

struct Transition {
  std::optional<std::string> refusal;  // 409: why not; then nothing else is set
  RolloutState state;
  std::vector<Evaluation> evaluations;
  std::vector<Decision> decisions;
  std::vector<Order> orders;        // at most one is left open
  std::vector<unsigned> withdrawn;  // numbers of orders that must no longer go out
  std::vector<unsigned>
      settled;  // numbers of orders that took effect without an answer of their own
  std::vector<Event> events;
  bool changed() const { return !events.empty() || !evaluations.empty() || !decisions.empty(); }
};

struct Fixed {
  const RolloutSpec& spec;
  const Plan& plan;
};

// The state right after registration, its grid phases chosen, with the event that says so. `frozen`
// is the freeze that holds it from the start.
Transition registered(Fixed fixed, SysTime now, const FreezeChanged& frozen = {});

Transition advance(Fixed fixed, const RolloutState& state, const Input& input, SysTime now);

// ---- When to look again

// The first instant at which TimePassed would change something: a hold without conditions, the end
// of the soak, the deadline, a reminder. None: only slots and callers can.
std::optional<SysTime> next_timer(Fixed fixed, const RolloutState& state);

// Slots are asked in analyzing, paused, promoting and soaking of the conditions that apply to the
// step, before that of the readiness gate, and after a rollback of what failed.
bool is_watching(const RolloutState& state);

// Nothing in the rollout itself stands before its Begin: no question, no freeze, and it is ready.
bool may_begin(Fixed fixed, const RolloutState& state);

// ---- What it amounts to

Verdict verdict_of(Fixed fixed, const RolloutState& state, std::size_t condition);
Verdict verdict_of(Fixed fixed, const RolloutState& state);  // the worst of the gating ones

// The weight of the step reached; 100 once promoted; none for a plan without weights.
std::optional<double> step_weight(const Plan& plan, const RolloutState& state);

}  // namespace rollwatch
