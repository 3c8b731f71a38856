#include "daemon/postgres/schema.h"

#include <array>
#include <string>

#include "daemon/postgres/schema_sql.h"

namespace rollwatch {
namespace {

constexpr std::array kMigrations{PgMigration{1, 1, kPgFirst},
                                 PgMigration{2, 1, kPgEventHorizon},
                                 PgMigration{3, 1, kPgThinning},
                                 PgMigration{4, 1, kPgFreezeVia},
                                 PgMigration{5, 1, kPgFailedDeliveries},
                                 PgMigration{6, 6, kPgComparingStates}};

// "rlwt": nobody else in this database takes the same lock.
constexpr std::string_view kSchemaLock = "SELECT pg_advisory_xact_lock(1919711092)";
constexpr std::string_view kHasSchema =
    "SELECT count(*) FROM pg_class c WHERE c.relname = 'rollwatch_schema'"
    " AND c.relnamespace = current_schema()::regnamespace";
constexpr std::string_view kReadVersion = "SELECT version, works_with FROM rollwatch_schema";

int newest(std::span<const PgMigration> steps) { return steps.empty() ? 0 : steps.back().version; }

// Only the first of several nodes that start together finds something to do: the others wait for
// the lock, and then the condition no longer holds.
std::string script_of(const PgMigration& step) {
  const std::string version = std::to_string(step.version);
  const std::string works_with = std::to_string(step.works_with);
  std::string script = "BEGIN;\n" + std::string(kSchemaLock) + ";\n";
  script +=
      "CREATE TABLE IF NOT EXISTS rollwatch_schema (version integer NOT NULL, works_with "
      "integer NOT NULL);\n";
  script +=
      "DO $migration$ BEGIN\n"
      "IF coalesce((SELECT max(version) FROM rollwatch_schema), 0) < " +
      version + " THEN\n" + step.sql +
      "\nDELETE FROM rollwatch_schema;\nINSERT INTO rollwatch_schema VALUES (" + version + ", " +
      works_with + ");\nEND IF;\nEND $migration$;\nCOMMIT;\n";
  return script;
}

}  // namespace

std::span<const PgMigration> pg_migrations() { return kMigrations; }

awaitable<PgSchemaVersion> pg_schema_version(PgConnection& connection) {
  std::vector<PgStatement> has;
  has.push_back(pg(kHasSchema));
  const auto found = co_await connection.ask(std::move(has));
  if (found.at(0).integer(0, 0) == 0) co_return PgSchemaVersion{};
  std::vector<PgStatement> read;
  read.push_back(pg(kReadVersion));
  const auto rows = co_await connection.ask(std::move(read));
  if (rows.at(0).empty()) co_return PgSchemaVersion{};
  co_return PgSchemaVersion{static_cast<int>(rows[0].integer(0, 0)),
                            static_cast<int>(rows[0].integer(0, 1))};
}

void check_pg_schema(PgSchemaVersion found, std::span<const PgMigration> steps) {
  if (found.version <= newest(steps) || found.works_with <= newest(steps)) return;
  throw PgSchemaError(
      "was taken over by a newer rollwatchd (schema " + std::to_string(found.version) +
      ", which works with " + std::to_string(found.works_with) + " and later; this one knows " +
      std::to_string(newest(steps)) +
      "); start that version here too, or go back to a copy made before the upgrade");
}

awaitable<void> migrate_pg(PgConnection& connection, std::span<const PgMigration> steps) {
  const PgSchemaVersion found = co_await pg_schema_version(connection);
  check_pg_schema(found, steps);
  for (const PgMigration& step : steps) {
    if (step.version <= found.version) continue;
    std::string script = script_of(step);
    co_await connection.execute(std::move(script));
  }
  const PgSchemaVersion now = co_await pg_schema_version(connection);
  check_pg_schema(now, steps);
}

}  // namespace rollwatch
