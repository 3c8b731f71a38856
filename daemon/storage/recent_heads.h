// Which row of `recent` (schema.cc) is each rollout's newest: all the index that table has. The
// writer sets it after a commit, and whoever reads takes it before the moment he reads: so every
// row named here is there to be read, or was folded into the other tables meanwhile.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace rollwatch {

struct RecentHead {
  static constexpr std::int64_t kNone = 0;   // no row at the moment
  static constexpr std::int64_t kGone = -1;  // and none will come

  std::int64_t rollout = 0;  // rollouts.key
  std::int64_t newest = kNone;
};

// Of one rollout in such a list, which is in the order of the rollouts.
std::int64_t newest_in(const std::vector<RecentHead>& heads, std::int64_t rollout);

class RecentHeads {
 public:
  std::int64_t newest(std::int64_t rollout) const;
  std::vector<RecentHead> all() const;

  // The writer's. What is set together is seen together.
  void set(const std::vector<RecentHead>& changed);

 private:
  mutable std::mutex mutex_;
  std::vector<RecentHead> heads_;  // guarded by mutex_; in the order of the rollouts
};

}  // namespace rollwatch
