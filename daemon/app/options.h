// The daemon's command line.
#pragma once

#include <optional>
#include <string>

namespace rollwatch {

struct Options {
  std::string config = "/etc/rollwatch/rollwatch.toml";
  bool check_config = false;
  std::optional<std::string> migrate_from;  // instead of all else
  std::string migrate_to;
  std::string log_level = "info";
  bool log_json = false;
};

// The options, or the exit code to end with: help and version were printed, or a mistake named.
struct OptionsResult {
  std::optional<Options> options;
  int exit_code = 0;
};
OptionsResult read_options(int argc, char** argv);

}  // namespace rollwatch
