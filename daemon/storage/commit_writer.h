// One commit of the engine as rows, inside a transaction somebody else began.
#pragma once

#include <stdexcept>

#include "daemon/engine/records.h"
#include "daemon/storage/recent_log.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

// The commit does not fit what is stored, such as a rollout that is not there. Its batch fails
// alone.
class Refused : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What it was made from is no longer what is stored. Its batch fails alone.
class Outdated : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws Refused, Outdated or SqliteError. Fences are given to the orders and sequence numbers to
// the events, in the order of the calls.
Recorded write_commit(Database& db, RecentLog& recent, const Commit& commit);

// Replaces what is there for the same service. The work of one transaction that somebody else
// began.
void write_freeze(Database& db, const FreezeRecord& freeze);

}  // namespace rollwatch
