// rollwatch context: the servers of a person's configuration.
#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/cli/commands.h"
#include "daemon/cli/contexts.h"
#include "daemon/cli/results.h"
#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

std::optional<Contexts> known_contexts(Surroundings& surroundings) {
  auto contexts = read_contexts(surroundings.context_file, process_environment());
  if (contexts) return std::move(*contexts);
  surroundings.err << fmt::format("rollwatch: {}\n", contexts.error());
  return std::nullopt;
}

int save(const std::string& text, Surroundings& surroundings) {
  const auto saved = write_privately(surroundings.context_file, text);
  if (saved) return 0;
  surroundings.err << fmt::format("rollwatch: {} cannot be written: {}\n",
                                  surroundings.context_file, saved.error());
  return code(ExitCode::kFailed);
}

std::string text_of_file(const Surroundings& surroundings) {
  const auto text = process_environment().read_file(surroundings.context_file);
  return text ? text->text : "";
}

nlohmann::json as_json(const std::string& name, const Context& context, bool current) {
  nlohmann::json item{{"name", name}, {"server", context.server}, {"current", current}};
  for (const auto& [key, value] : {std::pair{"token_file", &context.token_file},
                                   {"ca_file", &context.ca_file},
                                   {"cert_file", &context.cert_file},
                                   {"key_file", &context.key_file}}) {
    if (!value->empty()) item[key] = *value;
  }
  return item;
}

bool has_home(Surroundings& surroundings) {
  if (!surroundings.context_file.empty()) return true;
  surroundings.err << "rollwatch: neither HOME nor XDG_CONFIG_HOME says where contexts are kept\n";
  return false;
}

// A file's place must not depend on where the client is started.
std::string from_here(const std::string& path) {
  if (path.empty() || path.starts_with('/')) return path;
  return process_environment().working_folder + "/" + path;
}

}  // namespace

int run_context_list(const Invocation& call, Surroundings& surroundings) {
  const auto contexts = known_contexts(surroundings);
  if (!contexts) return code(ExitCode::kFailed);
  nlohmann::json items = nlohmann::json::array();
  std::vector<std::vector<std::string>> rows{{"", "NAME", "SERVER", "TOKEN FILE"}};
  for (const auto& [name, context] : contexts->all) {
    const bool current = name == contexts->current;
    items.push_back(as_json(name, context, current));
    rows.push_back({current ? "*" : "", printable(name), printable(context.server),
                    context.token_file.empty() ? "-" : printable(context.token_file)});
  }
  print(call, surroundings.out, {{"items", items}}, aligned(rows));
  return 0;
}

int run_context_use(const Invocation& call, Surroundings& surroundings) {
  const auto contexts = known_contexts(surroundings);
  if (!contexts) return code(ExitCode::kFailed);
  const std::string& name = call.positional;
  const auto found = contexts->all.find(name);
  if (found == contexts->all.end()) {
    std::vector<std::string_view> names;
    for (const auto& [known, context] : contexts->all) names.push_back(known);
    const auto nearest = nearest_word(name, names);
    surroundings.err << fmt::format("rollwatch: no context '{}'{}\n", printable(name),
                                    nearest ? fmt::format("; did you mean '{}'?", *nearest) : "");
    return code(ExitCode::kFailed);
  }
  if (const int end = save(with_current(text_of_file(surroundings), name), surroundings); end != 0)
    return end;
  print(call, surroundings.out, as_json(name, found->second, true),
        fmt::format("{}: {}\n", printable(name), printable(found->second.server)));
  return 0;
}

int run_context_add(const Invocation& call, Surroundings& surroundings) {
  if (!call.has("server")) return usage_failure(surroundings.err, "context add needs --server URL");
  if (!has_home(surroundings)) return code(ExitCode::kFailed);
  const auto contexts = known_contexts(surroundings);
  if (!contexts) return code(ExitCode::kFailed);
  const std::string& name = call.positional;
  if (contexts->all.contains(name)) {
    surroundings.err << fmt::format("rollwatch: there is a context '{}' already; change it in {}\n",
                                    printable(name), surroundings.context_file);
    return code(ExitCode::kFailed);
  }
  const Context context{.server = *call.text("server"),
                        .token_file = from_here(call.text("token-file").value_or("")),
                        .ca_file = from_here(call.text("ca-file").value_or("")),
                        .cert_file = from_here(call.text("cert-file").value_or("")),
                        .key_file = from_here(call.text("key-file").value_or(""))};
  std::string text = with_context(text_of_file(surroundings), name, context);
  const bool current = contexts->current.empty();
  if (current) text = with_current(text, name);
  if (const int end = save(text, surroundings); end != 0) return end;
  print(call, surroundings.out, as_json(name, context, current),
        fmt::format("{}: {}{}\n", printable(name), printable(context.server),
                    current ? " (current)" : ""));
  return 0;
}

}  // namespace rollwatch
