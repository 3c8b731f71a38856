#include "daemon/cli/help.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

std::string flag_rows(std::span<const Flag> flags) {
  std::vector<std::vector<std::string>> rows;
  for (const Flag& flag : flags) {
    std::string written =
        fmt::format("--{}{}{}", flag.name, flag.value.empty() ? "" : " ", flag.value);
    std::string help(flag.help);
    if (flag.required) help += " (required)";
    rows.push_back({std::move(written), std::move(help)});
  }
  return indented(aligned(rows), "  ");
}

// "start", "wait ID", "orchestrator test NAME".
std::string written(const Verb& verb) {
  std::string text(verb.name);
  for (const std::string_view word : {verb.action, verb.positional})
    if (!word.empty()) text += " " + std::string(word);
  return text;
}

}  // namespace

std::string overview_help() {
  std::vector<std::vector<std::string>> rows;
  for (const Verb& verb : all_verbs()) {
    rows.push_back({written(verb), std::string(verb.help)});
  }
  return fmt::format(
      "rollwatch: starts, follows and decides rollouts of a rollwatch server\n\n"
      "usage: rollwatch VERB [flags]\n\n{}\nflags of every verb:\n{}\n"
      "environment:\n{}\n"
      "wait, and start --wait, end with 0 promoted, 2 rolled back, 3 paused and waiting for a "
      "person,\n"
      "4 cancelled or superseded, 5 rollback failed, 1 could not tell, 124 --timeout passed,\n"
      "130 interrupted (the rollout goes on). Every verb ends with 64 if it was not understood.\n",
      indented(aligned(rows), "  "), flag_rows(common_flags()),
      indented(aligned({{"ROLLWATCH_SERVER", "the server's address"},
                        {"ROLLWATCH_TOKEN", "the token that is sent to it"},
                        {"NO_COLOR", "no colours"}}),
               "  "));
}

std::string verb_help(const Verb& verb) {
  std::string text = fmt::format("rollwatch {}: {}\n\nusage: rollwatch {} [flags]\n", verb.name,
                                 verb.help, written(verb));
  if (!verb.flags.empty()) text += fmt::format("\n{}", flag_rows(verb.flags));
  return text + fmt::format("\nflags of every verb:\n{}", flag_rows(common_flags()));
}

}  // namespace rollwatch
