// A rollout that never was: one pod of stable for the candidate, the others for stable, judged slot
// by slot as a rollout is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analysis/compare/past_pods.h"
#include "analysis/state.h"

namespace rollwatch {

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
