#include "config/table_reader.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "analysis/comparison.h"

namespace rollwatch {

namespace {

bool is_plain_key(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
  });
}

std::string must_be(std::string_view expected, std::string_view found) {
  return "must be " + std::string(expected) + ", not " + std::string(found);
}

}  // namespace

std::string join_key(const std::string& table, std::string_view key) {
  const std::string shown =
      is_plain_key(key) && key.size() < 60 ? std::string(key) : quoted(Value(std::string(key)));
  return table.empty() ? shown : table + '.' + shown;
}

TableReader::TableReader(const Value& table, std::string path, FieldErrors& errors)
    : table_(table), path_(std::move(path)), errors_(errors) {
  if (!is_table()) {
    errors_.push_back({table_.origin(), path_, must_be("a table", describe(table_.kind()))});
  }
}

const Value* TableReader::find(std::string_view key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  return table_.find(key);
}

void TableReader::wrong_type(const Value& value, std::string_view key, std::string_view expected) {
  errors_.push_back(
      {value.origin(), join_key(path_, key), must_be(expected, describe(value.kind()))});
}

void TableReader::wrong(std::string_view key, std::string message) {
  const Value* value = table_.find(key);
  errors_.push_back({value == nullptr ? table_.origin() : value->origin(), join_key(path_, key),
                     std::move(message)});
}

void TableReader::missing(std::string_view key, std::string_view advice) {
  if (!is_table()) return;
  errors_.push_back(
      {table_.origin(), path_, "missing key \"" + std::string(key) + "\"; " + std::string(advice)});
}

void TableReader::not_yet(std::string_view key, std::string_view advice) {
  if (find(key) == nullptr) return;
  wrong(key, "not available yet in this version; " + std::string(advice));
}

std::string_view TableReader::to_blame(std::string_view a, std::string_view b) const {
  const auto nearness = [this](std::string_view key) {
    const Value* value = table_.find(key);
    if (value == nullptr) return 0;
    return value->origin().pointer.empty() ? int{value->origin().is_written()} : 2;
  };
  return nearness(a) > nearness(b) ? a : b;
}

std::optional<std::string> TableReader::string(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::string* text = value->as_string();
  if (text == nullptr) {
    wrong_type(*value, key, "a string in quotes");
    return std::nullopt;
  }
  if (text->empty()) {
    wrong(key, "must not be empty; give a value or leave the key out");
    return std::nullopt;
  }
  return *text;
}

std::optional<bool> TableReader::boolean(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const bool* flag = value->as_bool();
  if (flag == nullptr) {
    wrong_type(*value, key, "true or false");
    return std::nullopt;
  }
  return *flag;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t least,
                                                 std::int64_t most) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const std::int64_t* number = value->as_integer();
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  if (number == nullptr) {
    wrong_type(*value, key, "a whole number from " + range);
    return std::nullopt;
  }
  if (*number < least || *number > most) {
    wrong(key, must_be("a whole number from " + range, quoted(*value)));
    return std::nullopt;
  }
  return *number;
}

std::optional<double> TableReader::number(std::string_view key, double least, double most) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = value->as_number();
  const std::string range = format_exact(least) + " to " + format_exact(most);
  if (!number) {
    wrong_type(*value, key, "a number from " + range);
    return std::nullopt;
  }
  if (!std::isfinite(*number) || *number < least || *number > most) {
    const std::string found = std::isfinite(*number) ? quoted(*value) : "infinite or not a number";
    wrong(key, must_be("a number from " + range, found));
    return std::nullopt;
  }
  return number;
}

std::optional<std::string> duration_problem(const Value& value, Span span, Millis& out) {
  constexpr std::string_view kExpected =
      "a duration in quotes, such as \"30s\", \"5m\" or \"1h30m\"";
  const std::string* text = value.as_string();
  if (text == nullptr) {
    const bool number = value.as_number().has_value();
    return must_be(kExpected, number ? "a number without a unit" : describe(value.kind()));
  }
  const auto read = parse_duration(*text);
  if (!read) return must_be(kExpected, quoted(value));
  if (*read < span.least) {
    return must_be("at least \"" + format_duration(span.least) + '"', quoted(value));
  }
  if (*read > span.most) {
    return must_be("at most \"" + format_duration(span.most) + '"', quoted(value));
  }
  out = *read;
  return std::nullopt;
}

std::optional<Millis> TableReader::duration(std::string_view key, Span span) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  Millis read{0};
  if (auto problem = duration_problem(*value, span, read)) {
    wrong(key, std::move(*problem));
    return std::nullopt;
  }
  return read;
}

const Value* TableReader::table(std::string_view key) {
  const Value* value = find(key);
  if (value == nullptr || value->as_table() != nullptr) return value;
  wrong_type(*value, key, "a table");
  return nullptr;
}

const Value* TableReader::array(std::string_view key, std::string_view how_to_write_it) {
  const Value* value = find(key);
  if (value == nullptr || value->as_array() != nullptr) return value;
  wrong_type(*value, key, "a list: " + std::string(how_to_write_it));
  return nullptr;
}

std::optional<std::size_t> TableReader::choose(std::string_view key,
                                               const std::vector<std::string>& names) {
  const Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  std::string expected;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) expected += i + 1 == names.size() ? " or " : ", ";
    expected += '"' + names[i] + '"';
  }
  const std::string* text = value->as_string();
  if (text == nullptr) {
    wrong_type(*value, key, expected);
    return std::nullopt;
  }
  const auto at = std::find(names.begin(), names.end(), *text);
  if (at != names.end()) return static_cast<std::size_t>(at - names.begin());
  const std::string close = value->from_environment() ? "" : nearest(*text, names);
  wrong(key, must_be(expected, quoted(*value)) +
                 (close.empty() ? "" : ": did you mean \"" + close + "\"?"));
  return std::nullopt;
}

void TableReader::finish() {
  const Value::Table* table = table_.as_table();
  if (table == nullptr) return;
  std::vector<std::string> sorted = known_;
  std::sort(sorted.begin(), sorted.end());
  for (const Value::Member& member : *table) {
    if (std::binary_search(sorted.begin(), sorted.end(), member.key)) continue;
    errors_.push_back(
        {member.key_origin, join_key(path_, member.key),
         "unknown key " + quoted(Value(member.key)) +
             suggestion(member.key, sorted, "the keys here are", "; no key is known here")});
  }
}

}  // namespace rollwatch
