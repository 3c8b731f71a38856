// Before the beginning: approval, readiness, an earlier rollout's rollback, a freeze; and time.
#include <algorithm>

#include "test/model/model.h"

namespace rollwatch::model {

void Model::on(const Begin&) {
  if (may_begin() && !waits_for_predecessor_) begin();
}

void Model::wait_for_ready() {
  const auto i = readiness_of(plan_);
  if (!plan_.ready || !i || spec_.observe || ready_.overruled) return;
  ready_ = ReadyState{};
  ready_.attempt = 1;
  ready_.ends_at = now_ + plan_.ready->timeout;
  watch(*i, now_);
  keep_ready_clock();
}

// It stands still behind a freeze and behind an earlier rollout's rollback.
void Model::keep_ready_clock() {
  if (state_ != State::kWaiting || ready_.attempt == 0) return;
  const bool stands = freeze_ || waits_for_predecessor_;
  if (stands && !ready_.stopped_at) ready_.stopped_at = now_;
  if (stands || !ready_.stopped_at) return;
  const Millis span = std::max(Millis{0}, now_ - *ready_.stopped_at);
  if (ready_.ends_at) *ready_.ends_at += span;
  if (ready_.retry_at) *ready_.retry_at += span;
  ready_.stopped_at.reset();
}

void Model::on_readiness(std::size_t i) {
  if (state_ != State::kPaused || question_->kind != QuestionKind::kNotReady) return;
  if (last_of(i)->judged.outcome != Outcome::kPass) return;
  decide(DecisionKind::kResume, "engine", i);
  question_.reset();
  state_ = State::kWaiting;
}

void Model::on_ready_time() {
  const std::size_t i = *readiness_of(plan_);
  if (ready_.retry_at) {
    ++ready_.attempt;
    ready_.retry_at.reset();
    ready_.ends_at = now_ + plan_.ready->timeout;
    watch(i, now_);
    return;
  }
  if (ready_.attempt < static_cast<unsigned>(plan_.ready->attempts)) {
    ready_.ends_at.reset();
    ready_.retry_at = now_ + plan_.ready->retry_after;
    extension_ = Millis{0};
    add(What::kUnwatched).condition = i;
    return;
  }
  ready_.ends_at.reset();
  const Fact* last = seen_since_watched(i);
  const bool a_number = last != nullptr && (last->judged.outcome == Outcome::kPass ||
                                            last->judged.outcome == Outcome::kFail);
  if (a_number) return roll_back("engine", i);
  pause(QuestionKind::kNotReady, "engine", i);
}

void Model::on(const TimePassed&) {
  const auto due = [&](std::optional<SysTime> at) { return at && *at <= now_; };
  if (due(reminder())) {
    out_.told.push_back(EventType::kReminder);
    if (question_) question_->reminded_at = now_;
    if (state_ == State::kRollingBack || awaits_somebody())
      (order_ ? order_ : lapsed_)->reminded_at = now_;
    return;
  }
  if (state_ == State::kSoaking && soak_time() <= now_) return end(State::kPromoted);
  if (hold_runs()) step_ends(now_);
  if (due(ready_time())) on_ready_time();
  if (deadline_runs() && deadline_at_ <= now_) {
    // A sick metrics system rolls back nothing, not even late, nor does a newer rollout that waits.
    if (plan_.on_deadline == OnDeadline::kRollback && !some_gate_is_silent() && !newer_waits_)
      return roll_back("engine");
    pause(QuestionKind::kDeadline, "engine");
  }
  if (recovery_ && recovery_->until <= now_) on_recovery_time();
}

void Model::on_recovery_time() {
  if (recovery_is_seen() || recovery_->prolonged) return recovery_ends();
  recovery_span_ = std::max(plan_.patience, Millis{1'000});
  recovery_ = RecoveryState{now_ + recovery_span_, true};
}

// Every condition that is watched has had a slot since the rollback.
bool Model::recovery_is_seen() const {
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i)
    if (watched_from(i) && seen_since_watched(i) == nullptr) return false;
  return true;
}

void Model::recovery_ends() {
  bool all_pass = true;
  bool some_fail = false;
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    if (!watched_from(i)) continue;
    const Fact* last = seen_since_watched(i);
    all_pass = all_pass && last != nullptr && last->judged.outcome == Outcome::kPass;
    some_fail = some_fail || (last != nullptr && last->judged.outcome == Outcome::kFail);
  }
  if (some_fail) {
    out_.told.push_back(EventType::kStillBad);
  } else if (all_pass) {
    out_.told.push_back(EventType::kRecovered);
  }
  recovery_.reset();
  unwatch_all();
}

void Model::on(const PredecessorRollingBack& input) {
  if (state_ != State::kWaiting) return;
  waits_for_predecessor_ = input.rolling_back;
  keep_ready_clock();
}

void Model::on(const NewerWaits& input) {
  newer_waits_ = input.waits;
  take_up();
}

void Model::on(const OlderActive& input) {
  if (!begun() && !is_final(state_)) older_active_ = input.active;
}

void Model::on(const WatchResumed&) {
  if (is_final(state_) && !recovery_ && !awaits_somebody()) return;
  add(What::kWatchResumed).counts = watching();
  const auto not_after = [](std::optional<SysTime>& time, SysTime latest) {
    if (time) time = std::min(*time, latest);
  };
  not_after(ready_.stopped_at, now_);
  if (plan_.ready) not_after(ready_.ends_at, now_ + plan_.ready->timeout);
  if (plan_.ready) not_after(ready_.retry_at, now_ + plan_.ready->retry_after);
  not_after(freeze_, now_);
  if (recovery_) recovery_->until = std::min(recovery_->until, now_ + recovery_span_);
  if (question_) question_->reminded_at = std::min(question_->reminded_at, now_);
  if (order_) {
    order_->at = std::min(order_->at, now_);
    order_->reminded_at = std::min(order_->reminded_at, now_);
  }
  if (lapsed_) lapsed_->reminded_at = std::min(lapsed_->reminded_at, now_);  // of one that failed
  // It is looked at first: nobody did meanwhile.
  if (watching() && deadline_runs()) deadline_at_ = std::max(deadline_at_, now_ + plan_.patience);
}

void Model::on(const SupersededBy&) {
  if (recovery_) {
    recovery_.reset();
    unwatch_all();
  }
  if (awaits_somebody()) return withdraw();  // a newer one has the say over the traffic now
  if (is_final(state_) || state_ == State::kRollingBack) return;
  if (state_ == State::kSoaking) return end(State::kPromoted);
  withdraw();
  end(State::kSuperseded);
}

void Model::on(const FreezeChanged& input) {
  if (is_final(state_) || state_ == State::kRollingBack) return;
  if (input.text && freeze_) return;
  if (input.text) {
    freeze_ = now_;
    if (order_to_go_on() && !order_->accepted) {
      const OpenOrder out = *order_;
      withdraw();
      lapsed_ = out;
      if (state_ == State::kPromoting) state_ = State::kAnalyzing;
    }
    return keep_ready_clock();
  }
  if (!freeze_) return;
  deadline_at_ += std::max(Millis{0}, now_ - *freeze_);
  freeze_.reset();
  keep_ready_clock();
  if (state_ != State::kAnalyzing || order_to_go_on()) return;
  if (only_observe()) return promote("engine");
  if (lapsed_ && lapsed_->by_person) return give_again(*lapsed_);
  take_up();
}

// What a person had decided before the freeze is decided still.
void Model::give_again(const OpenOrder& taken_back) {
  const double weight = taken_back.weight;
  if (taken_back.kind == DecisionKind::kPromote) {
    promote("engine");
  } else {
    order_step(step_at(weight), "engine");
  }
  order_->by_person = true;
}

// A rollout that never reached its first step because it was held goes there.
void Model::take_up() {
  if (state_ != State::kAnalyzing || held() || order_to_go_on() || step() >= 0) return;
  if (told() && weighted()) order_step(0, "engine");
}

}  // namespace rollwatch::model
