#include "config/value.h"

#include <algorithm>

namespace rollwatch {

namespace {

// The main file by its own name, a further one with its folder: short, and still unique.
std::string short_name(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  if (slash == std::string::npos) return file;
  const std::string_view folder(file.data(), slash);
  const std::size_t before = folder.rfind('/');
  const std::string_view last =
      before == std::string_view::npos ? folder : folder.substr(before + 1);
  const std::string name = file.substr(slash + 1);
  return last == "conf.d" ? "conf.d/" + name : name;
}

constexpr std::size_t kQuoteLimit = 60;

std::string quote_text(const std::string& text) {
  std::string shown = "\"";
  for (const char c : text) {
    if (shown.size() > kQuoteLimit) return shown + "…\"";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      shown += '\\';
      shown += c;
    } else if (c == '\n') {
      shown += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      shown += '?';
    } else {
      shown += c;
    }
  }
  return shown + '"';
}

}  // namespace

std::string Origin::source() const {
  if (file.empty() || line == 0) return layer;
  return layer + ' ' + short_name(file) + ':' + std::to_string(line);
}

std::string Origin::place() const {
  if (file.empty()) return pointer;
  if (line == 0) return file;
  return file + ':' + std::to_string(line) + ':' + std::to_string(column);
}

Value::Value() = default;
Value::Value(bool content) : content_(content) {}
Value::Value(std::int64_t content) : content_(content) {}
Value::Value(double content) : content_(content) {}
Value::Value(std::string content) : content_(std::move(content)) {}
Value::Value(const char* content) : content_(std::string(content)) {}
Value::Value(Date content) : content_(content) {}
Value::Value(Array content) : content_(std::move(content)) {}
Value::Value(Table content) : content_(std::move(content)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

std::optional<double> Value::as_number() const {
  if (const auto* integer = as_integer()) return static_cast<double>(*integer);
  if (const auto* number = std::get_if<double>(&content_)) return *number;
  return std::nullopt;
}

const Value::Member* Value::find_member(std::string_view key) const {
  const Table* table = as_table();
  if (table == nullptr) return nullptr;
  const auto at = std::find_if(table->begin(), table->end(),
                               [key](const Member& member) { return member.key == key; });
  return at == table->end() ? nullptr : &*at;
}

const Value* Value::find(std::string_view key) const {
  const Member* member = find_member(key);
  return member == nullptr ? nullptr : &member->value;
}

Value* Value::find(std::string_view key) {
  auto* table = std::get_if<Table>(&content_);
  if (table == nullptr) return nullptr;
  const auto member =
      std::find_if(table->begin(), table->end(), [key](const Member& m) { return m.key == key; });
  return member == table->end() ? nullptr : &member->value;
}

void Value::set(Member member) {
  if (is_null()) content_.emplace<Table>();
  Table* table = as_table();
  if (table == nullptr) return;
  const auto at = std::find_if(table->begin(), table->end(),
                               [&member](const Member& old) { return old.key == member.key; });
  if (at == table->end()) {
    table->push_back(std::move(member));
  } else {
    *at = std::move(member);
  }
}

void Value::set(std::string_view key, Value value) {
  Origin origin = value.origin();
  set(Member{std::string(key), std::move(value), std::move(origin)});
}

void Value::remove(std::string_view key) {
  Table* table = as_table();
  if (table == nullptr) return;
  const auto named = [key](const Member& member) { return member.key == key; };
  table->erase(std::remove_if(table->begin(), table->end(), named), table->end());
}

Value Value::with_origin(Origin origin) && {
  origin_ = std::move(origin);
  return std::move(*this);
}

void Value::set_layer(std::string_view layer) {
  origin_.layer = layer;
  if (Array* array = as_array()) {
    for (Value& item : *array) item.set_layer(layer);
  }
  if (Table* table = as_table()) {
    for (Member& member : *table) {
      member.key_origin.layer = layer;
      member.value.set_layer(layer);
    }
  }
}

bool operator==(const Value& a, const Value& b) {
  const Value::Table* left = a.as_table();
  const Value::Table* right = b.as_table();
  if (left == nullptr || right == nullptr) {
    if (a.kind() != b.kind()) return false;
    if (const Value::Array* array = a.as_array()) return *array == *b.as_array();
    if (const std::string* text = a.as_string()) return *text == *b.as_string();
    if (const bool* flag = a.as_bool()) return *flag == *b.as_bool();
    if (const std::int64_t* integer = a.as_integer()) return *integer == *b.as_integer();
    return a.as_number() == b.as_number();
  }
  return left->size() == right->size() &&
         std::all_of(left->begin(), left->end(), [&b](const Value::Member& member) {
           const Value* other = b.find(member.key);
           return other != nullptr && member.value == *other;
         });
}

bool is_true(const Value* value) {
  return value != nullptr && value->as_bool() != nullptr && *value->as_bool();
}

std::string_view describe(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return "true or false";
    case Value::Kind::kInteger:
      return "a whole number";
    case Value::Kind::kDouble:
      return "a number with a fraction";
    case Value::Kind::kString:
      return "a string";
    case Value::Kind::kDate:
      return "a date or time";
    case Value::Kind::kArray:
      return "a list";
    case Value::Kind::kTable:
      return "a table";
  }
  return "";
}

std::string quoted(const Value& value) {
  if (value.from_environment()) return "the text from the environment";
  if (const std::string* text = value.as_string()) return quote_text(*text);
  if (value.as_number() || value.as_bool() != nullptr) return to_json(value);
  return std::string(describe(value.kind()));
}

}  // namespace rollwatch
