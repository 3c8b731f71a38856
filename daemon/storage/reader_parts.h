// What the reader's two files share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/engine/records.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

// What is read until its end is of one moment, which the first question after its beginning fixes:
// what is to be older than that is asked before.
class Moment {
 public:
  explicit Moment(Database& db) : db_(db) { Query(db_, "BEGIN").run(); }
  ~Moment() {
    try {
      if (db_.in_transaction()) Query(db_, "COMMIT").run();
    } catch (const SqliteError&) {
      // Nothing was changed. The next one fails in its turn, and is told.
    }
  }
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;

 private:
  Database& db_;
};

// One more than asked for is read: it tells whether there is a next page.
std::int64_t one_more(std::size_t limit);

// Columns that StoreReader::delivery_in() reads, in its order, of deliveries d and rollouts r.
#define ROLLWATCH_DELIVERY_COLUMNS                                                              \
  "SELECT d.key, d.id, d.class, d.kind, r.id, d.target, d.number, d.weight, d.fence, d.state, " \
  "d.created_at, d.expires_at, d.accepted_until, d.payload"
#define ROLLWATCH_FROM_DELIVERIES " FROM deliveries d JOIN rollouts r ON r.key = d.rollout "

// The ids in a query's fourth column whose place, in its first three, is one of these.
std::vector<std::string> ids_in(const std::vector<Place>& places, Query& query);

}  // namespace rollwatch
