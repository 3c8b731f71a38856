// A second implementation of a rollout's rules, slow and obvious, against which the real one
// (analysis/advance.h) is played: written from the contract, not from that code. It keeps
// everything that ever happened as a list of facts and reads the list again from the beginning
// whenever it wants to know something: counts, windows, patience, holds and verdicts are never
// remembered, so they cannot be remembered wrongly.
//
//   Model model(spec, plan, phases, now, frozen);
//   Seen seen = model.take(input, now);      // what the real one must show after the same input
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/advance.h"
#include "test/model/judged.h"
#include "test/model/seen.h"

namespace rollwatch::model {

enum class What {
  kSlot,            // of `condition`, from `first` to `last`, the last evaluated for `since`
  kWatched,         // `condition` is asked, the first time for `since`
  kUnwatched,       // `condition` is not asked any more
  kBegun,           // left `waiting` for its first step
  kStepReached,     // `step`, `since` then
  kSoakBegan,       // everything, `since` then
  kAfresh,          // a person's yes began the step again
  kForgiven,        // a person goes on although `condition` failed
  kWentOn,          // a person goes on: nobody's patience is used up
  kLifted,          // answers came back, the last of them evaluated for `since`
  kWatchResumed,    // watching had stopped, and the clock may have been put back
  kOnlyObserve,     // at a person's word it is promoted: the conditions only observe
  kAlert,           // `alert` fires, or is resolved
  kAlertsForgiven,  // a person goes on although one fired
};

struct Fact {
  What what = What::kSlot;
  SysTime now{};  // when it was told
  SysTime since{};
  int step = -1;
  std::size_t condition = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  Judged judged{};
  bool counts = true;  // false for a slot asked before the watching began; of kWatchResumed:
                       // whether there was anything to be watched; of kAlert: whether it began
                       // after the first step did
  AlertChanged alert{};
  bool rolling_back = false;  // when an alert was told
};

class Model {
 public:
  Model(const RolloutSpec& spec, const Plan& plan, std::vector<Millis> phases, SysTime now,
        bool frozen);

  // A refusal changes nothing and is said in `refused`.
  Seen take(const Input& input, SysTime now);
  Seen seen() const;

 private:
  // ---- What the facts say (facts.cc)
  SysTime begun_at(std::size_t fact) const;  // its `since`, never later than a clock put back
  std::optional<std::size_t> latest(std::initializer_list<What> whats) const;
  int step() const;
  bool begun() const;
  std::optional<SysTime> step_since() const;
  SysTime hold_end() const;
  SysTime soak_end() const;
  bool soak_is_seen() const;  // every slot that is evaluated for a time in it has ended
  std::optional<double> weight() const;
  std::optional<SysTime> watched_from(std::size_t i) const;
  std::optional<std::int64_t> last_slot(std::size_t i) const;
  std::optional<SysTime> looked_up_to(std::size_t i) const;
  std::optional<std::int64_t> next_slot(std::size_t i, Millis ingestion_delay) const;
  const Fact* last_of(std::size_t i) const;  // its latest slot
  int passes_in_step(std::size_t i) const;
  bool ever_passed() const;
  bool failed(std::size_t i) const;
  std::optional<SysTime> silent_since(std::size_t i) const;
  std::optional<SysTime> undecided_since(std::size_t i) const;
  bool ready() const;

  // ---- Alerts (alerts.cc)
  std::optional<SysTime> first_step_at() const;
  std::map<std::string, const Fact*> firing() const;
  bool alert_counts() const;
  bool alerts_failed() const;
  bool alerts_can_stop() const;
  bool alerts_hold() const { return alerts_can_stop() && alert_counts(); }

