// What the facts amount to: verdicts, what holds a step back, and when time alone changes
// something.
#include <algorithm>

#include "test/model/model.h"

namespace rollwatch::model {

bool Model::gates(std::size_t i) const {
  const ConditionPlan& condition = plan_.conditions[i];
  return !condition.is_readiness && condition.on_fail != OnFail::kObserve && !only_observe() &&
         applies(condition, weight());
}

bool Model::any_gates() const {
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i)
    if (gates(i)) return true;
  return false;
}

bool Model::ignored(std::size_t i) const {
  const Fact* last = last_of(i);
  if (last == nullptr) return false;
  const ConditionPlan& condition = plan_.conditions[i];
  return (last->judged.outcome == Outcome::kNoData && condition.on_no_data == OnMissing::kIgnore) ||
         (last->judged.outcome == Outcome::kError && condition.on_error == OnMissing::kIgnore);
}

// It does not keep the step from ending.
bool Model::lets_go(std::size_t i) const {
  if (failed(i)) return false;
  return ignored(i) || verdict_of(i) == Verdict::kPassing;
}

Verdict Model::verdict_of(std::size_t i) const {
  if (failed(i)) return Verdict::kFailed;
  const Fact* last = last_of(i);
  if (last == nullptr) return Verdict::kPending;
  switch (last->judged.outcome) {
    case Outcome::kFail:
      return Verdict::kFailing;
    case Outcome::kNoData:
    case Outcome::kError:
    case Outcome::kMissed:
      return Verdict::kUnknown;
    case Outcome::kInconclusive:
      return Verdict::kPending;
    case Outcome::kPass:
      break;
  }
  if (state_ == State::kPromoted) return Verdict::kPassed;
  const int passes = passes_in_step(i);
  return passes > 0 && passes >= plan_.conditions[i].min_passes ? Verdict::kPassing
                                                                : Verdict::kPending;
}

Verdict Model::verdict() const {
  if (state_ == State::kPromoted) return Verdict::kPassed;
  if (is_final(state_)) return last_verdict_;
  // One that is ignored for want of an answer gates nothing meanwhile; what failed counts wherever
  // the rollout is by now, also that readiness was lost.
  std::vector<Verdict> of_gating;
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    const bool stops = plan_.conditions[i].on_fail != OnFail::kObserve && !only_observe();
    if ((gates(i) && !ignored(i)) || (stops && failed(i))) of_gating.push_back(verdict_of(i));
  }
  if (alerts_can_stop() && alerts_failed()) of_gating.push_back(Verdict::kFailed);
  if (alerts_hold()) of_gating.push_back(Verdict::kFailing);
  for (const Verdict worst : {Verdict::kFailed, Verdict::kFailing, Verdict::kUnknown,
                              Verdict::kPending, Verdict::kPassing})
    if (std::find(of_gating.begin(), of_gating.end(), worst) != of_gating.end()) return worst;
  return Verdict::kPending;
}

bool Model::watching() const {
  switch (state_) {
    case State::kAnalyzing:
    case State::kPaused:
    case State::kPromoting:
    case State::kSoaking:
      return true;
    case State::kWaiting:
      return ready_.attempt > 0;
    case State::kRolledBack:
      return recovery_.has_value();
    default:
      return false;
  }
}

bool Model::may_begin() const {
  return state_ == State::kWaiting && !question_ && !freeze_ && ready();
}

bool Model::has_next_step() const { return step() + 1 < static_cast<int>(plan_.steps.size()); }

bool Model::order_to_go_on() const {
  return order_ &&
         (order_->kind == DecisionKind::kAdvance || order_->kind == DecisionKind::kPromote);
}

bool Model::some_gate_is_silent() const {
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i)
    if (gates(i) && verdict_of(i) == Verdict::kUnknown) return true;
  return false;
}

bool Model::deadline_runs() const {
  if (freeze_ || only_observe()) return false;
  return state_ == State::kAnalyzing || (state_ == State::kWaiting && !question_);
}

// Whether the end of the hold alone ends the step.
bool Model::hold_runs() const {
  if (state_ != State::kAnalyzing || step() < 0 || any_gates() || alerts_hold() || held() ||
      order_to_go_on())
    return false;
  return told() || !has_next_step();
}

std::optional<SysTime> Model::reminder() const {
  if (question_) return question_->reminded_at + std::chrono::minutes(30);
  if (awaits_somebody() && !order_) return lapsed_->reminded_at + std::chrono::minutes(5);
  if (state_ != State::kRollingBack && !awaits_somebody()) return std::nullopt;
  if (order_->reminded_at == SysTime{}) return order_->at + std::chrono::minutes(1);
  return order_->reminded_at + std::chrono::minutes(5);
}

std::optional<SysTime> Model::ready_time() const {
  if (state_ != State::kWaiting || question_ || ready_.attempt == 0 || ready_.stopped_at || ready())
    return std::nullopt;
  if (ready_.retry_at) return ready_.retry_at;
  if (ready_.ends_at) return *ready_.ends_at + extension_;
  return std::nullopt;
}

// At its end, or when the last slot of it has ended; but not much later.
SysTime Model::soak_time() const {
  return soak_end() + (soak_is_seen() ? Millis{0} : Millis{3'600'000});
}

std::optional<SysTime> Model::timer() const {
  std::vector<SysTime> times;
  if (deadline_runs()) times.push_back(deadline_at_);
  if (hold_runs()) times.push_back(hold_end());
  if (state_ == State::kSoaking) times.push_back(soak_time());
  if (const auto at = reminder()) times.push_back(*at);
  if (const auto at = ready_time()) times.push_back(*at);
  if (recovery_) times.push_back(recovery_->until);
  if (times.empty()) return std::nullopt;
  return *std::min_element(times.begin(), times.end());
}

Seen Model::seen() const {
  Seen seen = out_;
  seen.state = state_;
  seen.step = step();
  seen.weight = weight();
  seen.reached = reached_;
  seen.verdict = verdict();
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    SeenCondition condition{verdict_of(i), next_slot(i, Millis{0}), {}};
    for (const Fact& fact : facts_) {
      if (fact.what == What::kSlot && fact.condition == i)
        condition.counts[static_cast<std::size_t>(fact.judged.outcome)] +=
            static_cast<std::uint32_t>(fact.last - fact.first + 1);
    }
    seen.conditions.push_back(condition);
  }
  for (const auto& [fingerprint, fact] : firing())
    seen.alerts += fingerprint + (fact->counts ? " counts, " : " does not, ");
  if (alerts_failed()) seen.alerts += "failed";
  if (order_) seen.order = {order_->kind, order_->number, order_->weight, order_->accepted};
  if (question_) seen.question = question_->kind;
  seen.questions = questions_;
  seen.timer = timer();
  seen.watching = watching();
  seen.may_begin = may_begin();
  return seen;
}

}  // namespace rollwatch::model
