// What members ask of the database. Within members*.cc only.
#pragma once

#include <string_view>
#include <vector>

#include "daemon/postgres/values.h"

namespace rollwatch::node_sql {

inline constexpr const char* kClosed = "the store is closed";

inline constexpr std::string_view kSchema = "SELECT version, works_with FROM rollwatch_schema";
inline constexpr std::string_view kListen = "LISTEN rollwatch";
inline constexpr std::string_view kJoin =
    "INSERT INTO nodes (name, program, expires_at) VALUES ($1, $2,"
    " clock_timestamp() + $3::bigint * interval '1 millisecond') RETURNING number";
inline constexpr std::string_view kHowMany = "SELECT count(*) FROM nodes";
inline constexpr std::string_view kRenew =
    "UPDATE nodes SET seen_at = clock_timestamp(),"
    " expires_at = clock_timestamp() + $2::bigint * interval '1 millisecond'"
    " WHERE number = $1::bigint RETURNING 1";
inline constexpr std::string_view kSweep = "SELECT * FROM rollwatch_sweep()";
#define ROLLWATCH_BUSY_PLACES                                                        \
  "(SELECT r.place AS key FROM rollouts r WHERE r.active UNION SELECT r.place FROM " \
  "deliveries d JOIN rollouts r ON r.key = d.rollout WHERE d.open)"
inline constexpr std::string_view kCount =
    "SELECT (SELECT count(*) FROM nodes), count(*),"
    " (SELECT ceil(extract(epoch FROM min(n.expires_at) - clock_timestamp()) * 1000)::bigint"
    " FROM nodes n WHERE n.number <> $1::bigint) FROM " ROLLWATCH_BUSY_PLACES " b";
inline constexpr std::string_view kMine =
    "SELECT p.namespace, p.service, p.target FROM " ROLLWATCH_BUSY_PLACES
    " b JOIN places p ON p.key = b.key WHERE p.owner = $1::bigint ORDER BY p.epoch DESC";
// Both are the same number: the time of the statement, which does not go on while it is carried
// out.
#define ROLLWATCH_NEXT_FENCE \
  "greatest(p.fence + 1, floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint)"
#define ROLLWATCH_TAKEN \
  "owner = $1::bigint, fence = " ROLLWATCH_NEXT_FENCE ", epoch = " ROLLWATCH_NEXT_FENCE
inline constexpr std::string_view kTake =
    "WITH free AS (SELECT p.key FROM places p WHERE p.key IN (SELECT key FROM"
    " " ROLLWATCH_BUSY_PLACES
    " b) AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.number = p.owner)"
    " ORDER BY p.key LIMIT $2::bigint FOR UPDATE OF p SKIP LOCKED)"
    " UPDATE places p SET " ROLLWATCH_TAKEN
    " FROM free WHERE p.key = free.key"
    " RETURNING p.namespace, p.service, p.target, p.epoch";
inline constexpr std::string_view kNewPlace =
    "INSERT INTO places (namespace, service, target) VALUES ($1, $2, $3)"
    " ON CONFLICT (namespace, service, target) DO NOTHING";
inline constexpr std::string_view kClaim =
    "UPDATE places p SET " ROLLWATCH_TAKEN
    " WHERE p.namespace = $2 AND p.service = $3 AND p.target = $4"
    " AND (p.owner = $1::bigint OR NOT EXISTS (SELECT 1 FROM nodes n WHERE n.number = p.owner))"
    " AND EXISTS (SELECT 1 FROM nodes n WHERE n.number = $1::bigint) RETURNING p.epoch";
inline constexpr std::string_view kRelease =
    "UPDATE places p SET owner = NULL FROM unnest($2::text[], $3::text[], $4::text[])"
    " AS w(namespace, service, target) WHERE p.owner = $1::bigint AND p.namespace = w.namespace"
    " AND p.service = w.service AND p.target = w.target";
inline constexpr std::string_view kLeave = "DELETE FROM nodes WHERE number = $1::bigint";
inline constexpr std::string_view kTell = "SELECT pg_notify('rollwatch', $1)";
inline constexpr std::string_view kNodes =
    "SELECT n.number, n.name, n.program, floor(extract(epoch FROM n.joined_at) * 1000)::bigint,"
    " floor(extract(epoch FROM n.seen_at) * 1000)::bigint,"
    " floor(extract(epoch FROM n.expires_at) * 1000)::bigint,"
    " (SELECT count(*) FROM " ROLLWATCH_BUSY_PLACES
    " b JOIN places p ON p.key = b.key"
    " WHERE p.owner = n.number),"
    " (SELECT count(*) FROM rollouts r JOIN places p ON p.key = r.place"
    " WHERE r.active AND p.owner = n.number)"
    " FROM nodes n ORDER BY n.number";

#undef ROLLWATCH_BUSY_PLACES
#undef ROLLWATCH_TAKEN
#undef ROLLWATCH_NEXT_FENCE

template <class... Statements>
std::vector<PgStatement> list_of(Statements... statements) {
  std::vector<PgStatement> list;
  (list.push_back(std::move(statements)), ...);
  return list;
}

}  // namespace rollwatch::node_sql
