// What people are told again: an open question, a rollback that is not acknowledged, one that
// failed and nobody has acted.
#include "analysis/judge.h"
#include "analysis/mover.h"
#include "analysis/silence.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

// What keeps back a rollout whose datasource answers again: what its conditions show now.
std::string shown_by_now(const Mover& m) {
  for (std::size_t i = 0; i < m.state().conditions.size(); ++i) {
    const auto& last = m.state().conditions[i].last;
    const bool asked = m.state().begun ? m.gates(i) : m.condition(i).is_readiness;
    if (asked && last && last->outcome != Outcome::kPass)
      return "; by now " + m.condition(i).name + ": " + describe(*last, m.condition(i));
  }
  return "";
}

void remind_of_question(Mover& m) {
  OpenQuestion& question = *m.state().question;
  question.reminded_at = m.now;
  std::string text = "still waits for a person: " + question.text;
  if (!question.datasource.empty() && has_answered(m.fixed, m.state(), question.datasource)) {
    question.datasource.clear();  // from now on it is this rollout's own trouble
    text += shown_by_now(m);
  }
  Event& event = m.tell(EventType::kReminder, text);
  event.question = question_id(question);
  event.datasource = question.datasource;
}

void remind_of_failure(Mover& m) {
  RolloutState& s = m.state();
  s.lapsed->reminded_at = m.now;
  Event& event =
      m.tell(EventType::kReminder,
             "nobody has acted for " + format_duration(m.now - s.lapsed->at) + ": " + s.reason);
  event.order = s.lapsed->number;
}

}  // namespace

std::optional<SysTime> reminder_at(const RolloutState& s) {
  if (s.question) return s.question->reminded_at + kPausedReminder;
  if (is_rolling_back(s))
    return s.order->reminded_at == SysTime{} ? s.order->at + kRollbackFirstReminder
                                             : s.order->reminded_at + kRollbackReminder;
  if (awaits_somebody(s)) return s.lapsed->reminded_at + kRollbackReminder;
  return std::nullopt;
}

void remind(Mover& m) {
  RolloutState& s = m.state();
  const auto at = reminder_at(s);
  if (!at || m.now < *at) return;
  if (s.question) {
    remind_of_question(m);
  } else if (!s.order) {
    remind_of_failure(m);
  } else {
    s.order->reminded_at = m.now;
    Event& event = m.tell(EventType::kReminder, "the rollback is not acknowledged after " +
                                                    format_duration(m.now - s.order->at));
    event.order = s.order->number;
  }
}

}  // namespace rollwatch
