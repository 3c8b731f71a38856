// The daemon, put together: the only place that names every concrete class, starts them in order
// and stops them in the opposite one.
#pragma once

#include <memory>
#include <string>

#include "config/settings.h"

namespace rollwatch {

class Application {
 public:
  explicit Application(Settings settings);
  ~Application();

  // Before anything else of a start: what a running daemon is asked by signal (SIGHUP, SIGUSR1,
  // SIGUSR2) waits from now on until run() hears it, and does not end the process.
  static void hold_signals();

  // Runs until SIGTERM or SIGINT. Returns the exit code; what went wrong at the start was logged.
  int run();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rollwatch
