// Values on their way to PostgreSQL and back, in its text format, and statements that carry them.
//
//   PgStatement found = pg("SELECT key FROM rollouts WHERE id = $1", id);
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "analysis/time.h"

struct pg_result;

namespace rollwatch {

struct PgBytes {
  std::string_view data;
};

// Text as PostgreSQL takes it: what is no UTF-8, and U+0000, becomes U+FFFD. A row that could not
// be written for the sake of a server's odd error text would lose more.
std::string pg_text(std::string_view text);

// One column of many rows, for unnest($1::bigint[], …).
class PgArray {
 public:
  template <class T>
  void add(const T& value) {
    add_element(encoded(value), kQuoted<T>);
  }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value) {
      add(*value);
    } else {
      add_null();
    }
  }
  void add(const MaybeTime& at) { add(std::optional<SysTime>(at)); }
  bool empty() const { return text_.empty(); }
  std::string text() const { return "{" + text_ + "}"; }

  static std::string encoded(std::int64_t value) { return std::to_string(value); }
  static std::string encoded(std::uint64_t value) { return std::to_string(value); }
  static std::string encoded(int value) { return std::to_string(value); }
  static std::string encoded(std::uint32_t value) { return std::to_string(value); }
  static std::string encoded(bool value) { return value ? "t" : "f"; }
  static std::string encoded(double value);
  static std::string encoded(std::string_view text) { return pg_text(text); }
  static std::string encoded(const std::string& text) { return pg_text(text); }
  static std::string encoded(const char* text) { return pg_text(text); }
  static std::string encoded(PgBytes bytes);
  static std::string encoded(SysTime at) { return std::to_string(at.time_since_epoch().count()); }
  static std::string encoded(Millis span) { return std::to_string(span.count()); }
  static std::string encoded(const PgArray& array) { return array.text(); }

 private:
  template <class T>
  static constexpr bool kQuoted =
      std::is_convertible_v<T, std::string_view> || std::is_same_v<T, PgBytes>;

  void add_element(std::string_view element, bool quoted);
  void add_null();

  std::string text_;
};

// A statement with its values.
struct PgStatement {
  // A constant, which the connection prepares once and knows by its address …
  std::string_view sql;
  std::vector<std::optional<std::string>> values;  // of $1, $2, …; nullopt: NULL
  // … or a text that was put together and will hardly come again.
  std::string once = {};

  template <class T>
  void add(const T& value) {
    values.emplace_back(PgArray::encoded(value));
  }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value) {
      add(*value);
    } else {
      values.emplace_back();
    }
  }
  void add(const MaybeTime& at) { add(std::optional<SysTime>(at)); }
};

template <class... Values>
PgStatement pg(std::string_view sql, const Values&... values) {
  PgStatement statement;
  statement.sql = sql;
  (statement.add(values), ...);
  return statement;
}

// What one statement gave. Throws std::out_of_range for a value that is not what is asked for.
class PgRows {
 public:
  explicit PgRows(std::shared_ptr<pg_result> result);

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Rows an INSERT, UPDATE or DELETE changed.
  std::int64_t changed() const;

  bool is_null(int row, int column) const;
  std::string_view view(int row, int column) const;  // for as long as this lives
  std::string text(int row, int column) const { return std::string(view(row, column)); }
  std::int64_t integer(int row, int column) const;
  bool boolean(int row, int column) const { return view(row, column) == "t"; }
  double real(int row, int column) const;
  std::string bytes(int row, int column) const;
  SysTime time(int row, int column) const { return SysTime(Millis(integer(row, column))); }
  std::optional<double> optional_real(int row, int column) const;
  std::optional<SysTime> optional_time(int row, int column) const;

 private:
  std::shared_ptr<pg_result> result_;
  int size_ = 0;
};

}  // namespace rollwatch
