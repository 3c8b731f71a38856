// A table of counters in few bytes, for arms of thousands of pods: it is saved with every slot.
// What a process' counters have in common is written once, and a counter that is a whole number, as
// nearly all are, takes as many digits as it has. A histogram's counter takes 6 bytes or so instead
// of 30.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analysis/statistics/counters.h"

namespace rollwatch::statistics {

// A hash: no number that could be short.
struct PackedKey {
  std::uint64_t value = 0;

  bool operator==(const PackedKey&) const = default;
};

struct PackedCount {
  double value = 0;

  // Written as a number twice as large, so that 1 can say that all of its bits follow.
  bool is_whole() const;
};

struct PackedCounter {
  std::uint64_t place = 0;  // part · series + which of them, less that of the one before and 1
  std::uint32_t missing = 0;
  PackedCount last;
};

struct PackedSource {
  PackedKey source;
  std::vector<PackedKey> series;
  std::vector<PackedCounter> counters;
};

struct PackedTable {
  std::uint32_t parts = 0;
  MaybeTime last_at;
  std::vector<PackedSource> sources;
};

PackedTable packed(const CounterTable& table);
// Nothing if it is not as packed() makes it: there is one way to write each table.
std::optional<CounterTable> unpacked(const PackedTable& table);

}  // namespace rollwatch::statistics
