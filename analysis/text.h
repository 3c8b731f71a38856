// Small helpers for sentences that people read.
#pragma once

#include <string>
#include <string_view>

namespace rollwatch {

// At most `bytes` bytes, never in the middle of a UTF-8 character, with an ellipsis if something
// was cut. Control characters become spaces, so that the text stays one line; bytes that are not
// UTF-8 become question marks, so that it can be written as JSON wherever it came from.
std::string cut(std::string_view text, std::size_t bytes);

// Every occurrence of the secret becomes an ellipsis. One of less than six bytes stays: it would be
// found in harmless words, and protects little.
void hide(std::string& text, std::string_view secret);

// As a value in a URL's query: all but letters, digits and "-_.~" percent-encoded, byte by byte.
std::string url_encoded(std::string_view text);

// "5 %", "12.5 %"
std::string percent(double weight);

}  // namespace rollwatch
