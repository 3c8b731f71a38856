#include "analysis/text.h"

#include "analysis/comparison.h"

namespace rollwatch {

std::string cut(std::string_view text, std::size_t bytes) {
  constexpr std::string_view kEllipsis = "…";
  std::string one_line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    one_line += byte < 0x20 || byte == 0x7f ? ' ' : c;
  }
  if (one_line.size() <= bytes) return one_line;
  std::size_t end = bytes > kEllipsis.size() ? bytes - kEllipsis.size() : 0;
  while (end > 0 && (static_cast<unsigned char>(one_line[end]) & 0xC0) == 0x80) --end;
  one_line.resize(end);
  return one_line + std::string(kEllipsis);
}

std::string percent(double weight) { return format_exact(weight) + " %"; }

}  // namespace rollwatch
