#include "analysis/text.h"

#include <algorithm>

#include "analysis/comparison.h"
#include "analysis/promql/quoting.h"

namespace rollwatch {
namespace {

// Of one valid UTF-8 character; those of Latin-1 (U+0080 to U+009F) steer terminals as well.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

std::string cut(std::string_view text, std::size_t bytes) {
  constexpr std::string_view kEllipsis = "…";
  std::string one_line;
  while (!text.empty()) {
    const std::size_t length = promql::utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0)
      one_line += '?';
    else if (is_control(character))
      one_line += ' ';
    else
      one_line += character;
    text.remove_prefix(character.size());
  }
  if (one_line.size() <= bytes) return one_line;
  if (bytes < kEllipsis.size()) return "";
  std::size_t end = bytes - kEllipsis.size();
  while (end > 0 && (static_cast<unsigned char>(one_line[end]) & 0xC0) == 0x80) --end;
  one_line.resize(end);
  return one_line + std::string(kEllipsis);
}

void hide(std::string& text, std::string_view secret) {
  constexpr std::size_t kShortestHidden = 6;
  constexpr std::string_view kEllipsis = "…";
  if (secret.size() < kShortestHidden) return;
  for (auto at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + kEllipsis.size()))
    text.replace(at, secret.size(), kEllipsis);
}

std::string percent(double weight) { return format_exact(weight) + " %"; }

std::string url_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

}  // namespace rollwatch
