// Takes one table of the configuration apart, key by key, and collects everything that is wrong
// with it. Asking for a key makes it known; finish() refuses the others.
//
//   TableReader reader(*table, "server", errors);
//   const auto listen = reader.string("listen");
//   reader.not_yet("tls", "…");
//   reader.finish();
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/time.h"
#include "config/field_error.h"
#include "config/value.h"

namespace rollwatch {

// Durations that make sense for a key, both ends included.
struct Span {
  Millis least{0};
  Millis most{0};
};

template <class T>
using Choices = std::vector<std::pair<std::string_view, T>>;

// "policy.http" and "interval" → "policy.http.interval"; a key that is no plain word is quoted.
std::string join_key(const std::string& table, std::string_view key);

class TableReader {
 public:
  // table and errors must outlive the reader. If table is none, that is the one error.
  TableReader(const Value& table, std::string path, FieldErrors& errors);

  bool is_table() const { return table_.as_table() != nullptr; }
  const Value& table() const { return table_; }
  const std::string& path() const { return path_; }
  FieldErrors& errors() { return errors_; }

  // Each: nullopt (or null) if the key is not given, and also if it is wrong, which is then
  // recorded.
  const Value* find(std::string_view key);
  std::optional<std::string> string(std::string_view key);  // not empty
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t least, std::int64_t most);
  std::optional<double> number(std::string_view key, double least, double most);
  std::optional<Millis> duration(std::string_view key, Span span);
  const Value* table(std::string_view key);
  const Value* array(std::string_view key, std::string_view how_to_write_it);
  template <class T>
  std::optional<T> choice(std::string_view key, const Choices<T>& choices);

  // Records that the key, which must be there, is missing.
  void missing(std::string_view key, std::string_view advice);
  // A key of the contract that this version does not have yet: refused, never ignored.
  void not_yet(std::string_view key, std::string_view advice = "leave it out");
  // Something wrong with the value of a key, or with the table if the key is not given.
  void wrong(std::string_view key, std::string message);
  // Which of two keys that do not fit together is to be changed: the request's, or else the one
  // that somebody wrote; the second if that does not tell.
  std::string_view to_blame(std::string_view a, std::string_view b) const;
  void finish();

 private:
  void wrong_type(const Value& value, std::string_view key, std::string_view expected);
  std::optional<std::size_t> choose(std::string_view key, const std::vector<std::string>& names);

  const Value& table_;
  std::string path_;
  FieldErrors& errors_;
  std::vector<std::string> known_;
};

// A duration that was read elsewhere, held against the same rules. Null if it is good.
std::optional<std::string> duration_problem(const Value& value, Span span, Millis& out);

template <class T>
std::optional<T> TableReader::choice(std::string_view key, const Choices<T>& choices) {
  std::vector<std::string> names;
  for (const auto& [name, value] : choices) names.emplace_back(name);
  const auto index = choose(key, names);
  if (!index) return std::nullopt;
  return choices[*index].second;
}

}  // namespace rollwatch
