// Keeps a second process away: an exclusive lock on a file beside what it guards, with the holder's
// process number in it. The lock ends with the process, however it ends; the file stays.
#pragma once

#include <filesystem>
#include <string>

namespace rollwatch {

class LockFile {
 public:
  // Throws std::runtime_error that says what is wrong and what to do; `way_out` if another has it.
  LockFile(const std::filesystem::path& path, const std::string& guarded,
           const std::string& way_out = "stop that one first, or give this one its own store.url");
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

 private:
  const int descriptor_;
};

}  // namespace rollwatch
