#include "daemon/prometheus/json_scanner.h"

#include <charconv>
#include <cstdint>
#include <system_error>

#include "analysis/promql/quoting.h"

namespace rollwatch::json {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// Of the four digits of "\uXXXX"; more than 0xFFFF if they are none.
std::uint32_t hex_of(std::string_view text, std::size_t at) {
  constexpr std::uint32_t kNone = 0x10000;
  if (text.size() < at + 4) return kNone;
  std::uint32_t value = 0;
  for (const char c : text.substr(at, 4)) {
    const int digit = is_digit(c)              ? c - '0'
                      : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                      : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                               : -1;
    if (digit < 0) return kNone;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      byte(0xE0 | (code >> 12));
    } else {
      byte(0xF0 | (code >> 18));
      byte(0x80 | ((code >> 12) & 0x3F));
    }
    byte(0x80 | ((code >> 6) & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

// "\uXXXX", or two of them that are one character; `at` is behind the 'u'.
std::size_t read_unicode(std::string_view text, std::size_t at, std::string& out) {
  const std::uint32_t first = hex_of(text, at);
  if (first > 0xFFFF || (first >= 0xDC00 && first <= 0xDFFF)) return kBroken;
  if (first < 0xD800 || first > 0xDBFF) {
    append_utf8(out, first);
    return at + 4;
  }
  if (text.substr(at + 4, 2) != "\\u") return kBroken;
  const std::uint32_t second = hex_of(text, at + 6);
  if (second < 0xDC00 || second > 0xDFFF) return kBroken;
  append_utf8(out, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
  return at + 10;
}

// `at` is behind the backslash.
std::size_t read_escape(std::string_view text, std::size_t at, std::string& out) {
  if (at >= text.size()) return kBroken;
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (text[at] == 'u') return read_unicode(text, at + 1, out);
  const std::size_t which = kLetters.find(text[at]);
  if (which == std::string_view::npos) return kBroken;
  out += kMeanings[which];
  return at + 1;
}

}  // namespace

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() &&
         (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r'))
    ++at;
  return at;
}

std::size_t read_string(std::string_view text, std::size_t at, std::string& out) {
  out.clear();
  while (true) {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= ' ' && text[at] != '"' && text[at] != '\\' &&
           text[at] != '\x7f')
      ++at;
    out.append(text.substr(begin, at - begin));
    if (at >= text.size()) return kBroken;
    const char c = text[at];
    if (c == '"') return at + 1;
    if (c == '\\') {
      at = read_escape(text, at + 1, out);
      if (at == kBroken) return kBroken;
    } else if (c >= 0 && c < ' ') {
      return kBroken;
    } else {  // beyond ASCII
      const std::size_t length = promql::utf8_length(text.substr(at));
      if (length == 0) return kBroken;
      out.append(text.substr(at, length));
      at += length;
    }
  }
}

std::size_t read_number(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  bool is_large = false;
  const auto has = [&](char c) { return at < text.size() && text[at] == c; };
  if (has('-')) ++at;
  if (has('0')) {
    ++at;
  } else {
    const std::size_t end = skip_digits(text, at);
    if (end == at) return kBroken;
    at = end;
  }
  if (has('.')) {
    const std::size_t end = skip_digits(text, at + 1);
    if (end == at + 1) return kBroken;
    at = end;
  }
  if (has('e') || has('E')) {
    ++at;
    is_large = !has('-');
    if (has('+') || has('-')) ++at;
    const std::size_t end = skip_digits(text, at);
    if (end == at) return kBroken;
    at = end;
  }
  // Larger than every number that there is.
  constexpr std::size_t kManyDigits = 300;
  if (is_large || at - begin > kManyDigits) {
    double value = 0;
    const auto read = std::from_chars(text.data() + begin, text.data() + at, value);
    if (read.ec == std::errc::result_out_of_range) return kBroken;
  }
  return at;
}

std::size_t read_word(std::string_view text, std::size_t at, std::string_view word) {
  return text.substr(at, word.size()) == word ? at + word.size() : kBroken;
}

}  // namespace rollwatch::json
