// What becomes of orders, and what the orchestrator reports on its own account.
#include <algorithm>

#include "test/model/model.h"

namespace rollwatch::model {

int Model::step_at(double weight) const {
  int index = -1;
  for (const StepPlan& step : plan_.steps)
    if (*step.weight <= weight) ++index;
  return index;
}

void Model::on(const OrderEnded& input) {
  if (lapsed_ && lapsed_->number == input.number && input.end == OrderEnd::kDone) {
    const OpenOrder late = *lapsed_;
    lapsed_.reset();
    return took_effect(late);
  }
  if (!order_ || order_->number != input.number) return;
  const OpenOrder ended = *order_;
  if (input.end == OrderEnd::kAccepted) {
    order_->accepted = true;
    return;
  }
  if (input.end == OrderEnd::kDone) return took_effect(ended);
  order_.reset();
  if (ended.kind == DecisionKind::kRollback) {
    if (state_ != State::kRollbackFailed) end(State::kRollbackFailed);
    lapsed_ = ended;
    lapsed_->accepted = false;
    lapsed_->reminded_at = now_;
    return;
  }
  if (ended.kind == DecisionKind::kPause || ended.kind == DecisionKind::kResume) return;
  if (input.end == OrderEnd::kExpired) lapsed_ = ended;
  pause(input.end == OrderEnd::kExpired ? QuestionKind::kOrderExpired : QuestionKind::kOrderRefused,
        "engine");
}

void Model::took_effect(const OpenOrder& done) {
  order_.reset();
  if (state_ == State::kRollbackFailed) {  // ended is ended
    reached_ = 0;
    return;
  }
  if (done.kind == DecisionKind::kRollback) return rolled_back();
  if (done.kind == DecisionKind::kPause || done.kind == DecisionKind::kResume) return;
  question_.reset();
  if (done.kind == DecisionKind::kPromote) return reach_everything(now_);
  state_ = State::kAnalyzing;
  reach_step(step_at(done.weight), now_);
  ask_about_failed();
}

void Model::on(const RollbackSentAgain&) {
  if (refuse(state_ != State::kRollbackFailed || !lapsed_)) return;
  order_ = lapsed_;
  order_->at = now_;
  order_->reminded_at = SysTime{};
  lapsed_.reset();
}

void Model::on(const WeightReported& input) {
  const bool nothing_to_move = !begun() && state_ != State::kRollingBack;
  if (refuse(nothing_to_move || is_final(state_) || !weighted())) return;
  const int index = step_at(input.weight);
  // No step began before the one before it, or before the rollout.
  const SysTime since = std::max(input.since, step_since().value_or(spec_.created_at));
  if (state_ == State::kRollingBack && index >= 0) return;
  if (index < 0) {
    reached_ = input.weight;
    if (step() < 0 && state_ != State::kRollingBack) return;
    settle(DecisionKind::kRollback, index);
    rolled_back();
    reached_ = input.weight;
    return;
  }
  if (input.weight >= 100) {
    if (state_ == State::kSoaking) return;
    settle(DecisionKind::kPromote, index);
    return reach_everything(since);
  }
  if (index == step() && state_ != State::kSoaking) {
    reached_ = input.weight;
    return;
  }
  // An order that goes further than that is on its way.
  const bool on_its_way =
      order_to_go_on() && input.weight >= reached_ && input.weight < order_->weight;
  if (order_to_go_on() && !on_its_way) settle(DecisionKind::kAdvance, index);
  lapsed_.reset();
  // The move answers a question about leaving the step that was left, or about the order to.
  if (question_ && (yes_sends_on() || question_->kind == QuestionKind::kOrderExpired ||
                    question_->kind == QuestionKind::kOrderRefused)) {
    withdraw();
    question_.reset();
  }
  if (!question_ && !on_its_way) state_ = State::kAnalyzing;
  reach_step(index, since);
  reached_ = input.weight;
  ask_about_failed();
}

// The order that is out took effect by itself if it was this one, else it is overtaken.
void Model::settle(DecisionKind kind, int index) {
  lapsed_.reset();
  if (!order_) return;
  const bool same =
      order_->kind == kind && (kind != DecisionKind::kAdvance || step_at(order_->weight) == index);
  if (!same) return withdraw();
  out_.settled.push_back(order_->number);
  order_.reset();
}

}  // namespace rollwatch::model
