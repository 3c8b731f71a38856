// rollwatchd --migrate-store FROM TO: from SQLite to PostgreSQL, with what is said about it.
#pragma once

#include <string>

namespace rollwatch {

// The exit code.
int migrate_store(const std::string& from, const std::string& to);

}  // namespace rollwatch
