// When a step ends, and what holds it back until then.
#include <algorithm>

#include "analysis/alerts.h"
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

void Mover::end_step_if_done(SysTime evaluated_at) {
  RolloutState& s = state();
  if (s.state != State::kAnalyzing || s.step < 0 || progress_is_ordered()) return;
  if (!told() && weighted() && has_next_step()) return;  // its steps move only by reported progress
  const StepPlan& step = step_at(fixed.plan, s.step);
  if (evaluated_at < hold_end()) return;
  if (const std::string what = held_back_by(); !what.empty()) {
    s.reason = cut(what, kLongestSentence);
    return;
  }

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
