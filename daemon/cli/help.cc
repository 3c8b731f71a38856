#include "daemon/cli/help.h"

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

struct Variable {
  std::string_view name;
  std::string_view help;
};

constexpr std::array kVariables{
    Variable{"ROLLWATCH_SERVER", "the server's address, or several, separated by commas"},
    Variable{"ROLLWATCH_TOKEN", "the token that is sent to it"},
    Variable{"ROLLWATCH_TOKEN_FILE", "a file with the token"},
    Variable{"ROLLWATCH_CA_FILE", "whose certificates a server may have"},
    Variable{"ROLLWATCH_CONTEXT", "which context of your configuration is meant"},
    Variable{"NO_COLOR", "no colours"},
    Variable{"CI", "one line per change, also on a terminal; so does TERM=dumb"},
};

std::string flag_text(const Flag& flag) {
  return fmt::format("--{}{}{}", flag.name, flag.value.empty() ? "" : " ", flag.value);
}

std::string flag_help(const Flag& flag) {
  std::string help(flag.help);
  if (flag.required) help += " (required)";
  return help;
}

std::string flag_rows(std::span<const Flag> flags) {
  std::vector<std::vector<std::string>> rows;
  for (const Flag& flag : flags) rows.push_back({flag_text(flag), flag_help(flag)});
  return indented(aligned(rows), "  ");
}

// A bar would begin a new cell.
std::string in_cell(std::string_view text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string table_of(std::span<const Flag> flags) {
  std::string text = "| flag | |\n|---|---|\n";
  for (const Flag& flag : flags)
    text += fmt::format("| `{}` | {} |\n", in_cell(flag_text(flag)), in_cell(flag_help(flag)));
  return text;
}

}  // namespace

std::string overview_help() {
  std::vector<std::vector<std::string>> rows;
  for (const Verb& verb : all_verbs()) {
    rows.push_back({written(verb), std::string(verb.help)});
  }
  std::vector<std::vector<std::string>> variables;
  variables.reserve(kVariables.size());
  for (const Variable& variable : kVariables)
    variables.push_back({std::string(variable.name), std::string(variable.help)});
  return fmt::format(
      "rollwatch: starts, follows and decides rollouts of a rollwatch server\n\n"
      "usage: rollwatch VERB [flags]\n\n{}\nflags of every verb:\n{}\n"
      "environment:\n{}\n"
      "wait, and start --wait, end with 0 promoted, 2 rolled back, 3 paused and waiting for a "
      "person,\n"
      "4 cancelled or superseded, 5 rollback failed, 1 could not tell, 124 --timeout passed,\n"
      "130 interrupted (the rollout goes on). Every verb ends with 64 if it was not understood.\n",
      indented(aligned(rows), "  "), flag_rows(common_flags()), indented(aligned(variables), "  "));
}

std::string verb_help(const Verb& verb) {
  std::string text;
  for (const Verb& one : verbs_named(verb.name)) {
    text += fmt::format("rollwatch {}: {}\n\nusage: rollwatch {} [flags]\n", called(one), one.help,
                        written(one));
    if (!one.flags.empty()) text += fmt::format("\n{}", flag_rows(one.flags));
    text += "\n";
  }
  return text + fmt::format("flags of every verb:\n{}", flag_rows(common_flags()));
}

std::string reference() {
  std::string text = "| verb | what it does |\n|---|---|\n";
  for (const Verb& verb : all_verbs())
    text += fmt::format("| `{}` | {} |\n", in_cell(written(verb)), in_cell(verb.help));
  text += "\n### Flags of every verb\n\n" + table_of(common_flags());
  text += "\n### Environment\n\n| variable | |\n|---|---|\n";
  for (const Variable& variable : kVariables)
    text += fmt::format("| `{}` | {} |\n", variable.name, in_cell(variable.help));
  // Verbs with the same flags are told of once.
  std::vector<const Verb*> told;
  for (const Verb& verb : all_verbs()) {
    const auto same = [&](const Verb& other) { return other.flags.data() == verb.flags.data(); };
    bool first = !verb.flags.empty();
    for (const Verb* other : told) first = first && !same(*other);
    if (!first) continue;
    told.push_back(&verb);
    std::vector<std::string> names;
    for (const Verb& other : all_verbs()) {
      if (same(other)) names.push_back("`" + called(other) + "`");
    }
    text += fmt::format("\n### Flags of {}\n\n{}", joined(names, ", "), table_of(verb.flags));
  }
  return text;
}

}  // namespace rollwatch
