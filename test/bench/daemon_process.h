// A rollwatchd that is measured: the built program with a configuration and a folder of its own,
// and what a benchmark does with it over its API.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "test/support/process.h"

namespace rollwatch::bench {

// So many rollouts, each with so many conditions, each with a query of its own.
struct Load {
  std::size_t rollouts = 1000;
  std::size_t conditions = 1;
  Millis interval{1'000};
  std::size_t pool = 8;  // max_concurrency of the datasource; the daemon's own default

  std::size_t queries() const { return rollouts * conditions; }
  // Conditions that are registered last begin as late as that, so that whoever cannot keep up with
  // the load can still be given all of it.
  Millis initial_delay() const {
    return per_second() < 2'000 ? Millis{0} : Millis{1} * static_cast<Millis::rep>(rollouts);
  }
  double per_second() const {
    return 1000.0 * static_cast<double>(queries()) / static_cast<double>(interval.count());
  }
};

// A datasource of this name, and a policy of this name that asks it and ends nothing for half a
// day.
std::string datasource_configuration(const std::string& name, const std::string& url,
                                     std::size_t pool);
std::string policy_configuration(const std::string& name, const Load& load,
                                 const std::string& datasource = "default");

struct DaemonSettings {
  std::string program;
  std::string configuration;  // all but [server]
};

class DaemonProcess {
 public:
  // Starts it on a free port; returns when it is ready.
  explicit DaemonProcess(DaemonSettings settings);

  int port() const { return port_; }
  Process& process() { return *process_; }
  pid_t pid() const { return process_->pid(); }
  const TempDir& folder() const { return folder_; }
  // Ends it as an operator would, or with SIGKILL, and starts it again; returns when it is ready.
  void stop();
  void kill() { process_->kill(); }
  void start();

  // `count` rollouts, of services "s0", "s1", … from `first` on. Throws if one is refused. The ids
  // are in the order of the services; `milliseconds` gets how long each took.
  std::vector<std::string> register_rollouts(std::size_t first, std::size_t count,
                                             const std::string& policy = "bench",
                                             std::size_t connections = 32,
                                             std::vector<double>* milliseconds = nullptr);

  // The sum of all series of a family that it exports, without the prefix "rollwatch_", and with
  // the labels in braces that hold `label` if one is given. 0 if there is none.
  struct Metrics {
    std::string text;
    double sum(std::string_view family, std::string_view label = "") const;
  };
  Metrics metrics() const;

 private:
  const DaemonSettings settings_;
  TempDir folder_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace rollwatch::bench
