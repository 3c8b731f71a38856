#include "daemon/storage/retention.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace rollwatch {
namespace {

struct Part {
  const char* sql;
  std::int64_t rows;  // in one transaction: few where a row is large
};

constexpr std::array kParts{
    Part{"DELETE FROM evaluations WHERE rollout = ?1 AND number IN"
         " (SELECT number FROM evaluations WHERE rollout = ?1 LIMIT ?2)",
         2'000},
    Part{"DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE rollout = ?1 LIMIT ?2)",
         1'000},
    Part{"DELETE FROM explains WHERE key IN (SELECT key FROM explains WHERE rollout = ?1 LIMIT ?2)",
         10},
    Part{"DELETE FROM attempts WHERE (delivery, number) IN (SELECT a.delivery, a.number"
         " FROM deliveries d JOIN attempts a ON a.delivery = d.key WHERE d.rollout = ?1 LIMIT ?2)",
         500},
    Part{"DELETE FROM deliveries WHERE key IN"
         " (SELECT key FROM deliveries WHERE rollout = ?1 LIMIT ?2)",
         500},
};

// Of these there are few per rollout.
constexpr std::array kSmallParts{
    "DELETE FROM labels WHERE rollout = ?1", "DELETE FROM memos WHERE rollout = ?1",
    "DELETE FROM states WHERE rollout = ?1", "DELETE FROM forgotten WHERE rollout = ?1"};

struct Ended {
  std::int64_t key, plan;
};

std::vector<Ended> find_ended(Database& db, SysTime before, std::size_t limit) {
  Query query(db,
              "SELECT r.key, r.plan FROM rollouts r WHERE r.active = 0 AND r.ended_at < ?1"
              " AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.rollout = r.key AND d.open = 1)"
              " ORDER BY r.ended_at, r.key LIMIT ?2");
  query.bind(before, static_cast<std::int64_t>(limit));
  std::vector<Ended> found;
  while (query.next()) found.push_back({query.integer(0), query.integer(1)});
  return found;
}

}  // namespace

std::vector<std::int64_t> hide_ended(Database& db, SysTime ended_before, std::size_t limit) {
  std::vector<std::int64_t> hidden;
  const std::vector<Ended> ended = find_ended(db, ended_before, limit);
  for (const Ended& rollout : ended) {
    Query(db, "INSERT INTO forgotten (rollout) VALUES (?1)").bind(rollout.key).run();
    Query(db, "DELETE FROM rollouts WHERE key = ?1").bind(rollout.key).run();
    // At once, so that the idempotency key can be used again, and no analysis is left that nobody
    // would look for.
    Query(db, "DELETE FROM idempotency WHERE rollout = ?1").bind(rollout.key).run();
    Query(db,
          "DELETE FROM plans"
          " WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM rollouts WHERE plan = ?1)")
        .bind(rollout.plan)
        .run();
    hidden.push_back(rollout.key);
  }
  return hidden;
}

std::size_t sweep(Database& db) {
  Query next(db, "SELECT rollout FROM forgotten ORDER BY rollout LIMIT 1");
  if (!next.next()) return 0;
  const std::int64_t rollout = next.integer(0);
  next.run();

  std::int64_t deleted = 0;
  for (const Part& part : kParts) {
    Query(db, part.sql).bind(rollout, part.rows).run();
    deleted += db.changes();
    if (db.changes() == part.rows) return static_cast<std::size_t>(deleted);
  }
  for (const char* sql : kSmallParts) {
    Query(db, sql).bind(rollout).run();
    deleted += db.changes();
  }
  return static_cast<std::size_t>(deleted);
}

std::size_t shrink(Database& db) {
  constexpr std::int64_t kKeptShare = 10;  // a tenth of the file
  constexpr std::int64_t kPages = 256;     // 1 MB
  const std::int64_t before = db.integer("PRAGMA page_count");
  const std::int64_t spare = db.integer("PRAGMA freelist_count") - before / kKeptShare;
  if (spare <= 0) return 0;
  db.execute("PRAGMA incremental_vacuum(" + std::to_string(std::min(spare, kPages)) + ")");
  // Nothing, forever, for a file that was created without auto_vacuum.
  return static_cast<std::size_t>(before - db.integer("PRAGMA page_count"));
}

}  // namespace rollwatch
