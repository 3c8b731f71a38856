#include "analysis/time.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace rollwatch {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t millis;
};
constexpr std::array kUnits{
    Unit{"y", 31'536'000'000}, Unit{"w", 604'800'000}, Unit{"d", 86'400'000}, Unit{"h", 3'600'000},
    Unit{"m", 60'000},         Unit{"s", 1'000},       Unit{"ms", 1}};
// A hundred years: longer spans are mistakes, and sums of shorter ones cannot overflow.
constexpr std::int64_t kLongest = 100 * 31'536'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view take_while(std::string_view& text, bool (*wanted)(char)) {
  std::size_t n = 0;
  while (n < text.size() && wanted(text[n])) ++n;
  const std::string_view taken = text.substr(0, n);
  text.remove_prefix(n);
  return taken;
}

// Reads exactly `digits` digits.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take_char(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<Millis> parse_duration(std::string_view text) {
  if (text == "0") return Millis{0};
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const std::string_view digits = take_while(text, is_digit);
    std::int64_t count = 0;
    if (digits.empty() || digits.size() > 15) return std::nullopt;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    const std::string_view name = take_while(text, [](char c) { return c >= 'a' && c <= 'z'; });
    std::size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
    if (unit == kUnits.size()) return std::nullopt;
    if (count > kLongest / kUnits[unit].millis) return std::nullopt;
    total += count * kUnits[unit].millis;
    if (total > kLongest) return std::nullopt;
    next_unit = unit + 1;
  }
  return Millis{total};
}

std::string format_duration(Millis span) {
  std::int64_t left = span.count();
  if (left == 0) return "0s";
  std::string text;
  if (left < 0) {
    text = "-";
    left = -left;
  }
  for (const Unit& unit : kUnits) {
    // Years and weeks read worse than days ("1w3d" against "10d").
    if (unit.name == "y" || unit.name == "w") continue;
    if (left < unit.millis) continue;
    text += std::to_string(left / unit.millis);
    text += unit.name;
    left %= unit.millis;
  }
  return text;
}

std::string format_time(SysTime at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::array<char, 40> buffer{};
  const int length = std::snprintf(
      buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
      static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()),
      static_cast<int>(time.subseconds().count()));
  return {buffer.data(), static_cast<std::size_t>(length)};
}

std::optional<SysTime> parse_time(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || !take_char(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take_char(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || !(take_char(text, 'T') || take_char(text, 't'))) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take_char(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take_char(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second) return std::nullopt;
  int millis = 0;
  if (take_char(text, '.')) {
    const std::string_view fraction = take_while(text, is_digit);
    if (fraction.empty()) return std::nullopt;
    for (std::size_t i = 0; i < 3; ++i)
      millis = millis * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  std::chrono::minutes offset{0};
  if (!(take_char(text, 'Z') || take_char(text, 'z'))) {
    const int sign = take_char(text, '-') ? -1 : 1;
    if (sign == 1 && !take_char(text, '+')) return std::nullopt;
    const auto hours = take_number(text, 2);
    if (!hours || *hours > 23 || !take_char(text, ':')) return std::nullopt;
    const auto minutes = take_number(text, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    offset = sign * (std::chrono::hours{*hours} + std::chrono::minutes{*minutes});
  }
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  // A leap second (:60) is taken as the second that follows.
  if (!text.empty() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second} + Millis{millis} - offset;
}

}  // namespace rollwatch
