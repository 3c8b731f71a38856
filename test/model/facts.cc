// What the facts say, each time read from the beginning.
#include <algorithm>

#include "analysis/slots.h"
#include "test/model/model.h"

namespace rollwatch::model {

// A moment that was noted before the clock was put back lies in the future no more.
SysTime Model::begun_at(std::size_t fact) const {
  SysTime at = facts_[fact].since;
  for (std::size_t i = fact + 1; i < facts_.size(); ++i)
    if (facts_[i].what == What::kWatchResumed) at = std::min(at, facts_[i].now);
  return at;
}

std::optional<std::size_t> Model::latest(std::initializer_list<What> whats) const {
  for (std::size_t i = facts_.size(); i-- > 0;)
    if (std::find(whats.begin(), whats.end(), facts_[i].what) != whats.end()) return i;
  return std::nullopt;
}

int Model::step() const {
  const auto fact = latest({What::kStepReached, What::kSoakBegan});
  return fact ? facts_[*fact].step : -1;
}

bool Model::begun() const { return latest({What::kBegun}).has_value(); }

std::optional<SysTime> Model::step_since() const {
  const auto fact = latest({What::kStepReached, What::kSoakBegan, What::kAfresh});
  if (step() < 0) return std::nullopt;
  return begun_at(*fact);
}

SysTime Model::hold_end() const {
  const auto fact = latest({What::kStepReached, What::kAfresh, What::kLifted});
  return begun_at(*fact) + plan_.steps[static_cast<std::size_t>(step())].hold + extension_;
}

SysTime Model::soak_end() const {
  return begun_at(*latest({What::kSoakBegan})) + plan_.soak + extension_;
}

bool Model::soak_is_seen() const {
  for (std::size_t i = 0; i < plan_.conditions.size(); ++i) {
    const auto from = watched_from(i);
    if (!from) continue;
    const SysTime seen = looked_up_to(i).value_or(SysTime{});
    const SysTime next = seen >= *from ? seen + plan_.conditions[i].interval : *from;
    if (next <= soak_end()) return false;
  }
  return true;
}

// The time its latest slot was evaluated for; that of one that was missed is no earlier than the
// one before. By a clock that was put back it looked no further than where its watching begins.
std::optional<SysTime> Model::looked_up_to(std::size_t i) const {
  const Grid grid{phases_[i], plan_.conditions[i].interval};
  const Millis first =
      plan_.conditions[i].is_readiness ? Millis{0} : first_slot_after(plan_.conditions[i]);
  std::optional<SysTime> seen;
  SysTime from = SysTime::max();  // not watched
  std::int64_t last = 0;
  for (const Fact& fact : facts_) {
    const bool mine = fact.condition == i;
    if (fact.what == What::kWatched && mine) from = fact.since;
    if (fact.what == What::kUnwatched && mine) from = SysTime::max();
    if (fact.what == What::kSlot && mine && fact.judged.cause != Cause::kMissedEnded) {
      const bool missed = fact.judged.outcome == Outcome::kMissed;
      seen = missed && seen ? std::max(*seen, fact.since) : fact.since;
      last = fact.last;
    }
    if (fact.what != What::kWatchResumed) continue;
    const bool looked = seen && *seen >= from;
    if (from != SysTime::max())
      from = std::min(from, fact.now + first + plan_.conditions[i].initial_delay);
    if (seen && !looked && from != SysTime::max()) seen = std::min(*seen, from - Millis{1});
    if (!seen || last <= grid.last_at_or_before(fact.now)) continue;
    last = grid.last_at_or_before(fact.now);
    seen = looked ? std::min(*seen, from) : SysTime{};
  }
  return seen;
}

std::optional<double> Model::weight() const {
  if (!weighted()) return std::nullopt;
  const auto fact = latest({What::kStepReached, What::kSoakBegan});
  if (state_ == State::kPromoted || (fact && facts_[*fact].what == What::kSoakBegan)) return 100;
  if (step() < 0) return std::nullopt;
  return plan_.steps[static_cast<std::size_t>(step())].weight;
}

std::optional<SysTime> Model::watched_from(std::size_t i) const {
  const ConditionPlan& condition = plan_.conditions[i];
  const Millis first = condition.is_readiness ? Millis{0} : first_slot_after(condition);
  std::optional<SysTime> from;
  for (const Fact& fact : facts_) {
    if (fact.what == What::kWatched && fact.condition == i) from = fact.since;
    if (fact.what == What::kUnwatched && fact.condition == i) from.reset();
    // A clock that was put back: as if it had begun now.
    if (fact.what == What::kWatchResumed && from)
      from = std::min(*from, fact.now + first + condition.initial_delay);
  }
  return from;
}

std::optional<std::int64_t> Model::last_slot(std::size_t i) const {
  const Grid grid{phases_[i], plan_.conditions[i].interval};
  std::optional<std::int64_t> last;
  for (const Fact& fact : facts_) {
    if (fact.what == What::kSlot && fact.condition == i) last = fact.last;
    if (fact.what == What::kWatchResumed && last)
      last = std::min(*last, grid.last_at_or_before(fact.now));
  }
  return last;
}

std::optional<std::int64_t> Model::next_slot(std::size_t i, Millis ingestion_delay) const {
  const auto from = watched_from(i);
  if (!from) return std::nullopt;
  const Grid grid{phases_[i], plan_.conditions[i].interval};
  const std::int64_t first = grid.first_at_or_after(*from + ingestion_delay);
  const auto last = last_slot(i);
  return last ? std::max(first, *last + 1) : first;
}

const Fact* Model::last_of(std::size_t i) const {
  for (std::size_t f = facts_.size(); f-- > 0;) {
    if (facts_[f].condition != i) continue;
    if (facts_[f].what == What::kSlot && facts_[f].judged.cause != Cause::kMissedEnded)
      return &facts_[f];
    // Each attempt to be ready begins without an answer.
    if (facts_[f].what == What::kWatched && plan_.conditions[i].is_readiness) return nullptr;
  }
  return nullptr;
}

// Of the step that was reached (or begun afresh) last; or of the time before the first one.
int Model::passes_in_step(std::size_t i) const {
  int passes = 0;
  for (std::size_t f = facts_.size(); f-- > 0;) {
    const Fact& fact = facts_[f];
    if (fact.what == What::kStepReached || fact.what == What::kSoakBegan ||
        fact.what == What::kAfresh || (fact.what == What::kWatchResumed && fact.counts))
      break;
    if (fact.what == What::kSlot && fact.condition == i && fact.counts &&
        fact.judged.outcome == Outcome::kPass)
      ++passes;
  }
  return passes;
}

bool Model::ever_passed() const {
  for (const Fact& fact : facts_)
    if (fact.what == What::kSlot && fact.counts && fact.judged.outcome == Outcome::kPass &&
        !plan_.conditions[fact.condition].is_readiness)
      return true;
  return false;
}

namespace {

bool is_answer(Outcome outcome) {
  return outcome == Outcome::kPass || outcome == Outcome::kFail ||
         outcome == Outcome::kInconclusive;
}

OnMissing when_missing(const ConditionPlan& condition, Outcome outcome) {
  if (outcome == Outcome::kNoData) return condition.on_no_data;
  if (outcome == Outcome::kError) return condition.on_error;
  return OnMissing::kWait;
}

// Nobody was there to hear an answer: its absence says nothing about the datasource.
bool nobody_there(Cause cause) {
  return cause == Cause::kMissedDowntime || cause == Cause::kMissedClockJump ||
         cause == Cause::kMissedStore;
}

}  // namespace

bool Model::failed(std::size_t i) const {
  const ConditionPlan& condition = plan_.conditions[i];
  bool reached = false;
  // Readiness is lost only once it was there, and only for a rollout that it can stop.
  bool begun = !condition.is_readiness;
  bool observing = condition.is_readiness && condition.on_fail == OnFail::kObserve;
  std::vector<bool> failing;  // of each slot that gave an answer, or is told to count as failing
  for (const Fact& fact : facts_) {
    const bool forgotten = fact.what == What::kAfresh ||
                           (fact.what == What::kForgiven && fact.condition == i) ||
                           (fact.what == What::kBegun && condition.is_readiness);
    if (forgotten) {
      failing.clear();
      reached = false;
    }
    if (fact.what == What::kBegun) begun = true;
    if (fact.what == What::kOnlyObserve && condition.is_readiness) observing = true;
    if (fact.what != What::kSlot || fact.condition != i || !fact.counts) continue;
    const Outcome outcome = fact.judged.outcome;
    const bool told_to_fail = when_missing(condition, outcome) == OnMissing::kFail;
    if (!is_answer(outcome) && !told_to_fail) continue;
    failing.push_back(outcome == Outcome::kFail || told_to_fail);
    std::size_t first = 0;
    if (condition.within != kWithinAll &&
        failing.size() > static_cast<std::size_t>(condition.within))
      first = failing.size() - static_cast<std::size_t>(condition.within);
    int fails = 0;
    for (std::size_t k = first; k < failing.size(); ++k) fails += failing[k] ? 1 : 0;
    if (fails >= condition.fail_after && begun && !observing) reached = true;
  }
  return reached;
}

std::optional<SysTime> Model::silent_since(std::size_t i) const {
  const ConditionPlan& condition = plan_.conditions[i];
  std::optional<SysTime> since;
  for (const Fact& fact : facts_) {
    if (fact.what == What::kAfresh || (fact.what == What::kWatchResumed && fact.counts) ||
        fact.what == What::kWentOn || (fact.what == What::kUnwatched && fact.condition == i))
      since.reset();
    if (fact.what != What::kSlot || fact.condition != i || !fact.counts) continue;
    const Outcome outcome = fact.judged.outcome;
    const bool silent = !is_answer(outcome) && !nobody_there(fact.judged.cause) &&
                        when_missing(condition, outcome) == OnMissing::kWait;
    if (!silent) {
      since.reset();
    } else if (!since) {
      since = fact.since - (fact.last - fact.first) * condition.interval;
    }
  }
  return since;
}

// The silences in between are taken out: nobody was undecided in them.
std::optional<SysTime> Model::undecided_since(std::size_t i) const {
  const ConditionPlan& condition = plan_.conditions[i];
  std::optional<SysTime> since;
  bool silent = false;
  SysTime silent_from{};
  for (const Fact& fact : facts_) {
    if (fact.what == What::kAfresh || (fact.what == What::kWatchResumed && fact.counts) ||
        fact.what == What::kWentOn || (fact.what == What::kUnwatched && fact.condition == i)) {
      since.reset();
      silent = false;
    }
    if (fact.what != What::kSlot || fact.condition != i || !fact.counts) continue;
    const Outcome outcome = fact.judged.outcome;
    if (nobody_there(fact.judged.cause)) {
      since.reset();
      silent = false;
      continue;
    }
    if (!is_answer(outcome) && when_missing(condition, outcome) != OnMissing::kFail) {
      if (!silent) silent_from = fact.since - (fact.last - fact.first) * condition.interval;
      silent = true;
      continue;
    }
    if (silent && since) *since += fact.since - silent_from;
    silent = false;
    const bool undecided = fact.judged.cause == Cause::kBetweenLimits;
    if (!undecided) {
      since.reset();
    } else if (!since) {
      since = fact.since;
    }
  }
  return since;
}

// Its latest slot, if that is one since it is watched, and was not missed.
const Fact* Model::seen_since_watched(std::size_t i) const {
  for (std::size_t f = facts_.size(); f-- > 0;) {
    if (facts_[f].condition != i) continue;
    if (facts_[f].what == What::kSlot) {
      const bool said_something = facts_[f].judged.outcome != Outcome::kMissed;
      return facts_[f].counts && said_something ? &facts_[f] : nullptr;
    }
    if (facts_[f].what == What::kWatched || facts_[f].what == What::kUnwatched) return nullptr;
  }
  return nullptr;
}

bool Model::ready() const {
  const auto i = readiness_of(plan_);
  if (!plan_.ready || !i || spec_.observe || ready_.overruled) return true;
  const Fact* last = seen_since_watched(*i);
  return last != nullptr && last->judged.outcome == Outcome::kPass;
}

}  // namespace rollwatch::model
