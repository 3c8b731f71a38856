// The store's file: locked, brought up to date, and two connections to it. What goes wrong is said
// in our words, with the path and what to do.
#pragma once

#include <filesystem>

#include "daemon/engine/store.h"
#include "daemon/storage/lock_file.h"
#include "daemon/storage/schema.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

LockFile lock_store(const std::filesystem::path& path);
Database open_for_writing(const std::filesystem::path& path);
Database open_for_reading(const std::filesystem::path& path);

// Runs what opens it; throws StoreError in place of what that throws.
template <class Open>
auto open_or_explain(const std::filesystem::path& path, Open open) -> decltype(open()) {
  try {
    return open();
  } catch (const SchemaError& error) {
    throw StoreError("the store " + path.string() + " " + error.what());
  } catch (const SqliteError& error) {
    throw StoreError("the store " + path.string() + " cannot be opened: " + error.what() +
                     "; the file and its directory must be readable and writable for rollwatchd");
  }
}

}  // namespace rollwatch
