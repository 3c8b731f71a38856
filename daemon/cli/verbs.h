// The verbs of the command line as data: the parser, the help, the completions, the reference in
// docs/cli.md and the requests are all read from this table. A flag that has a `field` is sent
// under that name, which is how flags stay the JSON fields' names.
#pragma once

#include <span>
#include <string>
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
  std::string_view choices = {};  // "read|register": offered by the completion
};

// What --output may ask for.
enum class Formats {
  kPage,    // table, json
  kList,    // table, json, jsonl
  kStream,  // table, jsonl: it has no end that a JSON document could be closed at
  kOne,     // nothing: there is only one form
};

struct Verb {
  std::string_view name;
  std::string_view help;
  std::string_view positional;  // "ID" is required, "[VERB]" may be left out, empty: none
  std::span<const Flag> flags;
  int (*run)(const Invocation&, Surroundings&);
  Formats formats = Formats::kPage;
  std::string_view action = {};  // a word that stands before the positional: "list"
  bool local = false;            // asks no server
  std::string_view choice = {};  // "wrong|right": one of these stands after the positional
};

// Verbs of one name, which differ in their action, stand together.
std::span<const Verb> all_verbs();
std::span<const Verb> verbs_named(std::string_view name);

// Flags that every verb takes.
std::span<const Flag> common_flags();

// The values of --output that the verb knows, the default first.
std::vector<std::string_view> output_names(const Verb& verb);

// "start", "wait ID", "orchestrator test NAME".
std::string written(const Verb& verb);
// "start", "orchestrator test".
std::string called(const Verb& verb);

// Null if there is none of that name; the first if there are several.
const Verb* find_verb(std::string_view name);
const Flag* find_flag(std::span<const Flag> flags, std::string_view name);

}  // namespace rollwatch
