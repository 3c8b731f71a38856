// What one version served in one slot, and whether a number can be such a count.
#pragma once

#include <cmath>
#include <span>

namespace rollwatch::statistics {

// Increments of counters. `events` is any exposure: requests, or seconds times pods; `bad` any
// count of bad events, which may be more than `events`. Neither need be whole.
struct ArmCounts {
  double events = 0;
  double bad = 0;

  bool operator==(const ArmCounts&) const = default;
};

struct RateTick {
  ArmCounts candidate;
  ArmCounts stable;

  bool operator==(const RateTick&) const = default;
};

// From here on a double no longer tells a count from its neighbour: whatever it is, it is no count.
inline constexpr double kMostCount = 9007199254740992.0;

inline bool is_count(double value) { return value >= 0 && value < kMostCount; }  // NaN is none
inline bool is_usable(const ArmCounts& counts) {
  return is_count(counts.events) && is_count(counts.bad);
}

inline ArmCounts sum_of(std::span<const ArmCounts> series) {
  ArmCounts sum;
  for (const ArmCounts& one : series) {
    sum.events += one.events;
    sum.bad += one.bad;
  }
  return sum;
}

// Whether a slot was used, and if not, why.
enum class Use : unsigned char { kFed, kNoCandidate, kNoStable, kNoHistory, kUnusable };

// "At most `factor` times as bad as stable, and `extra` more."
struct Tolerance {
  double factor = 1;
  double extra = 0;
};

enum class Side : unsigned char { kHarm, kPromote };

}  // namespace rollwatch::statistics
