// The moves a transition is made of, shared by everything that can happen to a rollout
// (advance_*.cc). A Mover works on a copy of the state and collects what follows; finish() hands it
// over.
#pragma once

#include <optional>
#include <string>

#include "analysis/advance.h"

namespace rollwatch {

inline constexpr const char* kEngine = "engine";
inline constexpr std::size_t kLongestSentence = 290;  // bytes of what people are shown
inline constexpr Millis kPausedReminder{30 * 60'000};
inline constexpr Millis kRollbackFirstReminder{60'000};
inline constexpr Millis kRollbackReminder{5 * 60'000};

class Mover {
 public:
  Mover(Fixed fixed, const RolloutState& before, SysTime now) : fixed(fixed), now(now) {
    out.state = before;
  }

  const Fixed fixed;
  const SysTime now;
  Transition out;

  RolloutState& state() { return out.state; }
  const RolloutState& state() const { return out.state; }
  const ConditionPlan& condition(std::size_t i) const { return fixed.plan.conditions[i]; }

  // ---- Questions about the state

  // Whether the condition can decide anything now: it applies to this step and does not only
  // observe.
  bool gates(std::size_t i) const;
  bool applies_now(std::size_t i) const;
  bool any_gates() const;
  // Its latest slot gave no answer, and the condition says that this is to be ignored.
  bool is_ignored(std::size_t i) const;
  // Latest slot passed and enough slots of this step did; or it has no answer and is told to be
  // ignored.
  bool holds_nothing_back(std::size_t i) const;
  bool told() const { return !fixed.spec.orchestrator.empty(); }
  bool weighted() const { return fixed.plan.steps.front().weight.has_value(); }
  bool has_next_step() const {
    return state().step + 1 < static_cast<int>(fixed.plan.steps.size());
  }
  bool progress_is_ordered() const;
  std::string where() const;  // "at 5 %", or "" without weights

  // ---- Moves

  // Appends an event that carries the state as it is now; the returned reference may be completed.
  Event& tell(EventType type, std::string summary);
  Decision& decide(DecisionKind kind, const std::string& by, std::string reason,
                   std::optional<std::size_t> by_condition = std::nullopt);

  void approve_start(const std::string& by, const std::string& reason);
  void begin(const std::string& by);
  void go_on(const std::string& by,
             const std::string& reason);  // to the next step, or the promotion
  void order_step(int index, const std::string& by, const std::string& reason);
  void promote(const std::string& by, const std::string& reason);
  void roll_back(const std::string& by, const std::string& reason,
                 std::optional<std::size_t> by_condition = std::nullopt);
  void pause(QuestionKind kind, const std::string& by, const std::string& text,
             std::optional<std::size_t> by_condition = std::nullopt);
  void reached_step(int index, SysTime since);
  void reached_everything(SysTime since);  // 100 %
  void begin_step_afresh();                // after a person's yes
  void forget_failures();                  // a person goes on in spite of them
  // Pauses if a condition failed while nothing could be asked about it: in the soak, or behind
  // another question.
  void ask_about_failed();
  void resume_for_answers(SysTime evaluated_at);  // lifts a pause for want of them
  void resume(const std::string& by, const std::string& reason);
  void end(State final_state, EventType type, const std::string& reason);
  void withdraw_order();
  void order_took_effect();

  // Ends the step if its hold has passed by `evaluated_at` and nothing holds it back.
  void end_step_if_done(SysTime evaluated_at);

  void refuse(const std::string& why);
  Transition finish();

 private:
  void give_order(DecisionKind kind, double weight);
  void watch(SysTime since, bool all_anew, bool first_step);
};

// One sentence: "error-rate 0.083 > 0.05, 3 of the last 3".
std::string failing_sentence(const ConditionPlan& condition, const ConditionState& state);

std::uint32_t fails_in_window(const ConditionPlan& condition, const ConditionState& state);

// What happened to it, each in a file of its own.
void on_slot(Mover& m, const SlotAnswered& input);
void on_slots_missed(Mover& m, const SlotsMissed& input);
void on_person(Mover& m, const PersonDecided& input);
void on_order_ended(Mover& m, const OrderEnded& input);
void on_weight_reported(Mover& m, const WeightReported& input);

}  // namespace rollwatch
