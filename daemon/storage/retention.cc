#include "daemon/storage/retention.h"

#include <algorithm>
#include <array>
#include <optional>
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

// A rollout whose history is to be thinned.
struct ToThin {
  std::int64_t key = 0, thinned = 0;
  SysTime created_at{};
  bool active = true;
};

std::optional<ToThin> next_to_thin(Database& db, SysTime before) {
  Query query(db,
              "SELECT key, thinned, created_at, active FROM rollouts WHERE thin_from < ?1"
              " ORDER BY thin_from LIMIT 1");
  query.bind(before - kThinAtOnce);
  if (!query.next()) return std::nullopt;
  return ToThin{query.integer(0), query.integer(1), query.time(2), query.integer(3) != 0};
}

ThinPiece piece_of(Database& db, const ToThin& rollout, SysTime before) {
  Query query(db,
              "SELECT number, condition, slot, outcome, step FROM evaluations"
              " WHERE rollout = ?1 AND number > ?2 ORDER BY number");
  query.bind(rollout.key, rollout.thinned);
  ThinPiece piece;
  while (query.next()) {
    ThinRow row{static_cast<std::uint32_t>(query.integer(0)), query.text(1), query.time(2),
                query.integer(3) == static_cast<int>(Outcome::kPass),
                static_cast<int>(query.integer(4))};
    if (!piece.add(std::move(row), before)) break;
  }
  return piece;
}

std::vector<SysTime> decisions_of(Database& db, std::int64_t rollout) {
  Query query(db, "SELECT at FROM explains WHERE rollout = ?1");
  query.bind(rollout);
  std::vector<SysTime> times;
  while (query.next()) times.push_back(query.time(0));
  return times;
}

// Neighbours together; `rows` are all there are between the first and the last of them.
void delete_rows(Database& db, std::int64_t rollout, const std::vector<ThinRow>& rows,
                 const std::vector<std::uint32_t>& numbers) {
  Query remove(db, "DELETE FROM evaluations WHERE rollout = ?1 AND number BETWEEN ?2 AND ?3");
  auto row = rows.begin();
  for (auto first = numbers.begin(); first != numbers.end();) {
    while (row->number != *first) ++row;
    auto last = first;
    while (last + 1 != numbers.end() && (row + 1)->number == *(last + 1)) {
      ++last;
      ++row;
    }
    remove.again().bind(rollout, *first, *last).run();
    first = last + 1;
  }
}

}  // namespace

Store::Thinned thin(Database& db, RecentLog& recent, SysTime before) {
  constexpr int kMostRollouts = 50;
  Store::Thinned thinned;
  std::size_t looked_at = 0;
  for (int i = 0; i < kMostRollouts && looked_at < kThinRows / 2; ++i) {
    const auto rollout = next_to_thin(db, before);
    thinned.more = rollout.has_value();
    if (!rollout) break;
    const ThinPiece piece = piece_of(db, *rollout, before);
    const auto numbers = superfluous(piece.rows, decisions_of(db, rollout->key));
    delete_rows(db, rollout->key, piece.rows, numbers);
    thinned.deleted += numbers.size();
    looked_at += piece.rows.size();

    const KnownRollout* known = recent.known().with_key(rollout->key);
    const bool may_get_more = rollout->active || (known != nullptr && known->has_rows());
    std::optional<SysTime> from = piece.next;
    if (!from && may_get_more) from = std::max(before, rollout->created_at);
    Query(db, "UPDATE rollouts SET thinned = ?2, thin_from = ?3 WHERE key = ?1")
        .bind(rollout->key,
              piece.rows.empty() ? rollout->thinned : std::int64_t{piece.rows.back().number}, from)
        .run();
  }
  return thinned;
}

std::vector<std::int64_t> hide_ended(Database& db, SysTime ended_before, std::size_t limit) {
  std::vector<std::int64_t> hidden;
  const std::vector<Ended> ended = find_ended(db, ended_before, limit);
  for (const Ended& rollout : ended) {
    Query(db, "INSERT INTO forgotten (rollout) VALUES (?1)").bind(rollout.key).run();
    // Its events are gone for every reader from now on.
    Query(db,
          "UPDATE event_horizon SET deleted = max(deleted,"
          " coalesce((SELECT max(seq) FROM events WHERE rollout = ?1), 0))")
        .bind(rollout.key)
        .run();
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
