#include "analysis/position.h"

#include <algorithm>

#include "analysis/alerts.h"
#include "analysis/compare/standing.h"
#include "analysis/compare/words.h"
#include "analysis/judge.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

bool moves_traffic(DecisionKind kind) {
  return kind == DecisionKind::kAdvance || kind == DecisionKind::kPromote ||
         kind == DecisionKind::kRollback;
}

}  // namespace

std::uint32_t fails_in_window(const ConditionPlan& condition, const ConditionState& state) {
  if (condition.within == kWithinAll) return state.fails_of_all;
  return static_cast<std::uint32_t>(std::count_if(state.recent.begin(), state.recent.end(),
                                                  [](const CountedSlot& s) { return s.failing; }));
}

std::string failing_sentence(const ConditionPlan& condition, const ConditionState& state) {
  std::string text = condition.name;
  if (state.last) text += " " + describe(*state.last);
  if (comparison_of(condition) != nullptr) return text;
  text += ", " + std::to_string(fails_in_window(condition, state));
  if (condition.within == kWithinAll)
    return text + " of all " + std::to_string(state.answers_of_all);
  return text + " of the last " + std::to_string(state.recent.size());
}

bool Position::applies_now(std::size_t i) const {
  const bool is_over = state().soak_since && !weighted();  // as at 100 %
  if (is_over && comparison_of(condition(i)) != nullptr) return false;
  return applies(condition(i), step_weight(fixed.plan, state()));
}

bool Position::can_stop(std::size_t i) const {
  return !state().conditions_only_observe && condition(i).on_fail != OnFail::kObserve &&
         applies_now(i);
}

bool Position::gates(std::size_t i) const { return !condition(i).is_readiness && can_stop(i); }

bool Position::any_gates() const {
  for (std::size_t i = 0; i < fixed.plan.conditions.size(); ++i)
    if (gates(i)) return true;
  return false;
}

std::optional<std::size_t> Position::unanswered() const {
  for (std::size_t i = 0; i < fixed.plan.conditions.size(); ++i)
    if (gates(i) && verdict_of(fixed, state(), i) == Verdict::kUnknown) return i;
  return std::nullopt;
}

bool Position::is_ignored(std::size_t i) const {
  const auto& last = state().conditions[i].last;
  return last &&
         ((last->outcome == Outcome::kNoData && condition(i).on_no_data == OnMissing::kIgnore) ||
          (last->outcome == Outcome::kError && condition(i).on_error == OnMissing::kIgnore));
}

bool Position::holds_nothing_back(std::size_t i) const {
  const ConditionState& c = state().conditions[i];
  if (!c.last || c.failed) return false;
  if (is_ignored(i)) return true;
  return c.last->outcome == Outcome::kPass &&
         c.passes_in_step >= static_cast<std::uint32_t>(condition(i).min_passes);
}

bool Position::progress_is_ordered() const {
  return state().order && moves_traffic(state().order->kind);
}

SysTime Position::hold_end() const {
  return *state().hold_since + step_at(fixed.plan, state().step).hold + state().extension;
}

SysTime Position::soak_end() const {
  return *state().soak_since + fixed.plan.soak + state().extension;
}

// Slots are evaluated for what lies an ingestion delay before now: at the soak's end by the clock
// its last minutes were not looked at yet.
SysTime Position::soak_over_at() const {
  for (std::size_t i = 0; i < state().conditions.size(); ++i) {
    const ConditionState& c = state().conditions[i];
    if (!c.watched_from) continue;
    const bool looked_at = c.last_evaluated_at >= *c.watched_from;
    const SysTime next = looked_at ? c.last_evaluated_at + condition(i).interval : *c.watched_from;
    if (next <= soak_end()) return soak_end() + kLongestIngestionDelay;
  }
  return soak_end();
}

std::string Position::where() const {
  const auto weight = step_weight(fixed.plan, state());
  return weight ? " at " + percent(*weight) : "";
}

std::string Position::held_back_by() const {
  const RolloutState& s = state();
  if (s.freeze) return s.freeze->text;
  if (s.newer_waits) return std::string(kNewerWaits);
  const std::string over = "the hold" + where() + " is over: waits for ";
  if (alerts_hold(*this)) {
    const auto& firing = s.alerts->firing;
    const auto counts = std::find_if(firing.begin(), firing.end(),
                                     [](const FiringAlert& alert) { return alert.counts; });
    return over + "the end of an alert: " + alert_sentence(*counts);
  }
  bool measured = !any_gates();
  for (std::size_t i = 0; i < s.conditions.size(); ++i) {
    if (!gates(i)) continue;
    const ConditionState& c = s.conditions[i];
    measured = measured || c.passes_in_step > 0;
    if (holds_nothing_back(i)) continue;
    const bool passed = c.last && c.last->outcome == Outcome::kPass;
    if (c.last && !passed) return over + condition(i).name + ": " + describe(*c.last, condition(i));
    return over + condition(i).name + ": " + std::to_string(c.passes_in_step) + " of " +
           std::to_string(condition(i).min_passes) + " passes";
  }
  // Whichever was looked at last: the slot of another may have raised what they have together.
  for (std::size_t i = 0; i < s.conditions.size(); ++i) {
    if (!gates(i) || is_ignored(i) || comparison_of(condition(i)) == nullptr) continue;
    const ComparisonStanding standing = standing_of(fixed.plan, s.conditions, i);
    if (standing.keeps_weight)
      return over + "the evidence of all comparisons together to fall: it is " +
             evidence_of(standing.log_together, standing.log_alpha);
  }
  return measured ? "" : over + "an answer that passes: those that are missing are ignored";
}

}  // namespace rollwatch
