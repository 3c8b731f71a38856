// The tables of the PostgreSQL store, as numbered steps from an empty database to what this program
// knows. A step that was released is never changed; a change is a new step at the end.
#pragma once

#include <span>

#include "daemon/postgres/connection.h"

namespace rollwatch {

struct PgMigration {
  int version;  // 1, 2, …
  // The oldest program that can go on working beside this schema, by the version it knows. Programs
  // older than that step aside.
  int works_with;
  const char* sql;
};

std::span<const PgMigration> pg_migrations();

// The database is not one this program may use; the message says what it is.
class PgSchemaError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct PgSchemaVersion {
  int version = 0;  // 0: there is none yet
  int works_with = 0;
};
awaitable<PgSchemaVersion> pg_schema_version(PgConnection& connection);

// Throws PgSchemaError if a program that knows `steps` must not work with that schema.
void check_pg_schema(PgSchemaVersion found, std::span<const PgMigration> steps);

// Brings the database to the last version. One node at a time, each step in a transaction of its
// own, so that after a crash it goes on where it was. A newer schema that works with this program
// is left as it is.
awaitable<void> migrate_pg(PgConnection& connection, std::span<const PgMigration> steps);

}  // namespace rollwatch
