#include "daemon/prometheus/query_queue.h"

#include <algorithm>
#include <utility>

namespace rollwatch {

namespace {

// One in so many that waited is of a condition that cannot roll back.
constexpr unsigned kTurns = 8;

// It stood still if it said nothing for this long while questions waited, and goes again when it
// has none left for as long.
constexpr std::chrono::seconds kStall{1};
constexpr std::chrono::seconds kLongestRecovery{60};

}  // namespace

// ---- The pace

void SendingPace::go_to(SteadyTime now) {
  if (!began_) began_ = now;
  const auto since = now - *began_;
  const std::int64_t tick = since / kTick;
  for (; tick_ < tick; ++tick_) {
    if (tick - tick_ > kTicks) tick_ = tick - kTicks;
    sent_[static_cast<std::size_t>((tick_ + 1) % kTicks)] = 0;
  }
  const std::int64_t second = since / std::chrono::seconds(1);
  for (; second_ < second; ++second_) {
    if (second - second_ > kSeconds) second_ = second - kSeconds;
    asked_[static_cast<std::size_t>((second_ + 1) % kSeconds)] = 0;
  }
}

void SendingPace::asked(SteadyTime now) {
  go_to(now);
  ++asked_[static_cast<std::size_t>(second_ % kSeconds)];
}

void SendingPace::sent(SteadyTime now) {
  go_to(now);
  ++sent_[static_cast<std::size_t>(tick_ % kTicks)];
}

std::size_t SendingPace::allowed() const {
  const std::size_t busiest = *std::max_element(asked_.begin(), asked_.end());
  return std::max(kAlways, busiest * 5 / (4 * 10));
}

bool SendingPace::may_send(SteadyTime now, std::size_t allowed) {
  go_to(now);
  std::size_t sent = 0;
  for (const std::size_t one : sent_) sent += one;
  // Nor all of it at once, where it is more than a few.
  const std::size_t at_once = std::max(kAlways, allowed / 8);
  return sent < allowed && sent_[static_cast<std::size_t>(tick_ % kTicks)] < at_once;
}

// ---- The queue

void QueryQueue::push(AskingPtr asking, SteadyTime now) {
  if (stands_still(now)) {
    if (!allowed_before_) allowed_before_ = usual();
  } else if (!recovery_) {
    pace_.asked(now);
  }
  fresh_.push_back(std::move(asking));
}

AskingPtr QueryQueue::pop(SteadyTime now) {
  if (recovery_) {
    const auto& calm = recovery_->calm;
    if ((calm && now - *calm >= kStall) || now - recovery_->since >= kLongestRecovery)
      recovery_.reset();
  }
  if (recovery_ && !pace_.may_send(now, recovery_->allowed)) return nullptr;
  AskingPtr next;
  if (waiting_[0].empty() && waiting_[1].empty()) {
    if (fresh_.empty()) return nullptr;
    next = std::move(fresh_.front());
    fresh_.pop_front();
  } else {
    sort_fresh();
    const bool others_turn = !waiting_[1].empty() && (waiting_[0].empty() || turns_ + 1 >= kTurns);
    turns_ = others_turn ? 0 : turns_ + 1;
    Waiting& from = waiting_[others_turn ? 1 : 0];
    next = std::move(from.begin()->second);
    from.erase(from.begin());
  }
  if (recovery_ && !recovery_->calm && empty()) recovery_->calm = now;
  pace_.sent(now);
  if (!unanswered_since_) unanswered_since_ = now;
  return next;
}

std::vector<AskingPtr> QueryQueue::take_all() {
  sort_fresh();
  std::vector<AskingPtr> all;
  for (Waiting& waiting : waiting_) {
    for (auto& [turn, asking] : waiting) all.push_back(std::move(asking));
    waiting.clear();
  }
  return all;
}

bool QueryQueue::stands_still(SteadyTime now) const {
  return !empty() && unanswered_since_ && now - *unanswered_since_ >= kStall;
}

void QueryQueue::answered(SteadyTime now) {
  if (stands_still(now)) recovery_ = Recovery{now, allowed_before_.value_or(usual()), {}};
  allowed_before_.reset();
  answered_at_ = now;
  unanswered_since_.reset();
}

// What could not be sent as it came has to wait its turn.
void QueryQueue::sort_fresh() {
  for (AskingPtr& asking : fresh_) {
    const Turn turn{asking->question.last_answered, ++tickets_};
    waiting_[asking->question.goes_first ? 0 : 1].emplace(turn, std::move(asking));
  }
  fresh_.clear();
}

SteadyTime QueryQueue::given_up_at(const Asking& asking) const {
  const bool answers_come = answered_at_ && *answered_at_ > asking.since;
  if (!answers_come || asking.question.interval == Millis{0}) return asking.until;
  return std::min(asking.until, asking.since + asking.question.interval);
}

QueryQueue::GivenUp QueryQueue::give_up(AskingPtr asking) const {
  const bool overload = answered_at_ && *answered_at_ > asking->since;
  return {std::move(asking), overload};
}

std::vector<QueryQueue::GivenUp> QueryQueue::expire(SteadyTime now) {
  sort_fresh();
  std::vector<GivenUp> given_up;
  for (Waiting& waiting : waiting_) {
    for (auto one = waiting.begin(); one != waiting.end();) {
      // Less than a millisecond cannot be told to a server.
      if (given_up_at(*one->second) - now >= Millis{1}) {
        ++one;
        continue;
      }
      given_up.push_back(give_up(std::move(one->second)));
      one = waiting.erase(one);
    }
  }
  return given_up;
}

}  // namespace rollwatch
