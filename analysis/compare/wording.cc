#include "analysis/compare/wording.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "analysis/comparison.h"

namespace rollwatch {

using statistics::ArmCounts;
using statistics::RateTick;

std::string short_number(double value) {
  if (value == 0) return "0";
  if (!std::isfinite(value)) return format_number(value);
  const double size = std::floor(std::log10(std::fabs(value)));
  if (size < -4 || size >= 15) return format_number(value);
  const int decimals = std::clamp(static_cast<int>(2 - size), 0, 6);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  std::string shown = text.data();
  if (decimals > 0) {
    shown.erase(shown.find_last_not_of('0') + 1);
    if (shown.back() == '.') shown.pop_back();
  }
  return shown;
}

std::string count_text(double count) {
  std::array<char, 64> digits{};
  const int length = std::snprintf(digits.data(), digits.size(), "%.0f", count);
  std::string text;
  for (int i = 0; i < length; ++i) {
    if (i > 0 && (length - i) % 3 == 0) text += ',';
    text += digits[static_cast<std::size_t>(i)];
  }
  return text;
}

std::string percent_of(double part) { return short_number(100 * part) + " %"; }

std::string counts_text(const ArmCounts& counts, const std::string& of_what) {
  std::string text = count_text(counts.bad) + of_what + " of " + count_text(counts.events);
  if (counts.events > 0) text += " (" + percent_of(counts.bad / counts.events) + ")";
  return text;
}

std::string times_text(const RateTick& total) {
  if (total.stable.bad <= 0 || total.stable.events <= 0 || total.candidate.events <= 0) return "";
  const double ratio =
      (total.candidate.bad / total.candidate.events) / (total.stable.bad / total.stable.events);
  return ": " + short_number(ratio) + " times";
}

std::string list_text(std::span<const double> numbers) {
  constexpr std::size_t kNamed = 3;
  if (numbers.empty()) return "none";
  const std::size_t named =
      numbers.size() == kNamed + 1 ? numbers.size() : std::min(numbers.size(), kNamed);
  std::string text;
  for (std::size_t i = 0; i < named; ++i) {
    if (i > 0) text += i + 1 == numbers.size() ? " and " : ", ";
    text += short_number(numbers[i]);
  }
  if (named < numbers.size()) text += " and " + std::to_string(numbers.size() - named) + " others";
  return text;
}

std::string unit_of(const CompareCondition& condition) {
  const std::string_view text = condition.counted.text();
  if (text.find("milliseconds_bucket") != std::string_view::npos) return " ms";
  return text.find("seconds_bucket") != std::string_view::npos ? " s" : "";
}

}  // namespace rollwatch
