// From argv to a verb with its flags, checked against the table of verbs. Pure: no environment, no
// I/O.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/expected.h"
#include "analysis/time.h"
#include "daemon/cli/verbs.h"

namespace rollwatch {

enum class Output { kTable, kJson, kJsonLines };

struct Invocation {
  const Verb* verb = nullptr;  // never null in an answer of parse_arguments; points into the table
  std::string positional;
  std::string choice;  // of the verb's
  std::map<std::string, std::vector<std::string>, std::less<>>
      flags;  // by name, in the given order
  Output output = Output::kTable;
  bool wants_help = false;

  bool has(std::string_view flag) const { return flags.find(flag) != flags.end(); }
  std::optional<std::string> text(std::string_view flag) const;
  std::vector<std::string> list(std::string_view flag) const;
  // Call with flags of these kinds only; the parser has checked the values.
  std::optional<long> number(std::string_view flag) const;
  std::optional<Millis> duration(std::string_view flag) const;
};

struct UsageError {
  std::string message;  // one sentence, with the nearest word where one was mistyped
};

// `arguments` without the program's name. Nothing at all asks for help.
Expected<Invocation, UsageError> parse_arguments(const std::vector<std::string>& arguments);

// "no verb 'promte'; did you mean 'promote'?"
std::string no_such_verb(std::string_view name);

// "tier=web" at its first equals sign.
std::pair<std::string, std::string> split_pair(std::string_view text);

}  // namespace rollwatch
