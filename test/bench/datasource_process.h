// The fake datasource (fake_datasource.h) as a benchmark sees it: a child process that is told what
// to answer and asked what it was asked.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "test/support/process.h"

namespace rollwatch::bench {

// What a datasource saw in one window, by the names that fake_datasource.cc gives.
class Seen {
 public:
  explicit Seen(std::string_view lines);
  // Throws if there is no such number.
  double operator[](std::string_view name) const;

 private:
  std::map<std::string, double, std::less<>> numbers_;
};

class DatasourceProcess {
 public:
  DatasourceProcess();

  int port() const { return port_; }
  pid_t pid() const { return process_->pid(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // The query part of /bench/behave, such as "answer=one&delay_ms=50".
  void behave(std::string_view how);
  void forget() { call("/bench/forget"); }
  void begin_window() { call("/bench/window/begin"); }
  void end_window() { call("/bench/window/end"); }
  // …of the queries that hold this text.
  Seen seen(Millis interval, const std::string& holding = "");
  // What became of the queries of the asker at url() + "/nN" since then (QueryLedger::takeover).
  Seen takeover(std::size_t asker, std::chrono::steady_clock::time_point since);

 private:
  std::string call(const std::string& path);

  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace rollwatch::bench
