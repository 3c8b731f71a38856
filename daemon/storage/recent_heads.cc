#include "daemon/storage/recent_heads.h"

#include <algorithm>

namespace rollwatch {
namespace {

bool is_before(const RecentHead& head, std::int64_t rollout) { return head.rollout < rollout; }

}  // namespace

std::int64_t newest_in(const std::vector<RecentHead>& heads, std::int64_t rollout) {
  const auto found = std::lower_bound(heads.begin(), heads.end(), rollout, is_before);
  if (found == heads.end() || found->rollout != rollout) return RecentHead::kNone;
  return found->newest;
}

std::int64_t RecentHeads::newest(std::int64_t rollout) const {
  const std::lock_guard lock(mutex_);
  return newest_in(heads_, rollout);
}

std::vector<RecentHead> RecentHeads::all() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

// A new rollout has the largest key so far: it goes to the end.
void RecentHeads::set(const std::vector<RecentHead>& changed) {
  const std::lock_guard lock(mutex_);
  for (const RecentHead& head : changed) {
    const auto place = std::lower_bound(heads_.begin(), heads_.end(), head.rollout, is_before);
    const bool is_there = place != heads_.end() && place->rollout == head.rollout;
    if (head.newest == RecentHead::kGone) {
      if (is_there) heads_.erase(place);
    } else if (is_there) {
      place->newest = head.newest;
    } else {
      heads_.insert(place, head);
    }
  }
}

}  // namespace rollwatch
