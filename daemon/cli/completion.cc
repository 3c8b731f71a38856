#include "daemon/cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "daemon/cli/text.h"
#include "daemon/cli/verbs.h"

namespace rollwatch {
namespace {

// Bash hands "--name=value" over as three words and "http://h" too. Words "=" are left out, what
// follows a ":" belongs to the word before it.
constexpr std::string_view kFunctions = R"sh(
# What the server or the configuration knows, one a line; nothing if it does not answer. Only what has no meaning to
# bash, which looks through the words that it completes.
_rollwatch_ask() {
  case $1 in
    ids) "$2" list --limit 100 --output jsonl 2>/dev/null | sed -n 's/.*"id":"\(ro_[0-9a-z]*\)".*/\1/p' ;;
    policies) "$2" policy list --output jsonl 2>/dev/null | sed -n 's/.*"name":"\([A-Za-z0-9._-]*\)".*/\1/p' ;;
    contexts) "$2" context list --output jsonl 2>/dev/null | sed -n 's/.*"name":"\([A-Za-z0-9._-]*\)".*/\1/p' ;;
  esac
}

_rollwatch() {
  local cur=${COMP_WORDS[COMP_CWORD]} verb='' action='' flag='' choices='' word
  local -i i positionals=0
  [[ $cur != '=' ]] || cur=''
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      =) continue ;;
      :) i+=1; continue ;;
    esac
    if [[ -n $flag ]]; then
      flag=''
    elif [[ $word == --* ]]; then
      _rollwatch_is_switch "$word" || flag=$word
    elif [[ -z $verb ]]; then
      verb=$word
    elif [[ -z $action && -n $(_rollwatch_actions "$verb") ]]; then
      action=$word
    else
      positionals+=1
    fi
  done
  local key=$verb${action:+ $action}
  COMPREPLY=()
  if [[ -n $flag ]]; then
    choices=$(_rollwatch_values "$key" "$flag" "$1")
    if [[ $choices == '<file>' ]]; then
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      compopt -o filenames 2>/dev/null
      return
    fi
  elif [[ $cur == -* ]]; then
    choices=$(_rollwatch_flags "$key")
  elif [[ -z $verb ]]; then
    choices=$(_rollwatch_verbs)
  elif [[ -z $action && -n $(_rollwatch_actions "$verb") ]]; then
    choices=$(_rollwatch_actions "$verb")
  elif ((positionals == 0)); then
    choices=$(_rollwatch_words "$key" "$1")
  elif ((positionals == 1)); then
    choices=$(_rollwatch_choices "$key")
  fi
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
}

complete -F _rollwatch rollwatch
)sh";

using Words = std::vector<std::string>;

std::string spaced(std::string_view choices) {
  std::string text(choices);
  std::ranges::replace(text, '|', ' ');
  return text;
}

Words verb_names() {
  Words names;
  for (const Verb& verb : all_verbs()) {
    if (names.empty() || names.back() != verb.name) names.emplace_back(verb.name);
  }
  return names;
}

// `  start) echo 'a b' ;;` of a case, or nothing without words.
std::string branch(std::string_view pattern, const std::string& words) {
  return words.empty() ? "" : fmt::format("    {}) echo '{}' ;;\n", pattern, words);
}

std::string function(std::string_view name, std::string_view subject, const std::string& branches) {
  return fmt::format("\n_rollwatch_{}() {{\n  case {} in\n{}  esac\n}}\n", name, subject, branches);
}

std::string pattern_of(const Verb& verb) { return "'" + called(verb) + "'"; }

std::string actions() {
  std::string branches;
  for (const std::string& name : verb_names()) {
    Words words;
    for (const Verb& verb : verbs_named(name)) {
      if (!verb.action.empty()) words.emplace_back(verb.action);
    }
    branches += branch(name, joined(words, " "));
  }
  return function("actions", "$1", branches);
}

Words names_of(std::span<const Flag> flags) {
  Words names;
  for (const Flag& flag : flags) names.push_back("--" + std::string(flag.name));
  return names;
}

std::string flags() {
  const std::string common = joined(names_of(common_flags()), " ");
  std::string branches;
  for (const Verb& verb : all_verbs()) {
    branches += branch(pattern_of(verb), joined(names_of(verb.flags), " ") + " " + common);
  }
  return function("flags", "$1", branches + branch("*", common));
}

std::string switches() {
  Words names;
  const auto add = [&names](std::span<const Flag> flags) {
    for (const Flag& flag : flags) {
      if (flag.kind == FlagKind::kSwitch) names.push_back("--" + std::string(flag.name));
    }
  };
  add(common_flags());
  for (const Verb& verb : all_verbs()) add(verb.flags);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return function("is_switch", "$1",
                  fmt::format("    {}) return 0 ;;\n    *) return 1 ;;\n", joined(names, " | ")));
}

std::string ask(std::string_view pattern, std::string_view what, int program) {
  return fmt::format("    {}) _rollwatch_ask {} \"${}\" ;;\n", pattern, what, program);
}

std::string values() {
  std::string branches;
  for (const Verb& verb : all_verbs()) {
    std::string formats;
    for (const std::string_view name : output_names(verb))
      formats += (formats.empty() ? "" : " ") + std::string(name);
    branches += branch("'" + called(verb) + " --output'", formats);
    for (const Flag& flag : verb.flags) {
      branches += branch(fmt::format("'{} --{}'", called(verb), flag.name), spaced(flag.choices));
    }
  }
  branches += ask("*' --policy'", "policies", 3) + ask("*' --context'", "contexts", 3);
  Words files;
  const auto add = [&files](std::span<const Flag> flags) {
    for (const Flag& flag : flags) {
      if (flag.value == "FILE") files.push_back(fmt::format("*' --{}'", flag.name));
    }
  };
  add(common_flags());
  for (const Verb& verb : all_verbs()) add(verb.flags);
  std::ranges::sort(files);
  files.erase(std::unique(files.begin(), files.end()), files.end());
  return function("values", "\"$1 $2\"", branches + branch(joined(files, " | "), "<file>"));
}

// What may stand where the verb takes a word.
std::string words() {
  std::string branches;
  for (const Verb& verb : all_verbs()) {
    const std::string pattern = pattern_of(verb);
    if (verb.positional == "ID" || verb.positional == "[ID]") {
      branches += ask(pattern, "ids", 2);
    } else if (verb.positional == "CONTEXT") {
      branches += ask(pattern, "contexts", 2);
    } else if (verb.positional == "[VERB]") {
      branches += branch(pattern, joined(verb_names(), " "));
    } else if (called(verb) == "policy show") {
      branches += ask(pattern, "policies", 2);
    }
  }
  return function("words", "$1", branches);
}

// What may stand after that word.
std::string second_words() {
  std::string branches;
  for (const Verb& verb : all_verbs()) branches += branch(pattern_of(verb), spaced(verb.choice));
  return function("choices", "$1", branches);
}

}  // namespace

std::string bash_completion() {
  return fmt::format(
      "# shellcheck shell=bash\n"
      "# Completes rollwatch's verbs, flags and ids: source <(rollwatch completion bash)\n"
      "\n_rollwatch_verbs() {{ echo '{}'; }}\n{}{}{}{}{}{}{}",
      joined(verb_names(), " "), actions(), flags(), switches(), values(), words(), second_words(),
      kFunctions);
}

}  // namespace rollwatch
