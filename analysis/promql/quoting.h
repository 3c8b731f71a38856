// Strings of PromQL and of regular expressions inside and out: what a literal means, and how a
// value has to be written so that it means itself.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace rollwatch::promql {

enum class QuoteKind { kNone, kDouble, kSingle, kRaw };

// '"', '\'' or '`'; kNone for any other byte.
QuoteKind quote_kind(char quote);

// The length of the valid UTF-8 character at the start of text; 0 when there is none.
std::size_t utf8_length(std::string_view text);
bool is_valid_utf8(std::string_view text);

// The length of the backslash escape that text starts with (text[0] is the backslash), or 0 if it
// is none that both servers accept between such quotes. Never for raw strings, which have no
// escapes.
std::size_t escape_length(std::string_view text, QuoteKind quote);

// What stands between the quotes, decoded. nullopt if it is no valid content of such a string.
std::optional<std::string> decode(std::string_view body, QuoteKind quote);

// A whole literal with its quotes, decoded.
std::optional<std::string> unquote(std::string_view literal);

// Writes value for between such quotes, so that decode() of it is value. value is valid UTF-8.
// nullopt when a raw string cannot hold it on both servers: a backtick would end it; a carriage
// return is dropped, and a backslash before the closing backtick taken for an escape, by
// VictoriaMetrics; U+FFFD is refused by Prometheus.
std::optional<std::string> encode(std::string_view value, QuoteKind quote);

// A regular expression (RE2) that matches value and nothing else.
std::string escape_regex(std::string_view value);

// A replacement text (label_replace) that stands for value: `$` starts a group reference there.
std::string escape_replacement(std::string_view value);

}  // namespace rollwatch::promql
