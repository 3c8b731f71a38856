#include "analysis/graph_link.h"

#include <algorithm>
#include <chrono>

namespace rollwatch {
namespace {

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

}  // namespace

std::string graph_link(std::string_view datasource_url, std::string_view query, SysTime at,
                       SysTime since) {
  // The clock may have been put back in between.
  const Millis span = std::max(at - since, Millis{0});
  const auto range =
      std::chrono::duration_cast<std::chrono::seconds>(span) + std::chrono::minutes{10};
  return std::string(datasource_url) + "/graph?g0.expr=" + url_encoded(query) +
         "&g0.tab=0&g0.range_input=" + std::to_string(range.count()) +
         "s&g0.end_input=" + url_encoded(format_time(at + std::chrono::minutes{5}).substr(0, 19));
}

}  // namespace rollwatch
