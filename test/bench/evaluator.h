// Whoever asks a datasource the same queries again and again, for the evaluation benchmark.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "test/bench/daemon_process.h"
#include "test/bench/datasource_process.h"

namespace rollwatch::bench {

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  virtual pid_t pid() = 0;
  // It stands with all its load; what it does from now on is what it does.
  virtual void take_load() = 0;
  // …and how long it may wait before it does.
  virtual Millis begins_after() const { return Millis{0}; }

  // What only a Rollwatch tells of itself, since its start.
  struct Told {
    double commits = 0, quick_commits = 0;  // …that were on disk within 100 ms
    double missed = 0;
  };
  virtual std::optional<Told> told() { return std::nullopt; }
};

// One that is named, and started afresh for each measurement.
struct Contestant {
  std::string name;
  std::function<std::unique_ptr<Evaluator>(const Load&, const DatasourceProcess&)> start;
};

Contestant rollwatchd(const std::string& name, const std::string& program);

// Debian's: a group for each rollout, a rule for each of its conditions. A sample that comes back
// makes an alert that stays pending.
Contestant vmalert();

}  // namespace rollwatch::bench
