// The tables of the SQLite store, as numbered steps from an empty file to what this program knows.
// A step that was released is never changed; a change is a new step at the end.
#pragma once

#include <span>
#include <stdexcept>

#include "daemon/storage/lifetimes.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

struct Migration {
  int version;  // 1, 2, …: PRAGMA user_version after it
  const char* sql;
};

std::span<const Migration> sqlite_migrations();

// The file is not one this program may use; the message says what it is, without the path.
class SchemaError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Whether the database is ours, or new, and not from the future. Changes nothing.
void check_schema(Database& db, std::span<const Migration> steps);

// Brings the database to the last version, each step in a transaction of its own, so that after a
// crash it goes on where it was. Checks it first.
void migrate(Database& db, std::span<const Migration> steps);

}  // namespace rollwatch
