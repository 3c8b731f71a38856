// What a slot's end does: in a step, in the soak, before the beginning and after a rollback.
#include "analysis/render.h"
#include "test/model/model.h"

namespace rollwatch::model {

void Model::on(const SlotAnswered& input) {
  const ConditionPlan& condition = plan_.conditions[input.condition];
  const auto last = last_slot(input.condition);
  if (!watching() || (last && input.slot <= *last)) return;
  std::vector<Label> select;
  for (const SelectLabel& label : std::get<ThresholdCondition>(condition.kind).select)
    select.push_back({label.name, render_select(label, spec_).value()});
  std::optional<SysTime> since;
  if (!condition.is_readiness && !recovery_) since = step_since();
  const Judged judged = judge(condition, input.value, input.evidence ? &*input.evidence : nullptr,
                              select, input.evaluated_at, since);
  Fact& fact = add(What::kSlot);
  fact.condition = input.condition;
  fact.first = fact.last = input.slot;
  fact.since = input.evaluated_at;
  fact.judged = judged;
  fact.counts = is_watched(input.condition, input.evaluated_at);
  out_.slots.push_back({input.condition, input.slot, input.slot, judged});
  if (fact.counts) slot_ended(input.condition);
}

void Model::on(const SlotsMissed& input) {
  const auto last = last_slot(input.condition);
  // Also the question that was out when the rollout ended has its end; it means nothing more.
  const bool ended = input.cause == Cause::kMissedEnded;
  if (!(watching() || ended) || (last && input.last <= *last)) return;
  Fact& fact = add(What::kSlot);
  fact.condition = input.condition;
  fact.first = last ? std::max(input.first, *last + 1) : input.first;
  fact.last = input.last;
  fact.since = input.evaluated_at;
  fact.judged = {Outcome::kMissed, input.cause, std::nullopt, std::nullopt};
  fact.counts = !ended && is_watched(input.condition, input.evaluated_at);
  out_.slots.push_back({input.condition, fact.first, fact.last, fact.judged});
  if (fact.counts) slot_ended(input.condition);
}

// One that was asked before the watching began, or for a step with this condition that is over, is
// recorded and has no effect.
bool Model::is_watched(std::size_t i, SysTime evaluated_at) const {
  const auto from = watched_from(i);
  return from && evaluated_at >= *from;
}

// The latest fact is a slot of this condition that counts.
void Model::slot_ended(std::size_t i) {
  const SysTime evaluated_at = facts_.back().since;
  if (recovery_) {
    const bool came_back = facts_.back().judged.outcome != Outcome::kMissed;
    if (recovery_->prolonged && came_back && recovery_is_seen()) recovery_ends();
    return;
  }
  if (newly_failed(i)) condition_failed(i);
  if (plan_.conditions[i].is_readiness) return on_readiness(i);
  use_patience(i, evaluated_at);
  if (facts_.back().judged.outcome == Outcome::kMissed) return;
  lift_pause(evaluated_at);
  step_ends(evaluated_at);
}

bool Model::newly_failed(std::size_t i) {
  if (!failed(i)) return false;
  const Fact slot = facts_.back();
  facts_.pop_back();
  const bool before = failed(i);
  facts_.push_back(slot);
  return !before;
}

void Model::condition_failed(std::size_t i) {
  const ConditionPlan& condition = plan_.conditions[i];
  if (condition.is_readiness && !begun()) return;
  const auto what =
      condition.on_fail == OnFail::kPause ? DecisionKind::kPause : DecisionKind::kRollback;
  if (condition.on_fail == OnFail::kObserve || only_observe()) {
    out_.decisions.push_back({what, "engine", true, i});
    return;
  }
  if (what == DecisionKind::kRollback) return roll_back("engine", i);
  if (state_ == State::kSoaking) return;
  if (a_question_stands_before_failing()) return;
  pause(condition.is_readiness ? QuestionKind::kReadyLost : QuestionKind::kConditionFailed,
        "engine", i);
}

// But for those that a yes to would send it on, and one that is waited for only for want of
// answers.
bool Model::a_question_stands_before_failing() const {
  if (!question_) return false;
  switch (question_->kind) {
    case QuestionKind::kApproveStep:
    case QuestionKind::kApprovePromote:
    case QuestionKind::kNothingMeasured:
    case QuestionKind::kNoAnswers:
      return false;
    default:
      return true;
  }
}

void Model::use_patience(std::size_t i, SysTime evaluated_at) {
  if (state_ != State::kAnalyzing || !gates(i)) return;
  if (const auto since = silent_since(i); since && evaluated_at - *since >= plan_.patience)
    return pause(QuestionKind::kNoAnswers, "engine", i);
  if (facts_.back().judged.cause != Cause::kBetweenLimits) return;
  if (const auto since = undecided_since(i); since && evaluated_at - *since >= plan_.patience) {
    if (plan_.on_inconclusive == OnInconclusive::kRollback) return roll_back("engine", i);
    pause(QuestionKind::kInconclusive, "engine", i);
  }
}

// A pause for want of answers is lifted when every gating condition passes again. One that is
// ignored for want of an answer gates nothing meanwhile, but cannot lift the pause alone.
void Model::lift_pause(SysTime evaluated_at) {
  if (state_ != State::kPaused || question_->kind != QuestionKind::kNoAnswers) return;
  bool some_pass = false;
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    if (!gates(i) || ignored(i)) continue;
    const Fact* last = last_of(i);
    if (failed(i) || last == nullptr || last->judged.outcome != Outcome::kPass) return;
    some_pass = true;
  }
  if (!some_pass) return;
  add(What::kLifted).since = evaluated_at;
  // How long nobody answered is not held against it.
  deadline_at_ += std::max(Millis{0}, now_ - question_->since);
  decide(DecisionKind::kResume, "engine");
  question_.reset();
  state_ = State::kAnalyzing;
  if (told()) order(DecisionKind::kResume, reached_);
}

}  // namespace rollwatch::model
