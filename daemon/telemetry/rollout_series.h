// The series of active rollouts: made when one is first heard of, set when it changes, removed a
// while after its end, so that a last scrape still sees how it ended.
#pragma once

#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/engine.h"

namespace rollwatch {

class RolloutSeries {
 public:
  explicit RolloutSeries(prometheus::Registry& registry);

  void update(const RolloutView& view, SysTime now);
  // At once: another node has its series now. One that has ended is left to its time.
  void drop(const std::string& rollout);
  // Removes what ended too long ago.
  void forget(SysTime now);

 private:
  using Family = prometheus::Family<prometheus::Gauge>;
  struct Condition {
    prometheus::Labels labels;
    prometheus::Gauge* value = nullptr;      // only while there is a number
    prometheus::Gauge* threshold = nullptr;  // only if it has one
    prometheus::Gauge* verdict = nullptr;
  };
  struct Rollout {
    State state = State::kWaiting;
    prometheus::Gauge* info = nullptr;
    prometheus::Gauge* weight = nullptr;
    std::vector<Condition> conditions;
    std::optional<SysTime> ended;
  };

  Rollout begin(const RolloutView& view);
  void set_conditions(Rollout& rollout, const RolloutView& view);
  void remove(Rollout& rollout);
  void count(State state, int change);

  Family& info_;
  Family& weight_;
  Family& value_;
  Family& threshold_;
  Family& verdict_;
  Family& states_;
  std::map<std::string, Rollout> rollouts_;
  std::deque<std::string> ended_;  // of those, in the order they ended
};

}  // namespace rollwatch
