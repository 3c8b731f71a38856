// Which evaluations of long ago are kept. What decided something is, and so is what shows that it
// did not: of each condition every slot that did not pass, the passes beside them and at the ends
// of each step, those around each decision, and of the long runs in between one in ten.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

struct ThinRow {
  std::uint32_t number = 0;
  std::string condition;
  SysTime slot{};
  bool is_pass = false;
  int step = -1;
};

// Consecutive evaluations of one rollout that are old enough, as they are read.
struct ThinPiece {
  std::vector<ThinRow> rows;
  std::optional<SysTime> next;  // the slot of the first one that is left for later, if there is one

  // False if it is left for later, with all that follow.
  bool add(ThinRow row, SysTime before);
};

// How much of a rollout has to be old enough before it is looked at (again).
inline constexpr Millis kThinAtOnce{3'600'000};
// At most so many of its evaluations at a time.
inline constexpr std::size_t kThinRows = 2'000;

// The numbers of those that may go, of consecutive rows of one rollout. The first and the last of
// each condition stay: nobody knows what is beside them. `decided`: when its decisions were made.
std::vector<std::uint32_t> superfluous(const std::vector<ThinRow>& rows,
                                       const std::vector<SysTime>& decided);

}  // namespace rollwatch
