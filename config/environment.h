// What loading a configuration needs from the process around it, as functions, so that it can be
// tested without one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/expected.h"

namespace rollwatch {

struct FileText {
  std::string text;
  bool world_readable = false;
};

struct Environment {
  std::function<std::optional<std::string>(const std::string& name)> variable;
  // The error is the reason alone: "no such file", "permission denied".
  std::function<Expected<FileText, std::string>(const std::string& path)> read_file;
  // Names of the files in a folder; none if there is no such folder. The error as above.
  std::function<Expected<std::vector<std::string>, std::string>(const std::string& folder)>
      list_folder;
  std::string working_folder;  // absolute: what a relative path is relative to
};

// The real one.
Environment process_environment();

}  // namespace rollwatch
