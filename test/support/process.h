// What tests need to run other programs: a child process with its own process group and log, a free
// port, a temporary directory, and waiting for a condition instead of for a time.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/time.h"

namespace rollwatch {

// A fresh directory, removed with all it holds at the end.
class TempDir {
 public:
  // In memory where the system offers that: for tests in which no machine loses its power, and
  // which would otherwise spend their time waiting for a disk.
  enum class Where : unsigned char { kDisk, kMemory };
  explicit TempDir(Where where = Where::kDisk);
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void write_file(const std::filesystem::path& path, std::string_view text);
std::string read_file(const std::filesystem::path& path);  // "" if there is none

// A TCP port of 127.0.0.1 nobody listened on a moment ago. Somebody else may take it: whoever
// starts a server on it must be ready to try another.
int free_port();

// Looks every few milliseconds until the condition holds; false if it did not within the limit,
// which is there to end a broken test and may be generous.
bool wait_until(const std::function<bool()>& condition, Millis limit = Millis{60'000});

struct ProcessOptions {
  std::vector<std::string> argv;           // argv[0] is looked up in PATH
  std::map<std::string, std::string> env;  // added to this process's own
  std::string directory;                   // "": this process's own
};

// A child in its own process group, standard output and error in a log file of its own. It dies
// with the test, and with this object if it still runs.
class Process {
 public:
  explicit Process(const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  bool running();
  void signal(int number);  // to the child alone
  void freeze();            // SIGSTOP, and waits until it stands still; SIGCONT lets it go on
  void kill();              // SIGKILL to its group, and waits for it

  // Exit code, or 128 + the number of the signal that ended it; nothing if it still runs at the
  // limit.
  std::optional<int> wait(Millis limit = Millis{60'000});

  // Everything it has written so far.
  std::string log() const { return read_file(log_file_); }

 private:
  TempDir directory_;
  std::filesystem::path log_file_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  bool reaped_ = false;
};

// Runs a program to its end.
struct Finished {
  int exit_code = 0;
  std::string output;
};
Finished run_program(const ProcessOptions& options);

}  // namespace rollwatch
