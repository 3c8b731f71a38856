// A history of any length as few points, for a chart: what failed and what is missing is never lost
// in what passed.
//
//   thinned({pass 0.1, pass 0.2, pass 0.1, fail 0.9, pass 0.1}, 4)
//     → {pass 0.1, pass 0.1 (2 slots, 0.1 … 0.2), fail 0.9, pass 0.1}
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/outcome.h"
#include "analysis/time.h"

namespace rollwatch {

// One slot, or several in a row.
struct HistoryPoint {
  SysTime at{};  // of the first
  std::uint32_t slots = 1;
  std::uint32_t fails = 0;           // of them
  Outcome outcome = Outcome::kPass;  // the worst of them
  std::optional<double> value;       // of the last that had one
  std::optional<double> low, high;   // of all that had one
  int step = -1;                     // of the first
};

// Fails before what was missed, before errors, before no data, before what decided nothing; a pass
// is the best.
bool is_worse(Outcome a, Outcome b);

// At most `most` of them, at least 3, in the same order. The first and the last stay as they are.
// Slots of one outcome and one step become one point where they stand in a row. Only where there
// are more such rows than points do rows of passes and of what decided nothing become one, then
// also those with gaps, and last of all those with fails: a point's outcome is the worst of its
// slots, and its fails are counted.
std::vector<HistoryPoint> thinned(std::vector<HistoryPoint> points, std::size_t most);

}  // namespace rollwatch
