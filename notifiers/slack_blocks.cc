#include "notifiers/slack_blocks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "notifiers/text.h"

namespace rollwatch::slack {
namespace {

constexpr std::size_t kMostLinks = 5;
constexpr std::size_t kUrlLimit = 400;
constexpr std::size_t kLinkLimit = 500;  // as it is written: every & in it takes five characters

bool is_web_address(std::string_view url) {
  return (url.starts_with("https://") || url.starts_with("http://")) && url.size() <= kUrlLimit;
}

}  // namespace

bool begins_with_word(std::string_view sentence, std::string_view words) {
  return sentence.size() >= words.size() && std::equal(words.begin(), words.end(), sentence.begin(),
                                                       [](unsigned char a, unsigned char b) {
                                                         return std::tolower(a) == std::tolower(b);
                                                       });
}

std::string escaped(std::string_view text, std::size_t limit) {
  return mrkdwn(one_line(text), limit);
}

std::string code(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '`', '\'');
  return "`" + escaped(plain) + "`";
}

std::string short_number(double number) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.6g", number);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string link(std::string_view url, std::string_view label) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string safe;
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7F || c == '<' || c == '>' || c == '|' || c == '"') {
      safe.append({'%', kHex[byte >> 4U], kHex[byte & 15U]});
    } else if (c == '&') {
      safe += "&amp;";
    } else {
      safe += c;
    }
  }
  std::string text(label);
  std::replace(text.begin(), text.end(), '|', '/');
  return "<" + safe + "|" + escaped(text, 40) + ">";
}

std::string links_of_registration(const RolloutSpec& spec) {
  std::string links;
  std::size_t shown = 0;
  for (const auto& [name, url] : spec.links) {
    if (!is_web_address(url)) continue;
    const std::string written = link(url, name);
    if (written.size() > kLinkLimit) continue;
    if (++shown > kMostLinks) break;
    links += " · " + written;
  }
  return links;
}

std::string origin(const RolloutSpec& spec) {
  std::string text = code(spec.id);
  if (!spec.by.empty()) text += " · started by " + escaped(spec.by);
  for (const std::string& policy : spec.policy) text += " · policy " + code(policy);
  // Slack cuts nothing for us: too many policies are told as none.
  if (text.size() > kSentenceLimit) text = code(spec.id);
  return text;
}

nlohmann::ordered_json mrkdwn_object(std::string text) {
  return {{"type", "mrkdwn"}, {"text", std::move(text)}};
}

nlohmann::ordered_json section(std::string text) {
  return {{"type", "section"}, {"text", mrkdwn_object(std::move(text))}};
}

nlohmann::ordered_json context(std::string text) {
  nlohmann::ordered_json elements = nlohmann::ordered_json::array();
  elements.push_back(mrkdwn_object(std::move(text)));
  return {{"type", "context"}, {"elements", std::move(elements)}};
}

}  // namespace rollwatch::slack
