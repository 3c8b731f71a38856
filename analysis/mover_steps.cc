// When a step ends, and what holds it back until then.
#include <algorithm>

#include "analysis/alerts.h"
#include "analysis/compare/standing.h"
#include "analysis/judge.h"
#include "analysis/mover.h"
#include "analysis/text.h"

namespace rollwatch {

// Of those that are about the new version, readiness is not.
bool Mover::ever_passed() const {
  for (std::size_t i = 0; i < state().conditions.size(); ++i)
    if (!condition(i).is_readiness && state().conditions[i].passes > 0) return true;
  return false;
}

// Every comparison that gates has shown that the candidate is not worse than its margin, nothing
// else holds the step back, and nobody is to be asked on the way: the rest of the steps would show
// nothing new.
bool Mover::may_promote_early() const {
  if (!told() || extension_is_asked()) return false;  // who asks goes on when it wants to
  const auto asks = [this](std::size_t step) { return fixed.plan.steps[step].approve; };
  for (auto step = static_cast<std::size_t>(state().step); step < fixed.plan.steps.size(); ++step)
    if (asks(step)) return false;
  bool any = false;
  for (std::size_t i = 0; i < state().conditions.size(); ++i) {
    const CompareCondition* compares = comparison_of(condition(i));
    if (compares == nullptr || condition(i).on_fail == OnFail::kObserve) continue;
    if (!compares->early_promote || !gates(i)) return false;
    if (!standing_of(fixed.plan, state().conditions, i).is_established) return false;
    any = true;
  }
  return any && !would_skip_a_guard();
}

// A person wants it to be looked at for longer.
bool Mover::extension_is_asked() const { return state().extension > Millis{0}; }

// A condition that is only asked in a step to come, and has passed nowhere yet.
bool Mover::would_skip_a_guard() const {
  for (std::size_t i = 0; i < state().conditions.size(); ++i) {
    const ConditionPlan& guard = condition(i);
    if (guard.is_readiness || guard.on_fail == OnFail::kObserve) continue;
    if (applies_now(i) || state().conditions[i].passes > 0) continue;
    for (auto step = static_cast<std::size_t>(state().step) + 1; step < fixed.plan.steps.size();
         ++step)
      if (applies(guard, fixed.plan.steps[step].weight)) return true;
  }
  return false;
}

void Mover::promote_early() {
  const std::string shown = "shown to be within promote_margin of stable" + where();
  if (fixed.plan.approve_promote)
    pause(QuestionKind::kApprovePromote, kEngine,
          shown + ": waits for an approval to promote early");
  else
    promote(kEngine, shown + ": promoted early");
}

void Mover::end_step_if_done(SysTime evaluated_at) {
  RolloutState& s = state();
  if (s.state != State::kAnalyzing || s.step < 0 || progress_is_ordered()) return;
  const bool early = may_promote_early() && held_back_by().empty();
  if (!told() && weighted() && has_next_step()) return;  // its steps move only by reported progress
  const StepPlan& step = step_at(fixed.plan, s.step);
  if (evaluated_at < hold_end() && !early) return;
  if (const std::string what = held_back_by(); !what.empty()) {
    s.reason = cut(what, kLongestSentence);
    return;
  }

  if (early && (has_next_step() || evaluated_at < hold_end())) return promote_early();

  const Millis held = step.hold + s.extension;
  const std::string span = held > Millis{0} ? " for " + format_duration(held) : "";
  const std::string reason = any_gates() ? "all conditions passed" + where() + span
                                         : "held" + where() + span + " without conditions";
  if (step.approve) {
    pause(QuestionKind::kApproveStep, kEngine, reason + ": waits for an approval to go on");
  } else if (!has_next_step() && !ever_passed()) {
    pause(
        QuestionKind::kNothingMeasured, kEngine,
        "no condition passed even once: nothing was measured, so a person must decide to promote");
  } else if (!has_next_step() && fixed.plan.approve_promote) {
    pause(QuestionKind::kApprovePromote, kEngine, reason + ": waits for an approval to promote");
  } else {
    go_on(kEngine, reason);
  }
}

}  // namespace rollwatch
