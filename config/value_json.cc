// JSON in and out of the tree. Read through the parser's events, not its own tree, because only
// those show a name that is given twice.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "config/value.h"

namespace rollwatch {

namespace {

constexpr std::size_t kDepthLimit = 64;

class TreeBuilder {
 public:
  TreeBuilder(std::string_view layer, std::string_view base) : layer_(layer), base_(base) {}

  bool null() { return add(Value()); }
  bool boolean(bool content) { return add(Value(content)); }
  bool number_integer(std::int64_t content) { return add(Value(content)); }
  bool number_unsigned(std::uint64_t content) {
    if (content > static_cast<std::uint64_t>(INT64_MAX)) return refuse("a number is too large");
    return add(Value(static_cast<std::int64_t>(content)));
  }
  bool number_float(double content, const std::string& digits) {
    // An integer that does not fit is handed over as a double; its digits would be lost silently.
    if (digits.find_first_of(".eE") == std::string::npos) return refuse("a number is too large");
    return add(Value(content));
  }
  bool string(std::string& content) { return add(Value(std::move(content))); }
  bool binary(nlohmann::json::binary_t&) { return false; }

  bool start_object(std::size_t) { return open(Value(Value::Table{})); }
  bool start_array(std::size_t) { return open(Value(Value::Array{})); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    Level& level = levels_.back();
    level.key = name;
    return level.names.insert(name).second || refuse("this name is given twice");
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& error) {
    if (error.id == 406) return refuse("a number is too large");
    return refuse("not JSON: the mistake is at byte " + std::to_string(position));
  }

  Expected<Value, JsonError> finish(bool complete) {
    if (complete) return std::move(root_);
    return Unexpected(error_);
  }

 private:
  struct Level {
    Value value;
    std::string pointer;
    std::string key;              // of the member being read, in an object
    std::set<std::string> names;  // of all read so far
  };

  std::string next_pointer() const {
    if (levels_.empty()) return base_;
    const Level& level = levels_.back();
    const auto* array = level.value.as_array();
    return level.pointer + '/' +
           (array != nullptr ? std::to_string(array->size()) : pointer_token(level.key));
  }

  Origin origin_here() const {
    Origin origin;
    origin.layer = layer_;
    origin.pointer = next_pointer();
    return origin;
  }

  bool refuse(std::string message) {
    error_ = JsonError{std::move(message), next_pointer()};
    return false;
  }

  bool add(Value value) {
    value.set_origin(origin_here());
    place(std::move(value));
    return true;
  }

  void place(Value value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& level = levels_.back();
    if (Value::Array* array = level.value.as_array()) {
      array->push_back(std::move(value));
    } else {
      Origin origin = value.origin();
      level.value.as_table()->push_back({level.key, std::move(value), std::move(origin)});
    }
  }

  bool open(Value value) {
    if (levels_.size() == kDepthLimit) return refuse("nested too deeply");
    Origin origin = origin_here();
    std::string pointer = origin.pointer;
    value.set_origin(std::move(origin));
    levels_.push_back(Level{std::move(value), std::move(pointer), "", {}});
    return true;
  }

  bool close() {
    Value value = std::move(levels_.back().value);
    levels_.pop_back();
    place(std::move(value));
    return true;
  }

  std::string layer_;
  std::string base_;
  std::vector<Level> levels_;
  Value root_;
  JsonError error_;
};

void write_string(const std::string& text, std::string& out) {
  out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_double(double number, std::string& out) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  const std::string_view text(digits, static_cast<std::size_t>(end - digits));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";  // stays a double when read
}

void write(const Value& value, std::string& out);

void write_table(const Value::Table& table, std::string& out) {
  std::vector<const Value::Member*> members;
  members.reserve(table.size());
  for (const Value::Member& member : table) members.push_back(&member);
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key < b->key; });
  out += '{';
  for (const Value::Member* member : members) {
    if (member != members.front()) out += ',';
    write_string(member->key, out);
    out += ':';
    write(member->value, out);
  }
  out += '}';
}

void write_array(const Value::Array& array, std::string& out) {
  out += '[';
  for (const Value& item : array) {
    if (&item != &array.front()) out += ',';
    write(item, out);
  }
  out += ']';
}

void write(const Value& value, std::string& out) {
  switch (value.kind()) {
    case Value::Kind::kNull:
    case Value::Kind::kDate:
      out += "null";
      break;
    case Value::Kind::kBool:
      out += *value.as_bool() ? "true" : "false";
      break;
    case Value::Kind::kInteger:
      out += std::to_string(*value.as_integer());
      break;
    case Value::Kind::kDouble:
      write_double(*value.as_number(), out);
      break;
    case Value::Kind::kString:
      write_string(*value.as_string(), out);
      break;
    case Value::Kind::kArray:
      write_array(*value.as_array(), out);
      break;
    case Value::Kind::kTable:
      write_table(*value.as_table(), out);
      break;
  }
}

}  // namespace

Expected<Value, JsonError> value_from_json(std::string_view text, std::string_view layer,
                                           std::string_view base) {
  TreeBuilder builder(layer, base);
  const bool complete = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.finish(complete);
}

std::string to_json(const Value& value) {
  std::string out;
  write(value, out);
  return out;
}

std::string pointer_token(std::string_view key) {
  std::string token;
  for (const char c : key) {
    if (c == '~') {
      token += "~0";
    } else if (c == '/') {
      token += "~1";
    } else {
      token += c;
    }
  }
  return token;
}

}  // namespace rollwatch
