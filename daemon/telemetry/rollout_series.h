// The series of active rollouts, written when they are asked for from what the rollouts are then:
// ten thousand of them cost nothing between two scrapes. Those of an ended one are kept a while, so
// that a last scrape still sees how it ended.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/engine/engine.h"

namespace rollwatch {

class RolloutSeries {
 public:
  void ended(const RolloutView& view);
  // Lets go of those that a last scrape has had time for.
  void forget_ended(SysTime now);
  std::size_t kept_ended() const { return ended_.size(); }

  // In the text format, family by family. `active` shows the rollouts that are watched here.
  void append_to(std::string& text, SysTime now,
                 const std::function<void(const Engine::Look&)>& active);

 private:
  // How one was last: its lines, of each family.
  struct Ended {
    SysTime at;
    std::vector<std::string> lines;
  };
  std::map<std::string, Ended> ended_;  // by id
};

}  // namespace rollwatch
