#include "test/storage/failing_disk.h"

#include <sqlite3.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace rollwatch {
namespace {

std::atomic<FailingDisk::Fault> current_fault = FailingDisk::Fault::kNone;
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs failing_vfs;

// SQLite's own methods differ by the kind of file; each kind gets a copy with two of them replaced.
struct Methods {
  sqlite3_io_methods ours;
  const sqlite3_io_methods* real;
  bool database;
};
std::mutex methods_mutex;
std::map<std::pair<const sqlite3_io_methods*, bool>, std::unique_ptr<Methods>>
    methods;  // guarded by mutex

const Methods& methods_of(const sqlite3_file* file) {
  return *reinterpret_cast<const Methods*>(file->pMethods);
}

int failing_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  switch (current_fault.load()) {
    case FailingDisk::Fault::kFull:
      return SQLITE_FULL;
    case FailingDisk::Fault::kWriteFails:
      return SQLITE_IOERR_WRITE;
    default:
      return methods_of(file).real->xWrite(file, data, size, offset);
  }
}

int failing_sync(sqlite3_file* file, int flags) {
  const auto fault = current_fault.load();
  if (fault == FailingDisk::Fault::kSyncFails) return SQLITE_IOERR_FSYNC;
  if (fault == FailingDisk::Fault::kDatabaseSyncFails && methods_of(file).database) {
    return SQLITE_IOERR_FSYNC;
  }
  return methods_of(file).real->xSync(file, flags);
}

constexpr int kTemporary = SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |
                           SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL;

int open_failing(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  if (current_fault.load() == FailingDisk::Fault::kNoTemporaryFiles && (flags & kTemporary) != 0) {
    file->pMethods = nullptr;
    return SQLITE_CANTOPEN;
  }
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
  if (file->pMethods == nullptr) return code;
  const std::lock_guard lock(methods_mutex);
  const bool database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  auto& entry = methods[{file->pMethods, database}];
  if (!entry) {
    entry = std::make_unique<Methods>(Methods{*file->pMethods, file->pMethods, database});
    entry->ours.xWrite = failing_write;
    entry->ours.xSync = failing_sync;
  }
  file->pMethods = &entry->ours;
  return code;
}

}  // namespace

FailingDisk::FailingDisk() {
  set(Fault::kNone);
  real_vfs = sqlite3_vfs_find(nullptr);
  failing_vfs = *real_vfs;
  failing_vfs.zName = "failing";
  failing_vfs.xOpen = open_failing;
  sqlite3_vfs_register(&failing_vfs, 1);
}

FailingDisk::~FailingDisk() {
  sqlite3_vfs_unregister(&failing_vfs);
  sqlite3_vfs_register(real_vfs, 1);
}

void FailingDisk::set(Fault fault) { current_fault = fault; }

}  // namespace rollwatch
