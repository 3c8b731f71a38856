#include "analysis/comparison.h"

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace rollwatch {
namespace {

struct OpText {
  std::string_view text;
  CompareOp op;
};

// Two characters before one, so that ">=" is not read as ">".
constexpr std::array<OpText, 6> kOps = {{{">=", CompareOp::kGreaterEqual},
                                         {"<=", CompareOp::kLessEqual},
                                         {"==", CompareOp::kEqual},
                                         {"!=", CompareOp::kNotEqual},
                                         {">", CompareOp::kGreater},
                                         {"<", CompareOp::kLess}}};

// Whole numbers below this are exact and still readable in full.
constexpr double kPlainWholeNumbers = 1e15;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<std::string> special(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value == 0) return "0";
  return std::nullopt;
}

template <class... Format>
std::string digits(double value, Format... format) {
  std::array<char, 64> buffer{};
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format...);
  return error == std::errc() ? std::string(buffer.data(), end) : std::to_string(value);
}

}  // namespace

std::optional<double> parse_finite(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

bool Comparison::holds(double measured) const {
  if (std::isnan(measured)) return false;
  switch (op) {
    case CompareOp::kGreater:
      return measured > limit;
    case CompareOp::kGreaterEqual:
      return measured >= limit;
    case CompareOp::kLess:
      return measured < limit;
    case CompareOp::kLessEqual:
      return measured <= limit;
    case CompareOp::kEqual:
      return measured == limit;
    case CompareOp::kNotEqual:
      return measured != limit;
  }
  return false;
}

Expected<Comparison, std::string> parse_comparison(std::string_view text) {
  const std::string_view body = trimmed(text);
  for (const auto& [op_text, op] : kOps) {
    if (!body.starts_with(op_text)) continue;
    std::string_view number = trimmed(body.substr(op_text.size()));
    if (number.starts_with('+') && !number.starts_with("+-")) number.remove_prefix(1);
    if (const auto limit = parse_finite(number)) {
      return Comparison{op, *limit};
    }
    return Unexpected("\"" + std::string(text) + "\": after " + std::string(op_text) +
                      " a plain number must follow, as in \"" + std::string(op_text) + " 0.05\"");
  }
  return Unexpected("\"" + std::string(text) +
                    "\" is not a comparison: write one of > >= < <= == != and a number, as in "
                    "\"> 0.05\"");
}

std::string_view to_string(CompareOp op) {
  for (const auto& entry : kOps) {
    if (entry.op == op) return entry.text;
  }
  return "?";
}

std::string to_string(const Comparison& comparison) {
  return std::string(to_string(comparison.op)) + " " + format_exact(comparison.limit);
}

std::string format_number(double value) {
  if (auto text = special(value)) return *text;
  const double size = std::fabs(value);
  if (size < kPlainWholeNumbers && (size >= 1000 || std::trunc(value) == value)) {
    return digits(value, std::chars_format::fixed, 0);
  }
  return digits(value, std::chars_format::general, size < 0.1 ? 3 : 4);
}

std::string format_exact(double value) {
  if (auto text = special(value)) return *text;
  const double size = std::fabs(value);
  if (size >= 1e-6 && size < kPlainWholeNumbers) return digits(value, std::chars_format::fixed);
  return digits(value);
}

}  // namespace rollwatch
