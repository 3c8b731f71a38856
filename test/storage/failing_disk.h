// A disk that fails when told to, between SQLite and the real one: every database opened while this
// exists goes through it.
#pragma once

namespace rollwatch {

class FailingDisk {
 public:
  FailingDisk();
  ~FailingDisk();
  FailingDisk(const FailingDisk&) = delete;
  FailingDisk& operator=(const FailingDisk&) = delete;

  enum class Fault {
    kNone,
    kFull,
    kWriteFails,
    kSyncFails,
    kDatabaseSyncFails,  // of the database itself, which happens only when the log is moved into it
    kNoTemporaryFiles,   // none can be made where the system keeps them
  };
  void set(Fault fault);
};

}  // namespace rollwatch
