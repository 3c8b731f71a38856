// rollwatch: the command-line client. Reads the environment, and hands the rest to the verb.
#include <pwd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>

#include "daemon/cli/arguments.h"
#include "daemon/cli/commands.h"
#include "daemon/cli/connection.h"
#include "daemon/cli/contexts.h"
#include "daemon/cli/failover.h"
#include "daemon/cli/http_client.h"

namespace rollwatch {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A window that was made larger or smaller is drawn on as it is now.
void measure(Terminal& terminal) {
  winsize size{};
  if (isatty(STDERR_FILENO) == 1 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 1 && size.ws_row > 1) {
    terminal.columns = size.ws_col;
    terminal.rows = size.ws_row;
  }
}

Terminal describe_terminal() {
  Terminal terminal;
  const bool drawable = isatty(STDERR_FILENO) == 1;
  const std::string kind = environment("TERM");
  terminal.redraws = drawable && !kind.empty() && kind != "dumb" && environment("CI").empty();
  terminal.colours = terminal.redraws && environment("NO_COLOR").empty();
  terminal.can_ask = drawable && isatty(STDIN_FILENO) == 1;
  measure(terminal);
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

// Lives as long as what it answers with.
struct Link {
  std::vector<std::unique_ptr<HttpClient>> clients;
  Transport transport;
};

Expected<Link, std::string> link_to(const Connection& connection, Pace& pace) {
  Link link;
  std::vector<Transport> servers;
  for (const std::string& server : connection.servers) {
    auto client = HttpClient::create({.server = server,
                                      .token = connection.token,
                                      .ca_file = connection.ca_file,
                                      .cert_file = connection.cert_file,
                                      .key_file = connection.key_file,
                                      .insecure = connection.insecure},
                                     pace);
    if (!client) return Unexpected(client.error());
    servers.emplace_back(
        [one = client->get()](const Request& request) { return one->send(request); });
    link.clients.push_back(std::move(*client));
  }
  link.transport = in_turn(std::move(servers), pace);
  return link;
}

int run(const std::vector<std::string>& arguments) {
  const auto call = parse_arguments(arguments);
  if (!call) return usage_failure(std::cerr, call.error().message);

  const Environment around = process_environment();
  ProcessPace pace;
  Surroundings surroundings{
      std::cout, std::cerr, std::cin, describe_terminal(),     default_name(),
      {},        pace,      measure,  context_file_of(around), around.variable};
  if (call->wants_help) return run_help(*call, surroundings);
  if (call->verb->local) return call->verb->run(*call, surroundings);

  const auto connection = connection_of(*call, surroundings.context_file, around);
  if (!connection) return usage_failure(std::cerr, connection.error());
  const auto link = link_to(*connection, pace);
  if (!link) return usage_failure(std::cerr, link.error());
  for (const std::string& warning : connection->warnings)
    std::cerr << "rollwatch: " << warning << "\n";
  surroundings.transport = link->transport;
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
