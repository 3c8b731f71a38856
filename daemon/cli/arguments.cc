#include "daemon/cli/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

using Checked = std::optional<UsageError>;  // nothing: all is well

UsageError wrong(std::string message) { return UsageError{std::move(message)}; }

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string_view prefix) {
  const auto nearest = nearest_word(word, candidates);
  return nearest ? fmt::format("; did you mean '{}{}'?", prefix, *nearest) : "";
}

std::optional<long> parse_number(std::string_view text) {
  long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) return std::nullopt;
  return number;
}

Checked check_value(const Flag& flag, const std::string& value) {
  switch (flag.kind) {
    case FlagKind::kSwitch:
      return std::nullopt;
    case FlagKind::kText:
    case FlagKind::kList:
      if (value.empty()) return wrong(fmt::format("--{} is empty", flag.name));
      return std::nullopt;
    case FlagKind::kNumber:
      if (parse_number(value)) return std::nullopt;
      return wrong(fmt::format("--{} needs a number from 1 on, not '{}'", flag.name, value));
    case FlagKind::kDuration:
      if (parse_duration(value)) return std::nullopt;
      return wrong(
          fmt::format("--{} needs a time such as 30s, 5m or 1h30m, not '{}'", flag.name, value));
    case FlagKind::kPairs:
      if (value.find('=') != std::string::npos && value.front() != '=') return std::nullopt;
      return wrong(fmt::format("--{} needs NAME=VALUE, not '{}'", flag.name, value));
    case FlagKind::kObject:
      if (nlohmann::json::parse(value, nullptr, false).is_object()) return std::nullopt;
      return wrong(fmt::format("--{} needs a JSON object", flag.name));
  }
  return std::nullopt;
}

bool may_repeat(const Flag& flag) {
  return flag.kind == FlagKind::kList || flag.kind == FlagKind::kPairs;
}

std::vector<std::string> choices_of(const Verb& verb) {
  std::vector<std::string> choices;
  std::istringstream text{std::string(verb.choice)};
  for (std::string choice; std::getline(text, choice, '|');) choices.push_back(choice);
  return choices;
}

class ArgumentReader {
 public:
  explicit ArgumentReader(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  Expected<Invocation, UsageError> read() {
    for (; next_ < arguments_.size(); ++next_) {
      const std::string& argument = arguments_[next_];
      Checked problem;
      if (only_words_ || argument.size() < 2 || argument[0] != '-') {
        problem = take_word(argument);
      } else if (argument == "--") {
        only_words_ = true;
      } else if (argument == "-h") {
        call_.wants_help = true;
      } else if (argument.starts_with("--")) {
        problem = take_flag(std::string_view(argument).substr(2));
      } else {
        problem = wrong(fmt::format("no flag '{}'; flags are written --name", argument));
      }
      if (problem) return Unexpected(*problem);
    }
    if (Checked problem = check_whole()) return Unexpected(*problem);
    return std::move(call_);
  }

 private:
  Checked take_word(const std::string& word) {
    if (call_.verb == nullptr) {
      call_.verb = find_verb(word);
      if (call_.verb != nullptr) return std::nullopt;
      return wrong(no_such_verb(word));
    }
    if (!call_.verb->action.empty() && !has_action_) return take_action(word);
    if (asks_about_action(word)) return std::nullopt;  // all of the verb's are explained
    if (!call_.verb->choice.empty() && !call_.positional.empty() && call_.choice.empty())
      return take_choice(word);
    if (call_.verb->positional.empty() || !call_.positional.empty()) {
      return wrong(fmt::format("{} does not take '{}'", called(*call_.verb), printable(word)));
    }
    if (word.empty()) return wrong(fmt::format("{} is empty", call_.verb->positional));
    call_.positional = word;
    return std::nullopt;
  }

  Checked take_choice(const std::string& word) {
    const std::vector<std::string> choices = choices_of(*call_.verb);
    if (std::ranges::find(choices, word) == choices.end())
      return wrong(fmt::format("{} takes {}, not '{}'", called(*call_.verb),
                               joined(choices, " or "), printable(word)));
    call_.choice = word;
    return std::nullopt;
  }

  // The last word of "help token new".
  bool asks_about_action(const std::string& word) const {
    if (call_.verb->name != "help") return false;
    for (const Verb& verb : verbs_named(call_.positional))
      if (verb.action == word) return true;
    return false;
  }

  Checked take_action(const std::string& word) {
    std::vector<std::string_view> actions;
    for (const Verb& verb : verbs_named(call_.verb->name)) {
      if (verb.action == word) {
        call_.verb = &verb;
        has_action_ = true;
        return std::nullopt;
      }
      actions.push_back(verb.action);
    }
    return wrong(fmt::format("{} does not know '{}'{}", call_.verb->name, printable(word),
                             did_you_mean(word, actions, "")));
  }

  Checked take_flag(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const Flag* flag = known_flag(name);
    if (flag == nullptr) return unknown_flag(name);

    std::string value;
    if (flag->kind == FlagKind::kSwitch) {
      if (equals != std::string_view::npos) return wrong(fmt::format("--{} takes no value", name));
    } else if (equals != std::string_view::npos) {
      value = text.substr(equals + 1);
    } else if (next_ + 1 < arguments_.size() && !arguments_[next_ + 1].starts_with("--")) {
      value = arguments_[++next_];
    } else {
      return wrong(fmt::format("--{} needs a value: --{} {}", name, name, flag->value));
    }
    if (Checked problem = check_value(*flag, value)) return problem;

    auto& values = call_.flags[std::string(name)];
    if (!values.empty() && !may_repeat(*flag))
      return wrong(fmt::format("--{} is given twice", name));
    values.push_back(std::move(value));
    return std::nullopt;
  }

  // Before the action is known, those of every action.
  const Flag* known_flag(std::string_view name) const {
    const Flag* flag = find_flag(common_flags(), name);
    if (flag != nullptr || call_.verb == nullptr) return flag;
    if (has_action_ || call_.verb->action.empty()) return find_flag(call_.verb->flags, name);
    for (const Verb& verb : verbs_named(call_.verb->name)) {
      if (flag == nullptr) flag = find_flag(verb.flags, name);
    }
    return flag;
  }

  UsageError unknown_flag(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const Flag& flag : common_flags()) names.push_back(flag.name);
    if (call_.verb == nullptr) {
      return wrong(
          fmt::format("no flag --{} before the verb{}", name, did_you_mean(name, names, "--")));
    }
    for (const Flag& flag : call_.verb->flags) names.push_back(flag.name);
    return wrong(fmt::format("{} has no flag --{}{}", called(*call_.verb), name,
                             did_you_mean(name, names, "--")));
  }

