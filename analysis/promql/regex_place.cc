#include "analysis/promql/regex_place.h"

#include <cstddef>

namespace rollwatch::promql {
namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";

// Past the last of at most `most` characters of the set, or kNone if the text ends while another
// one could still belong.
std::size_t run_end(std::string_view regex, std::size_t from, std::size_t most,
                    std::string_view set) {
  std::size_t i = from;
  for (; i < from + most; ++i) {
    if (i >= regex.size()) return kNone;
    if (set.find(regex[i]) == kNone) break;
  }
  return i;
}

std::size_t behind(std::string_view regex, std::string_view what, std::size_t from) {
  const std::size_t found = regex.find(what, from);
  return found == kNone ? kNone : found + what.size();
}

// regex[at] is a backslash outside of \Q…\E. Past the escape, or kNone if the text ends within it.
std::size_t escape_end(std::string_view regex, std::size_t at) {
  if (at + 1 >= regex.size()) return kNone;
  const char c = regex[at + 1];
  if (c == 'x' || c == 'p' || c == 'P') {
    if (at + 2 >= regex.size()) return kNone;
    if (regex[at + 2] == '{') return behind(regex, "}", at + 3);
    return c == 'x' ? run_end(regex, at + 2, 2, kHexDigits) : at + 3;
  }
  if (c >= '0' && c <= '7') return run_end(regex, at + 1, 3, "01234567");
  return at + 2;
}

// regex[at] is '['. Past its ']', or kNone if it is not closed.
std::size_t class_end(std::string_view regex, std::size_t at) {
  std::size_t i = at + 1;
  if (i < regex.size() && regex[i] == '^') ++i;
  if (i < regex.size() && regex[i] == ']') ++i;  // first in the class it is a plain character
  while (i < regex.size() && regex[i] != ']') {
    if (regex.substr(i).starts_with("[:")) {
      const std::size_t end = behind(regex, ":]", i + 2);
      i = end == kNone ? i + 1 : end;
    } else if (regex[i] == '\\') {
      i = escape_end(regex, i);
      if (i == kNone) return kNone;
    } else {
      ++i;
    }
  }
  return i < regex.size() ? i + 1 : kNone;
}

// regex[at] is '(' and "?" follows: flags or a group's name. Past ':', ')' or '>'.
std::size_t group_head_end(std::string_view regex, std::size_t at) {
  const std::size_t end = regex.find_first_of(":)>", at + 2);
  return end == kNone ? kNone : end + 1;
}

// regex[at] is '{'. kNone if what follows could still become a repetition such as {2,3}.
std::size_t repetition_end(std::string_view regex, std::size_t at) {
  const std::size_t other = regex.find_first_not_of("0123456789,", at + 1);
  return other == kNone ? kNone : at + 1;
}

}  // namespace

std::string_view why_not_in_regex(std::string_view before, std::string_view after) {
  std::size_t i = 0;
  while (i < before.size()) {
    const std::string_view rest = before.substr(i);
    if (rest.starts_with("\\Q")) {
      i = behind(before, "\\E", i + 2);
      if (i == kNone) {
        return "stands behind \\Q in a regular expression, where it cannot be escaped; leave out "
               "\\Q "
               "and \\E, values are escaped anyway";
      }
    } else if (rest.front() == '\\') {
      i = escape_end(before, i);
      if (i == kNone) {
        return "stands right behind a backslash escape of a regular expression and would become "
               "part "
               "of it; separate the two, for example with (?:)";
      }
    } else if (rest.front() == '[') {
      i = class_end(before, i);
      if (i == kNone) {
        return "stands inside a character class of a regular expression, where its letters would "
               "be "
               "taken one by one; move it out of the [ ]";
      }
    } else if (rest.starts_with("(?")) {
      i = group_head_end(before, i);
      if (i == kNone) {
        return "stands in the head of a regular expression's group; only the group's content can "
               "hold a variable";
      }
    } else if (rest.front() == '{') {
      i = repetition_end(before, i);
      if (i == kNone) {
        return "stands inside the { } of a repetition; write the count as a number";
      }
    } else {
      ++i;
    }
  }
  if (!after.empty() && std::string_view("*+?{").find(after.front()) != kNone) {
    return "is followed by a repetition, which would apply to the value's last letter only; put "
           "the "
           "variable in a group of its own, as in ({{service}})?";
  }
  return {};
}

std::string_view why_not_in_replacement(std::string_view before) {
  constexpr std::string_view kNameCharacters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  constexpr std::string_view kOpen =
      "stands right behind a group reference and would become part of its name; write ${1} instead "
      "of $1, and $$ for a plain $";
  const std::size_t brace = before.rfind("${");
  const bool in_braces = brace != kNone && before.find('}', brace) == kNone;
  const std::size_t last = before.find_last_not_of(kNameCharacters);
  const std::string_view head = before.substr(0, last == kNone ? 0 : last + 1);
  std::size_t dollars = 0;
  while (dollars < head.size() && head[head.size() - 1 - dollars] == '$') ++dollars;
  return in_braces || dollars % 2 == 1 ? kOpen : std::string_view();
}

}  // namespace rollwatch::promql
