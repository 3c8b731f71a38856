// What people decide.
#include <algorithm>

#include "test/model/model.h"

namespace rollwatch::model {

void Model::on(const PersonDecided& input) {
  if (refuse(is_refused(input))) return;
  switch (input.kind) {
    case DecisionKind::kAdvance:
      return person_advances(input);
    case DecisionKind::kPromote:
      add(What::kOnlyObserve);
      if (state_ == State::kPromoting) return decide(DecisionKind::kPromote, input.by);
      return promote(input.by);
    case DecisionKind::kPause:
      return pause(QuestionKind::kPersonPaused, input.by);
    case DecisionKind::kResume:
      return answer_yes(input);
    case DecisionKind::kRollback:
      return roll_back(input.by);
    case DecisionKind::kCancel:
      decide(DecisionKind::kCancel, input.by);
      withdraw();
      return end(State::kCancelled);
    case DecisionKind::kExtend:
      decide(DecisionKind::kExtend, input.by);
      return extend(input.span);
  }
}

bool Model::is_refused(const PersonDecided& input) const {
  if (input.question && (!question_ || question_id(*question_) != *input.question)) return true;
  if (is_final(state_) || state_ == State::kRollingBack) return true;
  const bool waiting = state_ == State::kWaiting;
  const bool analyzing_or_paused = state_ == State::kAnalyzing || state_ == State::kPaused;
  const bool can_skip_readiness = plan_.ready && !ready_.overruled &&
                                  !(question_ && question_->kind == QuestionKind::kApproveStart);
  switch (input.kind) {
    case DecisionKind::kAdvance:
      if (!begun()) return !can_skip_readiness;
      return freeze_ || !analyzing_or_paused || !weighted() || !told() || order_to_go_on();
    case DecisionKind::kPromote:
      // Where the order is out already, none is given.
      return !begun() || state_ == State::kSoaking || (freeze_ && state_ != State::kPromoting);
    case DecisionKind::kPause:
      if (state_ == State::kPaused)
        return question_->kind != QuestionKind::kNoAnswers &&
               question_->kind != QuestionKind::kNotReady;
      return waiting || state_ == State::kSoaking;
    case DecisionKind::kResume:
      return !question_ || (freeze_ && yes_sends_on());
    case DecisionKind::kRollback:
    case DecisionKind::kCancel:
      return false;
    case DecisionKind::kExtend:
      return order_to_go_on() || state_ == State::kPromoting;
  }
  return false;
}

bool Model::yes_sends_on() const {
  return question_->kind == QuestionKind::kApproveStep ||
         question_->kind == QuestionKind::kApprovePromote ||
         question_->kind == QuestionKind::kNothingMeasured;
}

// A deadline that has passed gives another one to whoever decides to go on.
void Model::renew_deadline() {
  if (deadline_at_ <= now_) deadline_at_ = now_ + plan_.deadline;
}

void Model::answer_yes(const PersonDecided& input) {
  decide(DecisionKind::kResume, input.by);
  renew_deadline();
  const bool sends_on = yes_sends_on();
  question_.reset();
  if (!begun()) {
    state_ = State::kWaiting;
    return wait_for_ready();
  }
  state_ = State::kAnalyzing;
  if (told()) order(DecisionKind::kResume, reached_);
  if (only_observe() && !freeze_) return promote(input.by);
  if (sends_on) {
    add(What::kWentOn);
    return go_on(input.by);
  }
  begin_afresh();
  if (step() < 0 && told() && weighted() && !freeze_) order_step(0, input.by);
}

void Model::person_advances(const PersonDecided& input) {
  renew_deadline();
  if (!begun()) {
    decide(DecisionKind::kAdvance, input.by);
    ready_.overruled = true;
    question_.reset();
    state_ = State::kWaiting;
    return;
  }
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i)
    if (failed(i)) add(What::kForgiven).condition = i;
  add(What::kAlertsForgiven);
  add(What::kWentOn);
  go_on(input.by);
}

void Model::extend(Millis span) {
  extension_ += span;
  if (state_ != State::kSoaking) deadline_at_ += span;
}

}  // namespace rollwatch::model
