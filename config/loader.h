// Loads, checks and completes the configuration of a daemon.
//
//   auto settings = load_config("/etc/rollwatch/rollwatch.toml", process_environment());
//   if (!settings) for (const ConfigError& error : settings.error()) print(error.text());
#pragma once

#include <string>
#include <vector>

#include "analysis/expected.h"
#include "config/environment.h"
#include "config/field_error.h"
#include "config/settings.h"

namespace rollwatch {

// The file, and conf.d/*.toml beside it. Every mistake is found, not only the first; every policy
// is merged with [defaults] and decoded, so that it can be registered with. No error or warning
// contains the value of a secret, of an environment variable or of a file.
Expected<Settings, std::vector<ConfigError>> load_config(const std::string& file,
                                                         const Environment& environment);

}  // namespace rollwatch
