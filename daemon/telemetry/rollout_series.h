// The series of active rollouts, written when they are asked for from what the rollouts are then:
// ten thousand of them cost nothing between two scrapes. Those of an ended one are kept a while, so
// that a last scrape still sees how it ended.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "daemon/engine/engine.h"

namespace rollwatch {

class RolloutSeries {
 public:
  void ended(const RolloutView& view);

  // In the text format, family by family. `active` shows the rollouts that are watched here.
  void append_to(std::string& text, SysTime now,
                 const std::function<void(const Engine::Look&)>& active);

 private:
  std::map<std::string, RolloutView> ended_;  // by id, as they were last
};

}  // namespace rollwatch