  Checked check_whole() {
    if (call_.has("help")) call_.wants_help = true;
    if (call_.verb == nullptr) {
      call_.verb = find_verb("help");
      return std::nullopt;
    }
    if (call_.wants_help) return std::nullopt;
    const Verb& verb = *call_.verb;
    if (!verb.action.empty() && !has_action_) return wrong(no_action());
    const bool needs_word = !verb.positional.empty() && verb.positional.front() != '[';
    if (needs_word && call_.positional.empty()) {
      return wrong(verb.positional == "ID"
                       ? fmt::format("{} needs the ID of a rollout", called(verb))
                       : fmt::format("{} needs a {}: rollwatch {}", called(verb), verb.positional,
                                     written(verb)));
    }
    if (!verb.choice.empty() && call_.choice.empty())
      return wrong(fmt::format("{} needs {}: rollwatch {}", called(verb),
                               joined(choices_of(verb), " or "), written(verb)));
    // One that was given before the action may be another action's.
    for (const auto& [name, values] : call_.flags) {
      if (known_flag(name) == nullptr) return unknown_flag(name);
    }
    for (const Flag& flag : verb.flags) {
      if (flag.required && !call_.has(flag.name)) {
        return wrong(fmt::format("{} needs --{} {}", called(verb), flag.name, flag.value));
      }
    }
    return check_output();
  }

  // "deliveries needs one of: list ID, redeliver DELIVERY"
  std::string no_action() const {
    std::vector<std::string> ways;
    for (const Verb& verb : verbs_named(call_.verb->name))
      ways.push_back(written(verb).substr(verb.name.size() + 1));
    return fmt::format("{} needs {}{}", call_.verb->name, ways.size() > 1 ? "one of: " : "",
                       joined(ways, ", "));
  }

  Checked check_output() {
    const auto format = call_.text("output");
    if (!format) return std::nullopt;
    const std::vector<std::string_view> known = output_names(*call_.verb);
    if (known.empty())
      return wrong(fmt::format("{} has one form only; leave --output out", called(*call_.verb)));
    if (std::ranges::find(known, *format) == known.end()) {
      const std::vector<std::string> names(known.begin(), known.end());
      return wrong(fmt::format("{} cannot answer --output {}; it knows {}", called(*call_.verb),
                               printable(*format), joined(names, " and ")));
    }
    if (*format == "json") call_.output = Output::kJson;
    if (*format == "jsonl") call_.output = Output::kJsonLines;
    return std::nullopt;
  }

  const std::vector<std::string>& arguments_;
  std::size_t next_ = 0;
  bool only_words_ = false;  // "--" was seen
  bool has_action_ = false;
  Invocation call_;
};

}  // namespace

std::optional<std::string> Invocation::text(std::string_view flag) const {
  const auto found = flags.find(flag);
  if (found == flags.end()) return std::nullopt;
  return found->second.front();
}

std::vector<std::string> Invocation::list(std::string_view flag) const {
  const auto found = flags.find(flag);
  return found == flags.end() ? std::vector<std::string>{} : found->second;
}

std::optional<long> Invocation::number(std::string_view flag) const {
  const auto value = text(flag);
  return value ? parse_number(*value) : std::nullopt;
}

std::optional<Millis> Invocation::duration(std::string_view flag) const {
  const auto value = text(flag);
  return value ? parse_duration(*value) : std::nullopt;
}

Expected<Invocation, UsageError> parse_arguments(const std::vector<std::string>& arguments) {
  // What everybody tries first.
  const bool asks_version = arguments == std::vector<std::string>{"--version"};
  return ArgumentReader(asks_version ? std::vector<std::string>{"version"} : arguments).read();
}

std::string no_such_verb(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Verb& verb : all_verbs()) names.push_back(verb.name);
  // A word of another tool, for which there is one of ours.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kOthers{
      {{"get", "list"},
       {"ls", "list"},
       {"show", "status"},
       {"describe", "status"},
       {"abort", "rollback"},
       {"undo", "rollback"},
       {"watch", "wait"},
       {"events", "logs"}}};
  for (const auto& [theirs, ours] : kOthers) {
    if (name == theirs) return fmt::format("no verb '{}'; did you mean '{}'?", theirs, ours);
  }
  return fmt::format("no verb '{}'{}", printable(name), did_you_mean(name, names, ""));
}

std::pair<std::string, std::string> split_pair(std::string_view text) {
  const std::size_t equals = text.find('=');
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

}  // namespace rollwatch
