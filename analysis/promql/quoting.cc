#include "analysis/promql/quoting.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace rollwatch::promql {
namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 99;
}

// The escapes of one letter and what they stand for.
struct Simple {
  char letter;
  char byte;
};
constexpr std::array<Simple, 8> kSimple = {{{'a', '\a'},
                                            {'b', '\b'},
                                            {'f', '\f'},
                                            {'n', '\n'},
                                            {'r', '\r'},
                                            {'t', '\t'},
                                            {'v', '\v'},
                                            {'\\', '\\'}}};

std::optional<char> simple_escape(char letter, QuoteKind quote) {
  for (const Simple& entry : kSimple) {
    if (entry.letter == letter) return entry.byte;
  }
  // Only the string's own quote may be escaped: Prometheus refuses "\'".
  if (quote_kind(letter) == quote && letter != '`') return letter;
  return std::nullopt;
}

// An escape by number: \ooo, \xhh, \uhhhh, \Uhhhhhhhh.
struct Numeric {
  std::size_t prefix;  // the backslash and the letter
  std::size_t digits;
  int base;
  std::uint32_t greatest;
};

std::optional<Numeric> numeric_escape(char letter) {
  if (letter >= '0' && letter <= '7') return Numeric{1, 3, 8, 255};
  if (letter == 'x') return Numeric{2, 2, 16, 255};
  if (letter == 'u') return Numeric{2, 4, 16, 0x10FFFF};
  if (letter == 'U') return Numeric{2, 8, 16, 0x10FFFF};
  return std::nullopt;
}

std::optional<std::uint32_t> numeric_value(std::string_view text, const Numeric& form) {
  if (text.size() < form.prefix + form.digits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text.substr(form.prefix, form.digits)) {
    const int digit = digit_value(c);
    if (digit >= form.base) return std::nullopt;
    value = value * static_cast<std::uint64_t>(form.base) + static_cast<std::uint64_t>(digit);
  }
  const bool surrogate = form.digits >= 4 && value >= 0xD800 && value < 0xE000;
  if (value > form.greatest || surrogate) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

// VictoriaMetrics looks for a string's end without knowing that raw strings have no escapes: to it
// `a\` goes on behind the backtick. Prometheus ends it there.
bool ends_in_open_backslash(std::string_view raw) {
  const std::size_t last = raw.find_last_not_of('\\');
  const std::size_t run = last == std::string_view::npos ? raw.size() : raw.size() - last - 1;
  return run % 2 == 1;
}

void append_escaped_byte(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const Simple& entry : kSimple) {
    if (entry.byte == c) {
      out += '\\';
      out += entry.letter;
      return;
    }
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

}  // namespace

QuoteKind quote_kind(char quote) {
  switch (quote) {
    case '"':
      return QuoteKind::kDouble;
    case '\'':
      return QuoteKind::kSingle;
    case '`':
      return QuoteKind::kRaw;
    default:
      return QuoteKind::kNone;
  }
}

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [text](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
    if (first == 0xF4 && byte(1) > 0x8F) return 0;  // beyond U+10FFFF
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::size_t escape_length(std::string_view text, QuoteKind quote) {
  if (text.size() < 2) return 0;
  if (simple_escape(text[1], quote)) return 2;
  const auto form = numeric_escape(text[1]);
  if (!form || !numeric_value(text, *form)) return 0;
  return form->prefix + form->digits;
}

std::optional<std::string> decode(std::string_view body, QuoteKind quote) {
  if (quote == QuoteKind::kNone) return std::nullopt;
  if (quote == QuoteKind::kRaw) {
    if (body.find('`') != std::string_view::npos || ends_in_open_backslash(body)) {
      return std::nullopt;
    }
    return std::string(body);
  }
  std::string out;
  while (!body.empty()) {
    const char c = body.front();
    if (c == '\n' || quote_kind(c) == quote) return std::nullopt;
    if (c != '\\') {
      out += c;
      body.remove_prefix(1);
      continue;
    }
    const std::size_t length = escape_length(body, quote);
    if (length == 0) return std::nullopt;
    if (length == 2) {
      out += *simple_escape(body[1], quote);
    } else {
      const auto form = numeric_escape(body[1]);
      const std::uint32_t value = *numeric_value(body, *form);
      // \x and octal escapes are bytes, \u and \U are characters.
      if (form->greatest == 255) {
        out += static_cast<char>(value);
      } else {
        append_utf8(out, value);
      }
    }
    body.remove_prefix(length);
  }
  return out;
}

std::optional<std::string> unquote(std::string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back()) return std::nullopt;
  return decode(literal.substr(1, literal.size() - 2), quote_kind(literal.front()));
}

std::optional<std::string> encode(std::string_view value, QuoteKind quote) {
  if (quote == QuoteKind::kNone) return std::nullopt;
  const bool is_plain = std::all_of(value.begin(), value.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '\\' && quote_kind(c) == QuoteKind::kNone;
  });
  if (is_plain) return std::string(value);  // nearly always
  if (quote == QuoteKind::kRaw) {
    const bool impossible = value.find_first_of("`\r") != std::string_view::npos ||
                            value.find(kReplacementCharacter) != std::string_view::npos ||
                            ends_in_open_backslash(value);
    if (impossible) return std::nullopt;
    return std::string(value);
  }
  std::string out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const auto byte = static_cast<unsigned char>(c);
    if (value.substr(i).starts_with(kReplacementCharacter)) {
      // Prometheus' lexer takes the character itself for broken UTF-8.
      out += "\\ufffd";
      i += kReplacementCharacter.size() - 1;
    } else if (quote_kind(c) == quote) {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F || c == '\\') {
      append_escaped_byte(out, c);
    } else {
      out += c;
    }
  }
  return out;
}

std::string escape_regex(std::string_view value) {
  constexpr std::string_view kMeta = "\\.+*?()|[]{}^$";
  std::string out;
  for (const char c : value) {
    if (kMeta.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string escape_replacement(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '$') out += '$';
    out += c;
  }
  return out;
}

}  // namespace rollwatch::promql
