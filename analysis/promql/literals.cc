#include "analysis/promql/literals.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "analysis/comparison.h"

namespace rollwatch::promql {
namespace {

bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

template <class Predicate>
std::size_t run_length(std::string_view text, Predicate belongs) {
  std::size_t length = 0;
  while (length < text.size() && belongs(text[length])) ++length;
  return length;
}

// k, ki, kb, kib and the same for m, g, t, in any case; but a lone small m means minutes.
std::size_t multiplier_length(std::string_view text) {
  if (text.empty()) return 0;
  const char letter = lower(text[0]);
  if (letter != 'k' && letter != 'm' && letter != 'g' && letter != 't') return 0;
  std::size_t length = 1;
  if (length < text.size() && lower(text[length]) == 'i') ++length;
  if (length < text.size() && lower(text[length]) == 'b') ++length;
  return length == 1 && text[0] == 'm' ? 0 : length;
}

struct Unit {
  std::string_view name;
  std::uint64_t milliseconds;
};
constexpr std::uint64_t kSecond = 1000;
constexpr std::uint64_t kDay = 24 * 60 * 60 * kSecond;
// Greatest first, the order Prometheus asks for.
constexpr std::array<Unit, 7> kUnits = {{{"y", 365 * kDay},
                                         {"w", 7 * kDay},
                                         {"d", kDay},
                                         {"h", 60 * 60 * kSecond},
                                         {"m", 60 * kSecond},
                                         {"s", kSecond},
                                         {"ms", 1}}};

// Index into kUnits, or its size; "ms" is not read as "m".
std::size_t unit_index(std::string_view text) {
  if (text.starts_with("ms")) return kUnits.size() - 1;
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (text.starts_with(kUnits[i].name)) return i;
  }
  return kUnits.size();
}

// One number with its unit, such as the 1h of 1h30m.
std::size_t duration_part_length(std::string_view text) {
  std::size_t length = run_length(text, is_digit);
  if (length == 0) return 0;
  if (length < text.size() && text[length] == '.') {
    const std::size_t fraction = run_length(text.substr(length + 1), is_digit);
    if (fraction == 0) return 0;
    length += 1 + fraction;
  }
  const std::string_view rest = text.substr(length);
  if (rest.starts_with('i')) return length + 1;
  const std::size_t unit = unit_index(rest);
  return unit == kUnits.size() ? 0 : length + kUnits[unit].name.size();
}

}  // namespace

std::size_t number_length(std::string_view text) {
  const auto at = [text](std::size_t i) { return i < text.size() ? text[i] : '\0'; };
  if (at(0) == '0' && lower(at(1)) == 'x') {
    const std::size_t digits = run_length(text.substr(2), is_hex_digit);
    return digits == 0 ? 0 : 2 + digits;
  }
  const auto digit_or_joint = [](char c) { return is_digit(c) || c == '_'; };
  std::size_t length = is_digit(at(0)) ? run_length(text, digit_or_joint) : 0;
  if (at(length) == '.' && (length > 0 || is_digit(at(1)))) {
    ++length;
    length += run_length(text.substr(length), digit_or_joint);
  }
  if (length == 0) return 0;
  if (const std::size_t multiplier = multiplier_length(text.substr(length))) {
    return length + multiplier;
  }
  if (lower(at(length)) == 'e') {
    std::size_t exponent = length + 1;
    if (at(exponent) == '+' || at(exponent) == '-') ++exponent;
    const std::size_t digits = run_length(text.substr(std::min(exponent, text.size())), is_digit);
    if (digits > 0) return exponent + digits;
  }
  return length;
}

std::size_t duration_length(std::string_view text) {
  std::size_t length = 0;
  while (const std::size_t part = duration_part_length(text.substr(length))) length += part;
  return length;
}

std::optional<double> number_value(std::string_view literal) {
  if (literal.empty() || (!is_digit(literal.front()) && literal.front() != '.')) {
    return std::nullopt;
  }
  if (literal.size() > 2 && literal[0] == '0' && lower(literal[1]) == 'x') {
    std::int64_t value = 0;
    const char* end = literal.data() + literal.size();
    const auto [stop, error] = std::from_chars(literal.data() + 2, end, value, 16);
    if (error != std::errc() || stop != end || !is_hex_digit(literal[2])) return std::nullopt;
    return static_cast<double>(value);
  }
  if (literal.size() > 1 && literal[0] == '0' && is_digit(literal[1])) return std::nullopt;
  return parse_finite(literal);
}

bool is_plain_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const std::size_t whole = run_length(text, is_digit);
  if (whole > 1 && text.front() == '0') return false;
  if (whole < text.size() && text[whole] == '.') {
    if (run_length(text.substr(whole + 1), is_digit) == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  return parse_finite(text).has_value();
}

bool is_plain_duration(std::string_view text) {
  constexpr std::uint64_t kLongest = 292 * 365 * kDay;
  std::uint64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::uint64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc() || !is_digit(text.front())) return false;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    const std::size_t unit = unit_index(text);
    if (unit == kUnits.size() || unit < next_unit) return false;
    if (count > kLongest / kUnits[unit].milliseconds) return false;
    total += count * kUnits[unit].milliseconds;
    if (total > kLongest) return false;
    next_unit = unit + 1;
    text.remove_prefix(kUnits[unit].name.size());
  }
  return total > 0;
}

}  // namespace rollwatch::promql
