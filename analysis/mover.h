// The moves a transition is made of, shared by everything that can happen to a rollout
// (advance_*.cc). A Mover works on a copy of the state and collects what follows; finish() hands it
// over.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analysis/position.h"

namespace rollwatch {

inline constexpr const char* kEngine = "engine";
inline constexpr std::size_t kLongestSentence = 290;  // bytes of what people are shown
inline constexpr Millis kPausedReminder{30 * 60'000};
inline constexpr Millis kRollbackFirstReminder{60'000};
inline constexpr Millis kRollbackReminder{5 * 60'000};

class Mover : public Position {
 public:
  Mover(Fixed fixed, const RolloutState& before, SysTime now)
      : Position(fixed, out.state), now(now), had_ended_(is_final(before.state)) {
    out.state = before;
  }

  const SysTime now;
  Transition out;

  using Position::state;
  RolloutState& state() { return out.state; }

  // Appends an event that carries the state as it is now; the returned reference may be completed.
  Event& tell(EventType type, std::string summary);
  Decision& decide(DecisionKind kind, const std::string& by, std::string reason,
                   std::optional<std::size_t> by_condition = std::nullopt);

  void approve_start(const std::string& by, const std::string& reason);
  void begin(const std::string& by);
  // Orders the first step if nothing but what has gone now kept it from being reached.
  void take_up(const std::string& gone);
  void go_on(const std::string& by,
             const std::string& reason);  // to the next step, or the promotion
  void order_step(int index, const std::string& by, const std::string& reason);
  void promote(const std::string& by, const std::string& reason);
  void roll_back(const std::string& by, const std::string& reason,
                 std::optional<std::size_t> by_condition = std::nullopt);
  // `datasource`: whose silence it is for.
  void pause(QuestionKind kind, const std::string& by, const std::string& text,
             std::optional<std::size_t> by_condition = std::nullopt,
             const std::string& datasource = "");
  void reached_step(int index, SysTime since);
  void reached_everything(SysTime since);  // 100 %
  void begin_step_afresh();                // after a person's yes
  void begin_patience_again();             // the silence before a person's order does not undo it
  void forget_failures();                  // a person goes on in spite of them
  // Pauses if a condition failed while nothing could be asked about it: in the soak, or behind
  // another question.
  void ask_about_failed();
  void wait_for_ready();                          // its first attempt begins
  void resume_for_answers(SysTime evaluated_at);  // lifts a pause for want of them
  void resume(const std::string& by, const std::string& reason);
  void end(State final_state, EventType type, const std::string& reason);
  // Ends as rolled back, and goes on watching what failed.
  void rolled_back(const std::string& reason);
  void withdraw_order();
  void order_took_effect();

  // Ends the step if its hold has passed by `evaluated_at` and nothing holds it back.
  void end_step_if_done(SysTime evaluated_at);

  void refuse(const std::string& why);
  Transition finish();

 private:
  bool ever_passed() const;
  bool may_promote_early() const;
  bool extension_is_asked() const;
  bool would_skip_a_guard() const;
  void promote_early();
  void give_order(DecisionKind kind, double weight);
  static void forget(ConditionState& c);  // what its slots showed so far
  static void forget_evidence(ConditionState& c);
  void watch(SysTime since, bool all_anew, bool first_step);

  const bool had_ended_;  // before this step
};

// "2 of 3", or what its latest slot showed instead of a number.
std::string readiness(const ReadyPlan& ready, const ConditionState& state);

// What keeps a rollout in `waiting`, the weightiest first; "" if nothing does.
std::string waits_for(const Mover& m);

// What happened to it, each in a file of its own.
void on_slot(Mover& m, const SlotAnswered& input);
void on_slots_missed(Mover& m, const SlotsMissed& input);
void on_history(Mover& m, const HistoryRead& input);
void on_person(Mover& m, const PersonDecided& input);
void on_order_ended(Mover& m, const OrderEnded& input);
// When people are reminded next, and telling them if it is time.
std::optional<SysTime> reminder_at(const RolloutState& state);
void remind(Mover& m);
void on_rollback_sent_again(Mover& m, const RollbackSentAgain& input);
void on_weight_reported(Mover& m, const WeightReported& given);
void on_freeze_changed(Mover& m, const FreezeChanged& input);
void on_readiness(Mover& m, std::size_t i);
void on_ready_time(Mover& m);
void on_recovery_slot(Mover& m);
void on_recovery_time(Mover& m);
// How long what failed is watched from now on, or from when that was prolonged.
Millis recovery_span(const Mover& m);
// The recovery is not watched to its end.
void end_recovery(Mover& m, const std::string& why);
std::optional<SysTime> ready_timer(Fixed fixed, const RolloutState& state);
// After whatever a readiness gate stands behind changed.
void keep_ready_clock(Mover& m);
// A condition that pauses by failing did: unless a question is open that can wait no longer than
// this one.
void pause_for_failed(Mover& m, QuestionKind kind, const std::string& sentence,
                      std::optional<std::size_t> i);
void on_alert(Mover& m, const AlertChanged& input);
// Pauses if an alert fired while nothing could be asked about it.
void ask_about_alerts(Mover& m);

}  // namespace rollwatch
