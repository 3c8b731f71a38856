// Failures that repeat are told once, and then counted: of lines that differ in numbers and ids
// only, the first is shown, those of the minute after it are left out, and how many that were is
// said with the next one, or, once the minute is over, as soon as anything is logged.
//
//   Repeats repeats;
//   if (auto line = repeats.admit("order ord_1: attempt 2 failed", now)) show(*line);
//   for (const std::string& line : repeats.overdue(now)) show(line);
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

class Repeats {
 public:
  // None: it is left out, and counted.
  std::optional<std::string> admit(std::string_view line, SysTime now);
  // What was left out and is to be told now. Forgets what has not come for a minute.
  std::vector<std::string> overdue(SysTime now);
  // What was left out and not told, because there will be no more.
  std::vector<std::string> rest();

 private:
  struct Seen {
    SysTime shown_at{};
    std::size_t left_out = 0;
    std::string latest;
  };
  std::map<std::string, Seen> seen_;  // by what the lines have in common
};

}  // namespace rollwatch
