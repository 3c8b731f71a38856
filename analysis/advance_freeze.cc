// A freeze, of a service or of everything: nothing goes on, everything is watched, rollbacks are
// given, and deadlines stand still. What a person had decided before is taken up again after it.
#include <algorithm>

#include "analysis/mover.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

// An order that the orchestrator has accepted is on its way; any other one to go on is taken back.
// If it was received all the same, a late acknowledgement counts.
void take_back_order(Mover& m) {
  RolloutState& s = m.state();
  if (!s.order || s.order->accepted) return;
  if (s.order->kind != DecisionKind::kAdvance && s.order->kind != DecisionKind::kPromote) return;
  const OpenOrder order = *s.order;
  m.withdraw_order();
  s.lapsed = order;
  if (s.state == State::kPromoting) s.state = State::kAnalyzing;
  if (s.state == State::kAnalyzing) s.reason = s.freeze->text;
}

void frozen(Mover& m, const FreezeChanged& input) {
  RolloutState& s = m.state();
  const std::string text = cut(*input.text, kLongestSentence);
  if (s.freeze && s.freeze->text == text) return;
  const SysTime since = s.freeze ? s.freeze->since : m.now;
  s.freeze = FreezeState{since, text};
  take_back_order(m);
  m.tell(EventType::kFrozen, text);
}

// An order that a person had decided is given again: they outrank the engine, whose own one comes
// from a slot after the freeze, if it still stands.
void give_again(Mover& m, const OpenOrder& taken_back) {
  const std::string again =
      "no longer frozen: on to " + percent(taken_back.weight) + ", as was decided before";
  if (taken_back.kind == DecisionKind::kPromote)
    m.promote(kEngine, again);
  else
    m.order_step(step_for(m.fixed.plan, taken_back.weight), kEngine, again);
  if (m.state().order) m.state().order->by_person = true;
}

// "frozen by ana: x" becomes "no longer frozen by ana: x", and so does the second half of a
// sentence that names two freezes (Freezes::on).
std::string no_longer(std::string frozen) {
  const std::string second = "; " + std::string(kEverythingIs) + "frozen by ";
  if (const auto at = frozen.find(second); at != std::string::npos)
    frozen.insert(at + 2 + kEverythingIs.size(), "no longer ");
  frozen.insert(frozen.starts_with(kEverythingIs) ? kEverythingIs.size() : 0, "no longer ");
  return cut(frozen, kLongestSentence);
}

void thawed(Mover& m) {
  RolloutState& s = m.state();
  if (!s.freeze) return;
  const std::string text = s.freeze->text;
  s.deadline_at += std::max(m.now - s.freeze->since, Millis{0});  // the clock may be put back
  s.freeze.reset();
  const bool by_person = s.state == State::kAnalyzing && s.lapsed && s.lapsed->by_person;
  const OpenOrder taken_back = by_person ? *s.lapsed : OpenOrder{};
  m.tell(EventType::kThawed, no_longer(text));
  if (s.state != State::kAnalyzing || m.progress_is_ordered()) return;
  if (s.reason == text) s.reason = "no longer frozen";
  if (s.conditions_only_observe)
    m.promote(kEngine, "no longer frozen: on to 100 %, as was decided before");
  else if (by_person)
    give_again(m, taken_back);
  else
    m.take_up("no longer frozen");
}

}  // namespace

void on_freeze_changed(Mover& m, const FreezeChanged& input) {
  if (is_final(m.state().state) || m.state().state == State::kRollingBack) return;
  const std::size_t told_before = m.out.events.size();
  if (input.text)
    frozen(m, input);
  else
    thawed(m);
  for (std::size_t i = told_before; i < m.out.events.size(); ++i) {
    Event& event = m.out.events[i];
    if (event.type != EventType::kFrozen && event.type != EventType::kThawed) continue;
    if (!input.by.empty()) event.by = input.by;
    event.reason = input.reason;
  }
  keep_ready_clock(m);
}

}  // namespace rollwatch
