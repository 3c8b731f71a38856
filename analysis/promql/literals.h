// Numbers and durations as PromQL writes them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace rollwatch::promql {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// The length of the number (or duration) that text starts with; 0 when it starts with none. A
// number may carry MetricsQL's suffixes (5K, 2MiB); a duration its fractions and steps (1.5h, 3i).
std::size_t number_length(std::string_view text);
std::size_t duration_length(std::string_view text);

// The finite value of a number literal as both servers read it. nullopt for what they may read
// differently from a person or from each other: 010 (octal) and 00.5, suffixes, digits joined by _;
// and for Inf, NaN and what a double cannot hold.
std::optional<double> number_value(std::string_view literal);

// A number that may be put into a query: decimal digits with an optional minus, fraction and
// exponent, finite, and without a leading zero (which would make it octal).
bool is_plain_number(std::string_view text);

// A duration that Prometheus takes: whole numbers with units, greatest unit first, more than zero
// and less than 292 years.
bool is_plain_duration(std::string_view text);

}  // namespace rollwatch::promql
