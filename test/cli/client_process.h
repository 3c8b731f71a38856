// The built client as a child process, in a pipeline or on a terminal of its own.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace rollwatch::test {

class ClientProcess {
 public:
  enum class Where { kPipeline, kTerminal };

  // Runs with nothing but `environment`. On a terminal stdin and stderr are one; stdout is always a
  // pipe.
  ClientProcess(const std::vector<std::string>& arguments,
                const std::map<std::string, std::string>& environment,
                Where where = Where::kPipeline);
  ~ClientProcess();  // kills it if it still runs
  ClientProcess(const ClientProcess&) = delete;
  ClientProcess& operator=(const ClientProcess&) = delete;

  // False if stderr ended, or half a minute passed, without it.
  bool says(const std::string& text);
  void type(const std::string& text);
  void signal(int number);
  // Its exit code once it ended, 128 + the signal if one ended it, -1 if it does not end in half a
  // minute.
  int exit_code();

  // So far; all of it after exit_code().
  const std::string& out() const { return out_; }
  const std::string& err() const { return err_; }
  // The lines a terminal shows of err(): what was drawn over is gone, colours are left out.
  std::vector<std::string> screen() const;

 private:
  // Reads what is there; false when both ended or nothing came for half a minute.
  bool read_some();

  pid_t pid_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;  // the terminal's other side, where there is one
  std::string out_;
  std::string err_;
};

}  // namespace rollwatch::test
