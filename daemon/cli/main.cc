// rollwatch: the command-line client. Reads the environment, and hands the rest to the verb.
#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>

#include "daemon/cli/arguments.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/http_client.h"

namespace rollwatch {
namespace {

constexpr const char* kDefaultServer = "http://127.0.0.1:9797";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Terminal describe_terminal() {
  Terminal terminal;
  const bool drawable = isatty(STDERR_FILENO) == 1;
  const std::string kind = environment("TERM");
  terminal.redraws = drawable && !kind.empty() && kind != "dumb" && environment("CI").empty();
  terminal.colours = terminal.redraws && environment("NO_COLOR").empty();
  terminal.can_ask = drawable && isatty(STDIN_FILENO) == 1;
  winsize size{};
  if (drawable && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
      size.ws_row > 1) {
    terminal.columns = size.ws_col;
    terminal.rows = size.ws_row;
  }
  return terminal;
}

// Jobs of a scheduler and containers often have no USER.
std::string user_name() {
  for (const char* name : {"USER", "LOGNAME"}) {
    if (std::string user = environment(name); !user.empty()) return user;
  }
  const passwd* entry = getpwuid(geteuid());
  return entry == nullptr ? "uid " + std::to_string(geteuid()) : entry->pw_name;
}

// Who decides, if nobody says so: "anna@laptop".
std::string default_name() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return user_name();
  return user_name() + "@" + host.data();
}

int run(const std::vector<std::string>& arguments) {
  const auto call = parse_arguments(arguments);
  if (!call) return usage_failure(std::cerr, call.error().message);

  std::string server = call->text("server").value_or(environment("ROLLWATCH_SERVER"));
  if (server.empty()) server = kDefaultServer;
  ProcessPace pace;
  const auto client = HttpClient::create(server, environment("ROLLWATCH_TOKEN"), pace);
  Surroundings surroundings{std::cout,      std::cerr, std::cin, describe_terminal(),
                            default_name(), {},        pace};
  if (call->wants_help) return run_help(*call, surroundings);
  if (!client) return usage_failure(std::cerr, client.error());
  surroundings.transport = [&client](const Request& request) { return (*client)->send(request); };
  return call->verb->run(*call, surroundings);
}

}  // namespace
}  // namespace rollwatch

int main(int argc, char** argv) {
  const int exit = rollwatch::run({argv + 1, argv + argc});
  std::cout.flush();
  if (!std::cout) {
    std::cerr << "rollwatch: the result could not be written\n";
    return exit == 0 ? 1 : exit;
  }
  return exit;
}
