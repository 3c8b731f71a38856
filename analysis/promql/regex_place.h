// Where in a regular expression (RE2) a value may be put. An escaped value means itself only where
// the expression reads plain characters: after a stray backslash, in a character class or between
// \Q and \E the same text means something else, and a repetition behind it takes its last letter
// only.
#pragma once

#include <string_view>

namespace rollwatch::promql {

// before is all of the expression that stands before the value (earlier values replaced by a
// letter), after what follows it up to the next value or the end; both decoded from their string
// literal. Empty if a value may stand there, else the end of a sentence that begins with the
// variable's name.
std::string_view why_not_in_regex(std::string_view before, std::string_view after);

// The same for a replacement text with $1 and ${name}, as label_replace takes it.
std::string_view why_not_in_replacement(std::string_view before);

}  // namespace rollwatch::promql
