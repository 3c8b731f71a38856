// A small tree of configuration: what a TOML file and a JSON request have in common. Every node
// knows where it was written and which layer it belongs to, so that an error found much later,
// after files and layers were merged, still points at the line or field somebody has to change.
//
//   auto request = value_from_json(body, "request");
//   const Value* interval = request->find("interval");
//   interval->origin().pointer            "/interval"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "analysis/expected.h"

namespace rollwatch {

// Where a value was written. A file's value has line and column (from 1), a request's has a
// pointer.
struct Origin {
  std::string layer;  // "default", "[defaults]", "policy http", "service ns/name", "request"; or ""
  std::string file;   // as it was named to us
  int line = 0;
  int column = 0;
  std::string pointer;  // RFC 6901, "" is the whole document

  // "policy http conf.d/http.toml:40", "request", "default": what analysis_sources shows.
  std::string source() const;
  // "/etc/rollwatch/rollwatch.toml:40:3", "/analysis/interval": what an error starts with.
  std::string place() const;
  // Somebody wrote it there: it is no default.
  bool is_written() const { return !file.empty() || !pointer.empty(); }
};

class Value {
 public:
  enum class Kind { kNull, kBool, kInteger, kDouble, kString, kDate, kArray, kTable };
  struct Member;
  using Array = std::vector<Value>;
  using Table = std::vector<Member>;  // each key once, in the order of writing

  // TOML's dates and times: kept apart only so that an error can name them.
  struct Date {
    friend bool operator==(const Date&, const Date&) = default;
  };

  // Out of line, all of them: only there is Member complete.
  Value();
  explicit Value(bool content);
  explicit Value(std::int64_t content);
  explicit Value(double content);
  explicit Value(std::string content);
  explicit Value(const char* content);
  explicit Value(Date content);
  explicit Value(Array content);
  explicit Value(Table content);
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  Kind kind() const { return static_cast<Kind>(content_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }

  // Null unless the value is of that kind.
  const bool* as_bool() const { return std::get_if<bool>(&content_); }
  const std::int64_t* as_integer() const { return std::get_if<std::int64_t>(&content_); }
  const std::string* as_string() const { return std::get_if<std::string>(&content_); }
  std::string* as_string() { return std::get_if<std::string>(&content_); }
  const Array* as_array() const { return std::get_if<Array>(&content_); }
  Array* as_array() { return std::get_if<Array>(&content_); }
  const Table* as_table() const { return std::get_if<Table>(&content_); }
  Table* as_table() { return std::get_if<Table>(&content_); }
  std::optional<double> as_number() const;  // an integer too

  // A table's member; null if there is none or this is no table.
  const Value* find(std::string_view key) const;
  const Member* find_member(std::string_view key) const;
  Value* find(std::string_view key);

  // Makes the value a table if it is null. Replaces a member of that name in its place.
  void set(std::string_view key, Value value);
  void set(Member member);
  void remove(std::string_view key);

  const Origin& origin() const { return origin_; }
  void set_origin(Origin origin) { origin_ = std::move(origin); }
  Value with_origin(Origin origin) &&;
  // Names the layer of this value, its keys and everything inside.
  void set_layer(std::string_view layer);

  // The text came, in part, from the environment: it may be a secret and is never quoted.
  bool from_environment() const { return from_environment_; }
  void set_from_environment() { from_environment_ = true; }

  // Equal content; where it was written does not matter, nor does the order of a table's keys.
  friend bool operator==(const Value& a, const Value& b);

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Date, Array, Table>
      content_;
  Origin origin_;
  bool from_environment_ = false;
};

struct Value::Member {
  std::string key;
  Value value;
  Origin key_origin;
};

// Whether it is given and true.
bool is_true(const Value* value);

// "a string", "a table", "an integer": for "must be …, not …".
std::string_view describe(Value::Kind kind);

// A short quote of the value for an error: `"30x"`, `7`, `a list`. Never text from the environment.
std::string quoted(const Value& value);

struct JsonError {
  std::string message;  // quotes nothing of the text
  std::string pointer;  // how far it was understood
};

// One JSON document whose nodes' pointers begin with base. Refuses a name given twice in an object,
// more than 64 levels, and integers that do not fit into 64 bits.
Expected<Value, JsonError> value_from_json(std::string_view text, std::string_view layer = "",
                                           std::string_view base = "");

// Canonical: keys sorted, no spaces, doubles as short as they read back, so that equal values have
// equal text. Not a number and infinities become null.
std::string to_json(const Value& value);

// `a/b~c` → `a~1b~0c`: a key as a part of a JSON pointer.
std::string pointer_token(std::string_view key);

}  // namespace rollwatch
