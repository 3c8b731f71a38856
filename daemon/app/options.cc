#include "daemon/app/options.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace rollwatch {

OptionsResult read_options(int argc, char** argv) {
  constexpr int kUsage = 64;
  OptionsResult result;
  Options options;
  CLI::App app{
      "rollwatchd: asks your metrics whether the version that is going out is hurting anyone."};
  app.set_version_flag("--version", "rollwatchd " ROLLWATCH_VERSION);
  app.add_option("--config", options.config,
                 "the configuration file; conf.d/*.toml beside it is read too")
      ->capture_default_str()
      ->type_name("FILE");
  app.add_option_function<std::string>(
         "--check-config",
         [&](const std::string& file) {
           options.check_config = true;
           options.config = file;
         },
         "check this configuration file and exit 0 or 1")
      ->type_name("FILE");
  app.add_option_function<std::vector<std::string>>(
         "--migrate-store",
         [&](const std::vector<std::string>& stores) {
           options.migrate_from = stores.at(0);
           options.migrate_to = stores.at(1);
         },
         "copy a whole store from sqlite:PATH to an empty postgresql://… database, compare every"
         " row, and exit 0 or 1; no daemon may run on either")
      ->type_name("FROM TO")
      ->type_size(2)
      ->expected(1);
  app.add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->capture_default_str()
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.add_flag("--log-json", options.log_json, "one JSON object per line instead of text");
  app.footer("SIGHUP reloads the configuration; SIGTERM stops, finishing what is in flight.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    result.exit_code = app.exit(error) == 0 ? 0 : kUsage;
    return result;
  }
  result.options = std::move(options);
  return result;
}

}  // namespace rollwatch
