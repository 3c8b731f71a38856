// The verbs of the command line as data: the parser, the help, the requests and later the
// completions and the manual are all read from this table. A flag that has a `field` is sent under
// that name, which is how flags stay the JSON fields' names.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace rollwatch {

struct Invocation;
struct Surroundings;

enum class FlagKind {
  kSwitch,    // --wait
  kText,      // --service checkout
  kNumber,    // --attempt 2
  kDuration,  // --timeout 10m
  kList,      // --policy http --policy slo
  kPairs,     // --labels tier=web --labels team=shop
  kObject,    // --analysis '{"interval": "15s"}'
};

struct Flag {
  std::string_view name;  // without the dashes
  FlagKind kind;
  std::string_view value;  // what stands for the value in the help; empty for a switch
  std::string_view help;
  std::string_view field = {};  // its name in the request; empty if it is not sent as a field
  bool required = false;
};

struct Verb {
  std::string_view name;
  std::string_view help;
  std::string_view positional;  // "ID" is required, "[VERB]" may be left out, empty: none
  std::span<const Flag> flags;
  int (*run)(const Invocation&, Surroundings&);
  bool lines = false;            // also answers --output jsonl
  std::string_view action = {};  // a word that stands before the positional: "test"
};

std::span<const Verb> all_verbs();

// Flags that every verb takes.
std::span<const Flag> common_flags();

// Null if there is none of that name.
const Verb* find_verb(std::string_view name);
const Flag* find_flag(std::span<const Flag> flags, std::string_view name);

}  // namespace rollwatch
