// The promise about false rollbacks, measured on somebody's own past: each pod of stable is taken
// for the candidate of a rollout that never was, and held against the others by the very code that
// judges rollouts. Nothing was released, so whatever is rolled back here is a false rollback.
//
//   auto calibration = calibration_of(plan, {});           // what is played, and how long
//   for (SysTime begins : windows_of(*calibration, from, to, kMostWindows).begins) {
//     auto pods = PastPods::of(plan, *calibration, {begins, answers});
//     for (std::size_t pod : pods->played(n)) {
//       PretendedRollout rollout(plan, *calibration, *pods, pod);
//       while (rollout.go_on()) {}
//       rollout.end();
//     }
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/compare/see.h"
#include "analysis/expected.h"
#include "analysis/plan.h"
#include "analysis/state.h"

namespace rollwatch {

// Longer ranges are thinned evenly.
inline constexpr std::size_t kMostWindows = 200;
// Of more pods so many are played in a window, in the next one others.
inline constexpr std::size_t kMostPlayed = 50;

struct PretendedStep {
  std::optional<double> weight;
  Millis length{0};
};

struct Calibration {
  struct LeftOut {
    std::string condition;
    std::string why;
  };
  std::vector<std::size_t> conditions;  // that are played, in the plan's order
  std::vector<LeftOut> left_out;
  double alpha = kDefaultAlpha;
  std::vector<PretendedStep> steps;
  Millis history{0};      // that is looked at before a rollout
  Millis rollout{0};      // how long it takes: all steps
  std::size_t slots = 0;  // in it, of the condition with most
};

// All that share the promise, or the one that is `wanted`. The error says why there is nothing to
// play.
Expected<Calibration, std::string> calibration_of(const Plan& plan,
                                                  const std::optional<std::string>& wanted);

// Rollouts that do not overlap, history and all within `from` and `to`.
struct PastWindows {
  std::vector<SysTime> begins;  // of the rollouts
  std::size_t possible = 0;     // more than there are, where the range was thinned
};
PastWindows windows_of(const Calibration& calibration, SysTime from, SysTime to, std::size_t most);

// What stable is asked for one condition and window: every interval, first and last included.
struct PastTimes {
  SysTime first{}, last{};
};
PastTimes times_of(const ConditionPlan& condition, const Calibration& calibration, SysTime begins);

// Stable's answers to all of it, in the order of Calibration::conditions.
struct PastWindow {
  SysTime begins{};
  std::vector<std::vector<HistorySlot>> answers;
};

// A window's series by pod.
class PastPods {
 public:
  // The error says what is to be changed for pods to be told apart.
  static Expected<PastPods, std::string> of(const Plan& plan, const Calibration& calibration,
                                            PastWindow window);

  SysTime begins() const { return begins_; }
  const std::vector<std::string>& names() const { return names_; }
  // Who is played in the window with this number.
  std::vector<std::size_t> played(std::size_t window) const;

  // A slot's answers as if there were only this pod, or only the others.
  HistorySlot only(std::size_t condition, std::size_t slot, std::size_t pod) const;
  HistorySlot without(std::size_t condition, std::size_t slot, std::size_t pod) const;
  std::size_t slots(std::size_t condition) const { return conditions_[condition].size(); }

 private:
  static constexpr std::size_t kNobody = static_cast<std::size_t>(-1);
  struct OwnedSeries {
    std::size_t pod = kNobody;
    Series series;
  };
  struct Slot {
    SysTime at{};
    std::vector<OwnedSeries> counted;
    std::optional<std::vector<OwnedSeries>> bad;
  };
  template <class Wanted>
  HistorySlot chosen(const Slot& slot, const Wanted& wanted) const;

  SysTime begins_{};
  std::vector<std::string> names_;
  std::vector<std::vector<Slot>> conditions_;
};

// How a pretended rollout ended.
struct PretendedEnd {
  bool counts = false;  // it served for at least half of the rollout, or was rolled back
  bool rolled_back = false;
  SysTime at{};                     // if it was: for when the slot was evaluated,
  std::size_t slot = 0;             // which of its condition's, from 1,
  std::vector<std::size_t> causes;  // the plan's conditions, the weightiest first
};

class PretendedRollout {
 public:
  // All of them outlive it.
  PretendedRollout(const Plan& plan, const Calibration& calibration, const PastPods& pods,
                   std::size_t pod);

  // A little of it: what there is to read of a condition's history, or a slot. False: it is over.
  bool go_on();

  PretendedEnd end() const;

 private:
  struct Due {
    SysTime at{};
    std::size_t condition = 0;  // of Calibration::conditions
    std::size_t slot = 0;       // of its answers
    std::uint32_t step = 0;
    bool warms_up = false;
  };
  const ConditionPlan& plan_of(std::size_t condition) const;
  void add_slots_of(std::size_t condition);
  void read_history(std::size_t condition);
  void look(const Due& due);

  const Plan& plan_;
  const Calibration& calibration_;
  const PastPods& pods_;
  const std::size_t pod_;
  std::vector<Due> due_;                    // by time
  std::size_t histories_ = 0, looked_ = 0;  // that are done
  std::vector<ConditionState> states_;      // as the plan's conditions
  PretendedEnd end_;
};

}  // namespace rollwatch
