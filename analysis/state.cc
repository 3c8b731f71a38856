#include "analysis/state.h"

#include <array>

#include "analysis/advance.h"

namespace rollwatch {
namespace {

template <class Enum, std::size_t N>
std::string_view pick(const std::array<std::string_view, N>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

constexpr std::array<std::string_view, 7> kDecisions{"advance",  "promote", "pause", "resume",
                                                     "rollback", "cancel",  "extend"};

}  // namespace

std::string_view name_of(State state) {
  constexpr std::array<std::string_view, 11> kNames{
      "waiting",  "analyzing",   "paused",          "promoting", "soaking",   "rolling_back",
      "promoted", "rolled_back", "rollback_failed", "cancelled", "superseded"};
  return pick(kNames, state);
}

bool is_final(State state) { return state >= State::kPromoted; }

bool is_over(const RolloutState& state) {
  return is_final(state.state) && !state.recovery && !awaits_somebody(state);
}

bool awaits_somebody(const RolloutState& state) {
  return state.state == State::kRollbackFailed && (state.order || state.lapsed);
}

bool is_rolling_back(const RolloutState& state) {
  return state.state == State::kRollingBack ||
         (state.state == State::kRollbackFailed && state.order);
}

std::string_view name_of(Verdict verdict) {
  constexpr std::array<std::string_view, 6> kNames{"pending", "passing", "failing",
                                                   "unknown", "failed",  "passed"};
  return pick(kNames, verdict);
}

std::string_view name_of(DecisionKind kind) { return pick(kDecisions, kind); }

std::optional<DecisionKind> decision_kind(std::string_view name) {
  for (std::size_t i = 0; i < kDecisions.size(); ++i)
    if (kDecisions[i] == name) return static_cast<DecisionKind>(i);
  return std::nullopt;
}

std::string_view name_of(QuestionKind kind) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(kLastQuestionKind) + 1> kNames{
      "no_answers",    "inconclusive",  "condition_failed", "order_refused",   "order_expired",
      "deadline",      "approve_start", "approve_step",     "approve_promote", "nothing_measured",
      "person_paused", "not_ready",     "ready_lost",       "alert_fires"};
  return pick(kNames, kind);
}

std::string question_id(const OpenQuestion& question) {
  return "q" + std::to_string(question.number);
}

bool lifts_itself(const OpenQuestion& question) {
  return question.kind == QuestionKind::kNoAnswers || question.kind == QuestionKind::kNotReady;
}

std::string_view name_of(EventType type) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(kLastEventType) + 1> kNames{
      "registered",    "started",    "step_began",    "verdict",          "decided",
      "paused",        "resumed",    "order_done",    "order_accepted",   "order_refused",
      "order_expired", "promoted",   "soaking",       "rolled_back",      "rollback_failed",
      "cancelled",     "superseded", "watch_resumed", "condition_failed", "reminder",
      "note",          "extended",   "frozen",        "thawed",           "ready",
      "recovered",     "still_bad",  "labelled"};
  return pick(kNames, type);
}

}  // namespace rollwatch