  // ---- What follows from them (verdicts.cc)
  bool gates(std::size_t i) const;
  bool any_gates() const;
  bool ignored(std::size_t i) const;
  bool lets_go(std::size_t i) const;
  Verdict verdict_of(std::size_t i) const;
  Verdict verdict() const;
  bool watching() const;
  bool may_begin() const;
  bool only_observe() const { return latest({What::kOnlyObserve}).has_value(); }
  const Fact* seen_since_watched(std::size_t i) const;
  bool has_next_step() const;
  bool told() const { return !spec_.orchestrator.empty(); }
  bool weighted() const { return plan_.steps.front().weight.has_value(); }
  bool order_to_go_on() const;
  // Its rollback failed, and nobody has acted (lapsed_) or it is sent again (order_).
  bool awaits_somebody() const { return state_ == State::kRollbackFailed && (order_ || lapsed_); }
  bool some_gate_is_silent() const;
  bool held() const { return freeze_ || newer_waits_; }
  bool deadline_runs() const;
  bool hold_runs() const;
  std::optional<SysTime> reminder() const;
  std::optional<SysTime> ready_time() const;
  SysTime soak_time() const;
  std::optional<SysTime> timer() const;

  // ---- What can happen (one file each)
  void on(const Begin& input);
  void on(const SlotAnswered& input);
  void on(const SlotsMissed& input);
  void on(const PersonDecided& input);
  void on(const OrderEnded& input);
  void on(const WeightReported& input);
  void on(const SupersededBy& input);
  void on(const WatchResumed& input);
  void on(const TimePassed& input);
  void on(const PredecessorRollingBack& input);
  void on(const NewerWaits& input);
  void on(const FreezeChanged& input);
  void on(const AlertChanged& input);
  void on(const RollbackSentAgain& input);
  void on(const OlderActive& input);
  void on(const HistoryRead& /*input*/) {}  // the model compares nothing

  // ---- Moves
  Fact& add(What what);
  void decide(DecisionKind kind, const std::string& by, std::optional<std::size_t> condition = {});
  void order(DecisionKind kind, double weight);
  void withdraw();
  void watch(std::size_t i, SysTime from);
  void watch_all(SysTime since, bool all_anew, bool first_step);
  void unwatch_all();
  void begin();
  void step_ends(SysTime by_then);
  void go_on(const std::string& by);
  void order_step(int index, const std::string& by);
  void promote(const std::string& by);
  void reach_step(int index, SysTime since);
  void reach_everything(SysTime since);
  void pause(QuestionKind kind, const std::string& by, std::optional<std::size_t> condition = {});
  void ask(QuestionKind kind);
  void ask_about_failed();
  void begin_afresh();
  void wait_for_ready();
  void keep_ready_clock();
  void take_up();
  void give_again(const OpenOrder& taken_back);
  bool recovery_is_seen() const;
  void recovery_ends();
  void roll_back(const std::string& by, std::optional<std::size_t> condition = {});
  void rolled_back();
  void end(State state);
  void slot_ended(std::size_t i);
  bool newly_failed(std::size_t i);
  void condition_failed(std::size_t i);
  bool a_question_stands_before_failing() const;
  void use_patience(std::size_t i, SysTime evaluated_at);
  void lift_pause(SysTime evaluated_at);
  bool is_watched(std::size_t i, SysTime evaluated_at) const;
  void on_readiness(std::size_t i);
  void on_ready_time();
  void on_recovery_time();
  bool is_refused(const PersonDecided& input) const;
  bool yes_sends_on() const;
  void renew_deadline();
  void answer_yes(const PersonDecided& input);
  void person_advances(const PersonDecided& input);
  void extend(Millis span);
  int step_at(double weight) const;
  void took_effect(const OpenOrder& done);
  void settle(DecisionKind kind, int index);
  bool refuse(bool when);

  const RolloutSpec& spec_;
  const Plan& plan_;
  const std::vector<Millis> phases_;
  std::vector<Fact> facts_;
  SysTime now_;

  State state_ = State::kWaiting;
  std::optional<OpenOrder> order_;
  std::optional<OpenOrder> lapsed_;
  std::optional<OpenQuestion> question_;
  unsigned orders_ = 0;
  unsigned questions_ = 0;
  double reached_ = 0;
  bool newer_waits_ = false;
  bool older_active_ = false;
  bool waits_for_predecessor_ = false;
  std::optional<SysTime> freeze_;  // since when
  SysTime deadline_at_;
  Millis extension_{0};
  ReadyState ready_;
  std::optional<RecoveryState> recovery_;
  Millis recovery_span_{0};                   // until its end, from when it was set
  Verdict last_verdict_ = Verdict::kPending;  // of one that has ended
  Seen out_;                                  // of the input at hand
};

}  // namespace rollwatch::model
