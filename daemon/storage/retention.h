// Forgetting rollouts and thinning their history, in transactions small enough that commits can
// wait for each of them.
//
// A forgotten rollout disappears at once: its row goes, which everything that is read is joined
// with, and its key is noted. What belongs to it is then swept away piece by piece, after a crash
// from where it was. Each function here is the work of one transaction that somebody else began.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "daemon/engine/store.h"
#include "daemon/storage/recent_log.h"
#include "daemon/storage/sqlite.h"
#include "daemon/storage/thinning.h"

namespace rollwatch {

// Hides at most `limit` rollouts that ended before that moment and have no open delivery, the
// longest ended first; their keys. Few at a time, then sweep().
std::vector<std::int64_t> hide_ended(Database& db, SysTime ended_before, std::size_t limit);

// Deletes some of what hidden rollouts have left. 0 if there was nothing.
std::size_t sweep(Database& db);

// Thins what was evaluated before that moment (thinning.h), of a few rollouts or a part of one:
// about kThinRows rows. Of what has not been folded nothing is deleted, and it is looked at later.
Store::Thinned thin(Database& db, RecentLog& recent, SysTime before);

// Gives some of the pages that are free back to the disk, but for a share that new history will
// soon fill. How many.
std::size_t shrink(Database& db);

}  // namespace rollwatch
