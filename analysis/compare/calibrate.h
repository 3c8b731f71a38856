// The promise about false rollbacks, measured on somebody's own past: each pod of stable is taken
// for the candidate of a rollout that never was, and held against the others by the very code that
// judges rollouts. Nothing was released, so whatever is rolled back here is a false rollback.
//
//   auto calibration = calibration_of(plan, {});           // what is played, and how long
//   for (SysTime begins : windows_of(*calibration, from, to).begins) {
//     auto pods = PastPods::of(plan, *calibration, {begins, answers});
//     for (std::size_t pod : pods->played(n)) {
//       PretendedRollout rollout(plan, *calibration, *pods, pod);
//       while (rollout.go_on()) {}
//       rollout.end();
//     }
//   }
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "analysis/compare/history_slot.h"
#include "analysis/expected.h"
#include "analysis/plan.h"

namespace rollwatch {

// Longer ranges are thinned evenly, to so many windows, or where they are long to so many slots.
inline constexpr std::size_t kMostWindows = 200;
inline constexpr std::size_t kMostSlots = 50'000;

// So many slots are looked back when a rollout begins; what is subtracted takes one more.
inline constexpr int kHistorySlots = 30;

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
PastWindows windows_of(const Calibration& calibration, SysTime from, SysTime to);

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

}  // namespace rollwatch
