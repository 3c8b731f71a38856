// Small text helpers of the command line: words, columns and what a terminal may be shown.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rollwatch {

// The candidate that a mistyped word most likely meant: at most a third of its letters (one at
// least) wrong, missing, too many or swapped. Nothing if none is that close.
std::optional<std::string> nearest_word(std::string_view word,
                                        const std::vector<std::string_view>& candidates);

// Text from a server on its way to a terminal: control characters, which could move the cursor or
// change the window's title, become spaces.
std::string printable(std::string_view text);

// Columns that UTF-8 text takes on a terminal, one for each code point.
std::size_t text_width(std::string_view text);

// The first `columns` columns of text; a cut one ends in "…".
std::string cut_to_width(std::string_view text, std::size_t columns);

// Rows as aligned columns, two spaces apart, one line each, without trailing spaces.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

// Every line of text, its line feed included, behind `indent`.
std::string indented(std::string_view text, std::string_view indent);

std::string joined(const std::vector<std::string>& parts, std::string_view separator);

// A word for a URL's path or query.
std::string percent_encoded(std::string_view text);

}  // namespace rollwatch
