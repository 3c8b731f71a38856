// The pieces of Slack messages, built as values: text of others on its way into mrkdwn, links,
// blocks.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "analysis/spec.h"

namespace rollwatch::slack {

// In code points of the escaped text. Slack takes 3,000 in a section and 2,000 in a field;
// sentences that long help nobody, and what is fixed around them must fit beside them.
inline constexpr std::size_t kNameLimit = 100;
inline constexpr std::size_t kSentenceLimit = 1000;
inline constexpr std::size_t kFieldLimit = 500;

inline constexpr std::string_view kBlue = "#3b82f6";
inline constexpr std::string_view kGreen = "#2eb67d";
inline constexpr std::string_view kYellow = "#ecb22e";
inline constexpr std::string_view kRed = "#e01e5a";
inline constexpr std::string_view kGrey = "#6b7280";

// Whatever the case of its letters.
bool begins_with_word(std::string_view sentence, std::string_view words);

// On one line, as mrkdwn that means nothing but itself.
std::string escaped(std::string_view text, std::size_t limit = kNameLimit);

// In a code span, which a backtick in the text does not end.
std::string code(std::string_view text);

std::string short_number(double number);

// <url|label>: the characters that would end it, and those of no URL, are percent-encoded.
std::string link(std::string_view url, std::string_view label);

// " · <url|name>" for the links of the registration that lead to the web, the first few.
std::string links_of_registration(const RolloutSpec& spec);

// "`ro_…` · started by ci · policy `http`", without what would be too much of it.
std::string origin(const RolloutSpec& spec);

nlohmann::ordered_json mrkdwn_object(std::string text);
nlohmann::ordered_json section(std::string text);
// Small print.
nlohmann::ordered_json context(std::string text);

}  // namespace rollwatch::slack
