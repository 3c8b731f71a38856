// Fills the database of a daemon that is not running with history of its active rollouts: rows as
// their slots would have left them, through the daemon's own store.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace rollwatch::bench {

struct Filled {
  std::size_t rollouts = 0, evaluations = 0;
  double seconds = 0;
};

// `evaluations` in all, shared equally by its active rollouts.
Filled fill(const std::filesystem::path& database, std::size_t evaluations);

}  // namespace rollwatch::bench
