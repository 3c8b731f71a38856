// A configuration in memory: files, environment and how to load them, for the tests of config/.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/loader.h"

namespace rollwatch {

inline constexpr const char* kMainFile = "rollwatch.toml";
inline constexpr const char* kGoodSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
inline constexpr const char* kDatasource = "[datasource.default]\nurl = 'http://127.0.0.1:9090'\n";

// Lives in the folder /etc/rw; file names are relative to it.
class ConfigInMemory {
 public:
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;
  std::set<std::string> world_readable;

  ConfigInMemory() = default;
  explicit ConfigInMemory(std::string main_file) { files[kMainFile] = std::move(main_file); }

  Environment environment() const {
    Environment environment;
    environment.working_folder = "/etc/rw";
    environment.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto at = variables.find(name);
      if (at == variables.end()) return std::nullopt;
      return at->second;
    };
    environment.read_file = [this](const std::string& path) -> Expected<FileText, std::string> {
      const std::string name = relative(path);
      const auto at = files.find(name);
      if (at == files.end()) return Unexpected(std::string("no such file or directory"));
      return FileText{at->second, world_readable.count(name) > 0};
    };
    environment.list_folder =
        [this](const std::string& folder) -> Expected<std::vector<std::string>, std::string> {
      std::vector<std::string> names;
      const std::string prefix = relative(folder) + '/';
      for (const auto& [name, text] : files) {
        if (name.rfind(prefix, 0) == 0) names.insert(names.begin(), name.substr(prefix.size()));
      }
      return names;  // backwards, as a folder has no order
    };
    return environment;
  }

  Expected<Settings, std::vector<ConfigError>> load() const {
    return load_config(kMainFile, environment());
  }

  // Every error on a line of its own, or "" if the configuration is good.
  std::string errors() const {
    const auto settings = load();
    return settings ? "" : text_of(settings.error());
  }

  static std::string text_of(const FieldErrors& errors) {
    std::string text;
    for (const FieldError& error : errors) text += error.text() + '\n';
    return text;
  }

 private:
  static std::string relative(const std::string& path) {
    const std::string folder = "/etc/rw/";
    return path.rfind(folder, 0) == 0 ? path.substr(folder.size()) : path;
  }
};

}  // namespace rollwatch
