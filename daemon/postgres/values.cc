#include "daemon/postgres/values.h"

#include <libpq-fe.h>

#include <array>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "analysis/promql/quoting.h"

namespace rollwatch {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kHexDigits = "0123456789abcdef";

template <class T>
T number_in(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::out_of_range("the database gave '" + std::string(text) + "' for a number");
  return value;
}

int digit_in(char c) {
  const std::size_t found = kHexDigits.find(c);
  if (found == std::string_view::npos)
    throw std::out_of_range("the database gave bytes that are no hexadecimal digits");
  return static_cast<int>(found);
}

}  // namespace

std::string pg_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = text.front() == '\0' ? 0 : promql::utf8_length(text);
    if (length == 0) {
      clean += kReplacement;
      text.remove_prefix(1);
    } else {
      clean += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return clean;
}

// The shortest text that is read back as the same number.
std::string PgArray::encoded(double value) {
  if (std::isnan(value)) return "NaN";
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), end};
}

std::string PgArray::encoded(PgBytes bytes) {
  std::string hex = "\\x";
  hex.reserve(2 + 2 * bytes.data.size());
  for (const char c : bytes.data) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kHexDigits[byte >> 4U];
    hex += kHexDigits[byte & 0xFU];
  }
  return hex;
}

void PgArray::add_element(std::string_view element, bool quoted) {
  if (!text_.empty()) text_ += ',';
  if (!quoted) {
    text_ += element;
    return;
  }
  text_ += '"';
  for (const char c : element) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
}

void PgArray::add_null() { text_ += text_.empty() ? "NULL" : ",NULL"; }

PgRows::PgRows(std::shared_ptr<pg_result> result)
    : result_(std::move(result)), size_(PQntuples(result_.get())) {}

std::int64_t PgRows::changed() const {
  const std::string_view count = PQcmdTuples(result_.get());
  return count.empty() ? 0 : number_in<std::int64_t>(count);
}

bool PgRows::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) == 1;
}

std::string_view PgRows::view(int row, int column) const {
  if (row >= size_ || column >= PQnfields(result_.get()))
    throw std::out_of_range("the database gave fewer rows or columns than were asked for");
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t PgRows::integer(int row, int column) const {
  return number_in<std::int64_t>(view(row, column));
}

double PgRows::real(int row, int column) const { return number_in<double>(view(row, column)); }

std::string PgRows::bytes(int row, int column) const {
  std::string_view hex = view(row, column);
  if (!hex.starts_with("\\x") || hex.size() % 2 != 0)
    throw std::out_of_range("the database gave bytes in another form than hexadecimal");
  hex.remove_prefix(2);
  std::string data;
  data.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2)
    data += static_cast<char>(digit_in(hex[i]) * 16 + digit_in(hex[i + 1]));
  return data;
}

std::optional<double> PgRows::optional_real(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return real(row, column);
}

std::optional<SysTime> PgRows::optional_time(int row, int column) const {
  if (is_null(row, column)) return std::nullopt;
  return time(row, column);
}

}  // namespace rollwatch
