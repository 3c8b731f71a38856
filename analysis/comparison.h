// A limit as people write it ("> 0.05"), and how numbers are read and written in this project:
// short for people, exact for machines.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analysis/expected.h"

namespace rollwatch {

enum class CompareOp { kGreater, kGreaterEqual, kLess, kLessEqual, kEqual, kNotEqual };

// "What was measured, op, limit". The limit is finite when it comes from parse_comparison.
struct Comparison {
  CompareOp op = CompareOp::kGreater;
  double limit = 0;

  // A NaN holds for nothing, not even for "!=": it is no measurement.
  bool holds(double measured) const;

  friend bool operator==(const Comparison&, const Comparison&) = default;
};

// Reads one of > >= < <= == != and a finite decimal number. The error is a sentence for people that
// quotes the text and says what to write.
Expected<Comparison, std::string> parse_comparison(std::string_view text);

std::string_view to_string(CompareOp op);

// "> 0.05"; parse_comparison reads it back unchanged.
std::string to_string(const Comparison& comparison);

// The whole text as a decimal number with an optional minus, fraction and exponent. nullopt for
// anything else: spaces, a plus, Inf, NaN, what a double cannot hold.
std::optional<double> parse_finite(std::string_view text);

// For people: four significant digits, three below 0.1 (0.08333 is "0.0833", 0.99951 is "0.9995");
// from 1000 on rounded to whole numbers; whole numbers in full up to 15 digits. Never for machines.
std::string format_number(double value);

// The fewest digits that read back as the same double, without an exponent where that is readable.
std::string format_exact(double value);

}  // namespace rollwatch
