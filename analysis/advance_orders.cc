// What became of an order.
#include <utility>

#include "analysis/mover.h"
#include "analysis/text.h"

namespace rollwatch {
namespace {

std::string order_text(const OpenOrder& order) {
  std::string text(name_of(order.kind));
  if (order.kind == DecisionKind::kAdvance) text += " to " + percent(order.weight);
  return text;
}

Event& tell_order(Mover& m, EventType type, const OpenOrder& order, const std::string& summary) {
  Event& event = m.tell(type, summary);
  event.order = order.number;
  event.kind = order.kind;
  return event;
}

void done(Mover& m, const OpenOrder& order) {
  RolloutState& s = m.state();
  s.order.reset();
  s.lapsed.reset();
  tell_order(m, EventType::kOrderDone, order, "the deployer did: " + order_text(order));
  switch (order.kind) {
    case DecisionKind::kAdvance:
      m.reached_step(step_for(m.fixed.plan, order.weight), m.now);
      return m.ask_about_failed();
    case DecisionKind::kPromote:
      return m.reached_everything(m.now);
    case DecisionKind::kRollback:
      s.reached_weight = 0;
      if (is_final(s.state)) {
        s.reason = cut("carried out since; " + s.reason, kLongestSentence);
        m.tell(EventType::kNote, "the rollback that had failed is carried out").is_news = true;
        return;
      }
      return m.rolled_back("rolled back: " + s.reason);
    default:
      return;  // pause and resume are only told
  }
}

// The rollout ends here, and people are reminded until somebody acts.
void rollback_failed(Mover& m, const OpenOrder& order, const std::string& text) {
  RolloutState& s = m.state();
  if (is_final(s.state)) {
    s.reason = cut("rollback failed again: " + text, kLongestSentence);
    m.tell(EventType::kRollbackFailed, s.reason);
  } else {
    m.end(State::kRollbackFailed, EventType::kRollbackFailed, "rollback failed: " + text);
  }
  s.lapsed = order;
  s.lapsed->accepted = false;
  s.lapsed->at = s.lapsed->reminded_at = m.now;
}

void failed(Mover& m, const OpenOrder& order, OrderEnd how, const std::string& detail) {
  RolloutState& s = m.state();
  const bool refused = how == OrderEnd::kRefused;
  const std::string text = order_text(order) +
                           (refused ? " was refused" : " was not acknowledged in time") +
                           (detail.empty() ? "" : ": " + detail);
  s.order.reset();
  tell_order(m, refused ? EventType::kOrderRefused : EventType::kOrderExpired, order, text);
  if (order.kind == DecisionKind::kRollback) return rollback_failed(m, order, text);
  if (order.kind == DecisionKind::kPause || order.kind == DecisionKind::kResume) return;
  if (!refused) s.lapsed = order;
  m.pause(refused ? QuestionKind::kOrderRefused : QuestionKind::kOrderExpired, kEngine, text);
}

}  // namespace

void on_rollback_sent_again(Mover& m, const RollbackSentAgain& input) {
  RolloutState& s = m.state();
  if (s.state != State::kRollbackFailed)
    return m.refuse("it is " + std::string(name_of(s.state)) + ": no rollback of it has failed");
  if (s.order) return m.refuse("the rollback is being sent again already");
  if (!s.lapsed) return m.refuse("somebody has acted since the rollback failed");
  s.order = std::exchange(s.lapsed, std::nullopt);
  s.order->at = m.now;
  s.order->reminded_at = SysTime{};
  Event& event = tell_order(m, EventType::kNote, *s.order,
                            "the rollback that failed is sent again by " +
                                (input.by.empty() ? "nobody named" : input.by) +
                                (input.reason.empty() ? "" : ": " + input.reason));
  event.by = input.by;
  event.reason = input.reason;
  event.is_news = true;
}

void on_order_ended(Mover& m, const OrderEnded& input) {
  RolloutState& s = m.state();
  const bool open = s.order && s.order->number == input.number;
  if (!open && s.state == State::kRollbackFailed) {
    // Its receiver, or a person in its place, says that it is carried out after all.
    if (s.lapsed && s.lapsed->number == input.number && input.end == OrderEnd::kDone)
      done(m, OpenOrder(*s.lapsed));
    return;
  }
  if (!open) {
    // Late, but no other order was given since: the effect is there, so the rollout goes on from
    // it.
    const bool expired =
        s.state == State::kPaused && s.question && s.question->kind == QuestionKind::kOrderExpired;
    const bool taken_back = s.state == State::kAnalyzing && s.lapsed &&
                            (s.lapsed->kind == DecisionKind::kAdvance ||
                             s.lapsed->kind == DecisionKind::kPromote);  // by a freeze
    const bool late = s.lapsed && s.lapsed->number == input.number && (expired || taken_back);
    if (late && input.end == OrderEnd::kDone) {
      const OpenOrder order = *s.lapsed;
      s.question.reset();
      s.state = order.kind == DecisionKind::kPromote ? State::kPromoting : State::kAnalyzing;
      s.reason = order_text(order) + " was acknowledged late";
      done(m, order);
    }
    return;
  }
  const OpenOrder order = *s.order;
  switch (input.end) {
    case OrderEnd::kDone:
      return done(m, order);
    case OrderEnd::kAccepted:
      s.order->accepted = true;
      tell_order(m, EventType::kOrderAccepted, order,
                 "the deployer accepted: " + order_text(order));
      return;
    case OrderEnd::kRefused:
    case OrderEnd::kExpired:
      return failed(m, order, input.end, input.detail);
  }
}

}  // namespace rollwatch
