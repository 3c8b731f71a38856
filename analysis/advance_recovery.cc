// After a rollback was acknowledged, what failed is watched for a while: does it get better without
// the new version, or was it never the new version's fault? The rollout has ended and stays so;
// nothing is decided any more, people are told the answer.
#include <algorithm>

#include "analysis/judge.h"
#include "analysis/mover.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

bool is_watched(const Mover& m, std::size_t i) {
  return m.state().conditions[i].watched_from.has_value();
}

// Its latest slot that looks at nothing but the time after the rollback; one that was missed says
// nothing.
const Judgement* seen_since(const Mover& m, std::size_t i) {
  const ConditionState& c = m.state().conditions[i];
  if (!c.last || c.last_evaluated_at < *c.watched_from) return nullptr;
  if (c.last->outcome == Outcome::kMissed) return nullptr;
  return &*c.last;
}

bool all_seen(const Mover& m) {
  for (std::size_t i = 0; i < m.state().conditions.size(); ++i)
    if (is_watched(m, i) && seen_since(m, i) == nullptr) return false;
  return true;
}

std::string named(const Mover& m, std::size_t i) {
  const Judgement* seen = seen_since(m, i);
  return m.condition(i).name + " " + (seen == nullptr ? "was not evaluated" : describe(*seen));
}

void tell_result(Mover& m) {
  std::optional<std::size_t> bad, good, unknown;
  for (std::size_t i = 0; i < m.state().conditions.size(); ++i) {
    if (!is_watched(m, i)) continue;
    const Judgement* seen = seen_since(m, i);
    const Outcome outcome = seen == nullptr ? Outcome::kMissed : seen->outcome;
    auto& which = outcome == Outcome::kFail ? bad : outcome == Outcome::kPass ? good : unknown;
    if (!which) which = i;
  }
  const auto tell = [&m](EventType type, std::size_t i, const std::string& text) {
    Event& event = m.tell(type, text);
    event.is_news = true;
    event.condition = m.condition(i).name;
    if (const Judgement* seen = seen_since(m, i)) {
      event.value = seen->value;
      event.rule = rule_text(*seen, m.condition(i));
    }
  };
  if (bad)
    tell(EventType::kStillBad, *bad,
         "rolled back, but " + named(m, *bad) + " is still bad: probably not this release");
  else if (unknown)
    tell(EventType::kNote, *unknown,
         "rolled back; whether it got better is not known: " + named(m, *unknown));
  else if (good)
    tell(EventType::kRecovered, *good, "recovered after the rollback: " + named(m, *good));
}

void stop_watching(Mover& m) {
  for (ConditionState& c : m.state().conditions) c.watched_from.reset();
  m.state().recovery.reset();
}

}  // namespace

void Mover::rolled_back(const std::string& reason) {
  RolloutState& s = state();
  end(State::kRolledBack, EventType::kRolledBack, reason);
  if (fixed.plan.recovery == Millis{0}) return;
  for (std::size_t i = 0; i < s.conditions.size(); ++i) {
    ConditionState& c = s.conditions[i];
    if (!c.failed || condition(i).is_readiness) continue;
    // The candidate has no traffic any more, so there is nothing to compare.
    if (comparison_of(condition(i)) != nullptr) continue;
    // Only windows that lie after the rollback say something about it.
    c.watched_from = now + first_slot_after(condition(i));
    c.last_evaluated_at = std::min(c.last_evaluated_at, now);  // the clock may have been put back
    s.recovery = RecoveryState{};
  }
  if (s.recovery) s.recovery->until = now + recovery_span(*this);
}

Millis recovery_span(const Mover& m) {
  if (m.state().recovery->prolonged) return std::max(m.fixed.plan.patience, Millis{1'000});
  Millis span = m.fixed.plan.recovery;
  for (std::size_t i = 0; i < m.state().conditions.size(); ++i)
    if (is_watched(m, i))
      span = std::max(span, first_slot_after(m.condition(i)) + m.condition(i).interval);
  return span;
}

void end_recovery(Mover& m, const std::string& why) {
  m.tell(EventType::kNote, "rolled back; whether it got better was not watched to its end: " + why);
  stop_watching(m);
}

void on_recovery_time(Mover& m) {
  RecoveryState& recovery = *m.state().recovery;
  if (m.now < recovery.until) return;
  if (!all_seen(m) && !recovery.prolonged) {
    recovery.prolonged = true;
    recovery.until = m.now + recovery_span(m);
    m.tell(EventType::kNote, "rolled back; no slot of what failed came back yet");
    return;
  }
  tell_result(m);
  stop_watching(m);
}

void on_recovery_slot(Mover& m) {
  if (!m.state().recovery->prolonged || !all_seen(m)) return;
  tell_result(m);
  stop_watching(m);
}

}  // namespace rollwatch
