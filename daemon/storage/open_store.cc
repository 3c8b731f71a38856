#include "daemon/storage/open_store.h"

#include <string>

#include "daemon/storage/private_file.h"

namespace rollwatch {
namespace {

// For pages of the file, in KiB. What the writer needs again soon is little: the ends of the log,
// and the pages of rollouts that are folded together. The rest is in the system's memory, which
// others can have when they need it.
constexpr const char* kWriterMemory = "PRAGMA cache_size = -1000";
constexpr const char* kReaderMemory = "PRAGMA cache_size = -500";

std::filesystem::path beside(std::filesystem::path path, const char* suffix) {
  return path += suffix;
}

void check_directory(const std::filesystem::path& path) {
  const auto directory = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::error_code error;
  if (std::filesystem::is_directory(directory, error)) return;
  throw StoreError("the store " + path.string() + " cannot be opened: the directory " +
                   directory.string() + " does not exist; create it, writable for rollwatchd");
}

}  // namespace

LockFile lock_store(const std::filesystem::path& path) {
  check_directory(path);
  try {
    return LockFile(beside(path, ".lock"), "the store " + path.string());
  } catch (const std::runtime_error& error) {
    throw StoreError(error.what());
  }
}

Database open_for_writing(const std::filesystem::path& path) {
  return open_or_explain(path, [&path] {
    create_private_file(path);  // SQLite gives its log and index the same mode
    Database db(path, Database::Mode::kReadWrite);
    check_schema(db, sqlite_migrations());
    // Only a new file takes this over: deleted history can be given back to the disk in small
    // steps.
    db.execute("PRAGMA auto_vacuum = INCREMENTAL");
    if (db.text("PRAGMA journal_mode = WAL") != "wal") {
      throw StoreError("the store " + path.string() +
                       " cannot be opened: its file system has no shared memory, which SQLite's"
                       " write-ahead log needs; put it on a local disk");
    }
    db.execute("PRAGMA synchronous = FULL");
    db.execute(kWriterMemory);
    migrate(db, sqlite_migrations());
    // What a statement needs for undoing itself. A file for it would be in /var/tmp, where the
    // space is not ours. Not before the migrations: an index is sorted in one.
    db.execute("PRAGMA temp_store = MEMORY");
    return db;
  });
}

Database open_for_reading(const std::filesystem::path& path) {
  return open_or_explain(path, [&path] {
    Database db(path, Database::Mode::kReadOnly);
    db.execute(kReaderMemory);
    return db;
  });
}

}  // namespace rollwatch
