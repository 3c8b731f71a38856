// Questions about a state, for the moves that change it (mover.h) and for whoever only looks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analysis/advance.h"

namespace rollwatch {

// The longest delay that can be configured: by then the slots of a soak have ended.
inline constexpr Millis kLongestIngestionDelay{60 * 60'000};
inline constexpr std::string_view kNewerWaits =
    "a newer rollout waits to begin: until then this one is watched, but does not advance";

// How a rollout stands: what its state, which is looked at and not copied, means under its plan.
class Position {
 public:
  Position(Fixed fixed, const RolloutState& state) : fixed(fixed), state_(state) {}
  Position(const Position&) = delete;
  Position& operator=(const Position&) = delete;

  const Fixed fixed;

  const RolloutState& state() const { return state_; }
  const ConditionPlan& condition(std::size_t i) const { return fixed.plan.conditions[i]; }

  // Whether the condition can decide anything now: it applies to this step and does not only
  // observe. Readiness gates no step.
  bool gates(std::size_t i) const;
  // Whether it can stop the rollout now by failing: one that gates, or readiness that is not to be
  // lost.
  bool can_stop(std::size_t i) const;
  bool applies_now(std::size_t i) const;
  bool any_gates() const;
  // The first gating condition whose latest slot gave no answer.
  std::optional<std::size_t> unanswered() const;
  // Its latest slot gave no answer, and the condition says that this is to be ignored.
  bool is_ignored(std::size_t i) const;
  // Latest slot passed and enough slots of this step did; or it has no answer and is told to be
  // ignored.
  bool holds_nothing_back(std::size_t i) const;
  // Why the step does not end although its hold is over, a sentence; "" if nothing keeps it.
  std::string held_back_by() const;
  bool told() const { return !fixed.spec.orchestrator.empty(); }
  bool weighted() const { return fixed.plan.steps.front().weight.has_value(); }
  bool has_next_step() const {
    return state().step + 1 < static_cast<int>(fixed.plan.steps.size());
  }
  bool progress_is_ordered() const;
  // No order to go on is given now: a freeze, or a newer rollout that waits to begin.
  bool is_held() const { return state().freeze || state().newer_waits; }
  SysTime hold_end() const;
  // Of the time that is evaluated for.
  SysTime soak_end() const;
  // When the soak is over: at its end, if every slot evaluated for a time in it has ended, and
  // otherwise when the last of them does, but no later than this.
  SysTime soak_over_at() const;
  std::string where() const;  // "at 5 %", or "" without weights

 private:
  const RolloutState& state_;
};

// One sentence: "error-rate 0.083 > 0.05, 3 of the last 3".
std::string failing_sentence(const ConditionPlan& condition, const ConditionState& state);

// Whether an alert keeps the step from ending.
bool alerts_hold(const Position& m);

std::uint32_t fails_in_window(const ConditionPlan& condition, const ConditionState& state);

}  // namespace rollwatch
