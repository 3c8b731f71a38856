#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include "config/loader.h"
#include "daemon/app/api_side.h"
#include "daemon/app/application.h"
#include "daemon/app/assembly.h"
#include "daemon/app/log.h"
#include "daemon/app/memory.h"
#include "daemon/app/migrate_store.h"
#include "daemon/app/options.h"
#include "daemon/http/client.h"
#include "daemon/net/system_clock.h"

namespace {

using namespace rollwatch;

int run(const Options& options) {
  if (options.migrate_from) return migrate_store(*options.migrate_from, options.migrate_to);
  if (!options.check_config) Application::hold_signals();
  auto settings = load_config(options.config, process_environment());
  if (!settings) {
    for (const ConfigError& error : settings.error()) fmt::print(stderr, "{}\n", error.text());
    fmt::print(stderr, "{} {} in the configuration; nothing was started\n", settings.error().size(),
               settings.error().size() == 1 ? "mistake" : "mistakes");
    return 1;
  }
  for (const std::string& warning : settings->warnings)
    fmt::print(stderr, "warning: {}\n", warning);
  const SystemClock clock;
  if (const auto tls = server_tls_of(settings->server, clock); !tls) {
    fmt::print(stderr, "{}\n", tls.error());
    return 1;
  }
  if (options.check_config) {
    fmt::print("{} is good: {} policies, {} datasources, {} orchestrators, {} notifiers\n",
               options.config, settings->policies.size(), settings->datasources.size(),
               settings->orchestrators.size(), settings->notifiers.size());
    return 0;
  }
  set_up_log(options.log_level, options.log_json);
  allocate_together();
  const HttpClientLibrary http_library;
  return Application(std::move(settings).value()).run();
}

}  // namespace

int main(int argc, char** argv) {
  const auto [options, exit_code] = read_options(argc, argv);
  if (!options) return exit_code;
  try {
    return run(*options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "rollwatchd: {}\n", error.what());
    return 1;
  }
}
