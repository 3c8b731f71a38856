#include "daemon/cli/connection.h"

#include <fmt/format.h>

#include "daemon/cli/contexts.h"
#include "daemon/cli/failover.h"
#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

constexpr const char* kDefaultServer = "http://127.0.0.1:9797";

class Resolver {
 public:
  Resolver(const Invocation& call, const Environment& environment)
      : call_(call), environment_(environment) {}

  Expected<Connection, std::string> resolve(const std::string& context_file) {
    std::string server = first({call_.text("server"), variable("ROLLWATCH_SERVER")});
    // Who says which server needs no file that may be wrong.
    Context context;
    const std::string wanted = first({call_.text("context"), variable("ROLLWATCH_CONTEXT")});
    if (call_.has("server") && call_.has("context"))
      return Unexpected(std::string("--server and --context say two places; give one"));
    if (call_.has("context") || server.empty()) {
      const auto found = context_of(wanted, context_file);
      if (!found) return Unexpected(found.error());
      context = *found;
      server = first({call_.has("context") ? std::nullopt : variable("ROLLWATCH_SERVER"),
                      context.server, kDefaultServer});
    }
    Connection connection{.servers = split_list(server)};
    if (connection.servers.empty()) connection.servers.emplace_back(kDefaultServer);
    connection.ca_file = ranked("ca-file", variable("ROLLWATCH_CA_FILE"), context.ca_file);
    connection.cert_file = first({call_.text("cert-file"), context.cert_file});
    connection.key_file = first({call_.text("key-file"), context.key_file});
    connection.insecure = call_.has("insecure");
    if (connection.insecure)
      connection.warnings.emplace_back(
          "WARNING: --insecure: the server's certificate is NOT checked; anybody between here and "
          "there can read the token and change what is said");
    if (auto error = take_token(connection, context); !error.empty()) return Unexpected(error);
    return connection;
  }

 private:
  using Text = std::optional<std::string>;

  static std::string first(const std::vector<Text>& candidates) {
    for (const Text& text : candidates) {
      if (text && !text->empty()) return *text;
    }
    return "";
  }

  // --context is a flag: what that context says goes before the environment.
  std::string ranked(std::string_view flag, const Text& variable, const Text& of_context) const {
    return call_.has("context") ? first({call_.text(flag), of_context, variable})
                                : first({call_.text(flag), variable, of_context});
  }

  Text variable(const char* name) const { return environment_.variable(name); }

  Expected<Context, std::string> context_of(const std::string& wanted,
                                            const std::string& file) const {
    const auto contexts = read_contexts(file, environment_);
    if (!contexts) return Unexpected(contexts.error());
    const std::string name = wanted.empty() ? contexts->current : wanted;
    if (name.empty()) return Context{};
    const auto found = contexts->all.find(name);
    if (found != contexts->all.end()) return found->second;
    std::vector<std::string_view> names;
    for (const auto& [known, context] : contexts->all) names.push_back(known);
    const auto nearest = nearest_word(name, names);
    return Unexpected(fmt::format("no context '{}'{} in {}", printable(name),
                                  nearest ? fmt::format("; did you mean '{}'?", *nearest) : "",
                                  file));
  }

  // What is wrong; empty if nothing is.
  std::string take_token(Connection& connection, const Context& context) const {
    const bool by_flag =
        call_.has("token-file") || (call_.has("context") && !context.token_file.empty());
    const std::string token = first({variable("ROLLWATCH_TOKEN")});
    if (!by_flag && !token.empty()) {
      connection.token = token;
      return "";
    }
    const std::string file =
        ranked("token-file", variable("ROLLWATCH_TOKEN_FILE"), context.token_file);
    if (file.empty()) return "";
    const auto text = environment_.read_file(file);
    if (!text) return fmt::format("the token cannot be read from {}: {}", file, text.error());
    std::string read = text->text;
    read.erase(read.find_last_not_of(" \t\r\n") + 1);
    read.erase(0, read.find_first_not_of(" \t\r\n"));
    if (read.empty()) return fmt::format("there is no token in {}", file);
    if (text->world_readable)
      connection.warnings.push_back(
          fmt::format("{} can be read by everybody on this machine: chmod 600 {}", file, file));
    connection.token = std::move(read);
    return "";
  }

  const Invocation& call_;
  const Environment& environment_;
};

}  // namespace

Expected<Connection, std::string> connection_of(const Invocation& call,
                                                const std::string& context_file,
                                                const Environment& environment) {
  return Resolver(call, environment).resolve(context_file);
}

}  // namespace rollwatch
