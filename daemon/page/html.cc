#include "daemon/page/html.h"

namespace rollwatch {

std::string html_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\0':
        out += "\xEF\xBF\xBD";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string json_in_html(std::string json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out;
}

std::string html_link(std::string_view url, std::string_view text) {
  if (!url.starts_with("https://") && !url.starts_with("http://")) return html_text(text);
  return "<a href=\"" + html_text(url) + "\" rel=\"noreferrer\">" + html_text(text) + "</a>";
}

std::string html_time(std::string_view rfc3339) {
  constexpr std::size_t kSeconds = 19;  // "2026-01-02T03:04:05"
  constexpr std::size_t kDay = 10;
  if (rfc3339.size() < kSeconds) return "–";
  std::string shown(rfc3339.substr(0, kSeconds));
  shown[kDay] = ' ';
  return "<time datetime=\"" + html_text(rfc3339) + "\">" + html_text(shown) + " UTC</time>";
}

}  // namespace rollwatch
