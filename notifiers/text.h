// Text of others on its way into our messages and records: made valid UTF-8, cut where a character
// ends.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace rollwatch {

// At most `max_bytes` of the text as valid UTF-8: what is none, and NUL, becomes U+FFFD, and a
// character that would be cut through is left out. A receiver's answer may be anything, and what is
// kept of it is shown as JSON later.
std::string clean_utf8(std::string_view text, std::size_t max_bytes);

// On one line: control characters, line breaks among them, become spaces.
std::string one_line(std::string_view text);

// Slack's mrkdwn: & < > as entities and nothing else, so that "<!channel>" in a name pages nobody.
// At most `limit` code points of the escaped text, an ellipsis being the last if something was cut;
// an entity is never cut through. Expects valid UTF-8.
std::string mrkdwn(std::string_view text, std::size_t limit);

}  // namespace rollwatch
