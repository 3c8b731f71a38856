#include "config/toml_reader.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>

#include "config/table_reader.h"

namespace rollwatch {

namespace {

class TreeReader {
 public:
  explicit TreeReader(const std::string& file) : file_(file) {}

  Value read(const toml::node& node) const {
    Value value = content(node);
    value.set_origin(at(node.source()));
    return value;
  }

 private:
  Origin at(const toml::source_region& region) const {
    Origin origin;
    origin.file = file_;
    origin.line = static_cast<int>(region.begin.line);
    origin.column = static_cast<int>(region.begin.column);
    return origin;
  }

  Value content(const toml::node& node) const {
    switch (node.type()) {
      case toml::node_type::boolean:
        return Value(node.as_boolean()->get());
      case toml::node_type::integer:
        return Value(std::int64_t{node.as_integer()->get()});
      case toml::node_type::floating_point:
        return Value(node.as_floating_point()->get());
      case toml::node_type::string:
        return Value(node.as_string()->get());
      case toml::node_type::array:
        return array(*node.as_array());
      case toml::node_type::table:
        return table(*node.as_table());
      default:
        return Value(Value::Date{});
    }
  }

  Value array(const toml::array& from) const {
    Value::Array items;
    for (const toml::node& item : from) items.push_back(read(item));
    return Value(std::move(items));
  }

  Value table(const toml::table& from) const {
    Value::Table members;
    for (const auto& [key, node] : from) {
      members.push_back({std::string(key.str()), read(node), at(key.source())});
    }
    // The parser sorts by name; people read from top to bottom.
    std::stable_sort(members.begin(), members.end(), [](const auto& a, const auto& b) {
      return std::pair(a.key_origin.line, a.key_origin.column) <
             std::pair(b.key_origin.line, b.key_origin.column);
    });
    return Value(std::move(members));
  }

  const std::string& file_;
};

// The parser quotes what it saw: harmless for one character, not for a whole value.
std::string without_long_quotes(std::string_view description) {
  constexpr std::size_t kOneCharacter = 10;  // as an escape: \U0001F600
  std::string out;
  std::size_t at = 0;
  while (at < description.size()) {
    const std::size_t open = description.find('\'', at);
    const std::size_t close = open == std::string_view::npos ? open : description.rfind('\'');
    if (close == std::string_view::npos || close <= open) break;
    const std::size_t next = description.find('\'', open + 1);
    if (next - open - 1 <= kOneCharacter && next != close) {
      out += description.substr(at, next + 1 - at);
      at = next + 1;
      continue;
    }
    out += description.substr(at, open - at);
    out += close - open - 1 <= kOneCharacter ? description.substr(open, close + 1 - open) : "…";
    at = close + 1;
  }
  return out + std::string(description.substr(at));
}

// "not TOML: …; what to do"
std::string explain(std::string_view description) {
  const auto says = [description](std::string_view text) {
    return description.find(text) != std::string_view::npos;
  };
  constexpr std::string_view kOpening = "Error while ";
  if (description.substr(0, kOpening.size()) == kOpening)
    description.remove_prefix(kOpening.size());
  // What it quotes here is a key and may be shown.
  if (says("redefine")) return std::string(description) + "; give every table and every key once";
  const std::string safe = without_long_quotes(description);
  return says("value type") ? safe + "; a text is written in quotes: key = \"text\"" : safe;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
         });
}

class Expander {
 public:
  Expander(const Environment& environment, FieldErrors& errors)
      : environment_(environment), errors_(errors) {}

  void walk(Value& value, const std::string& path) {
    if (std::string* text = value.as_string()) {
      bool replaced = false;
      *text = expanded(*text, value.origin(), path, replaced);
      if (replaced) value.set_from_environment();
    } else if (Value::Array* array = value.as_array()) {
      for (Value& item : *array) walk(item, path);
    } else if (Value::Table* table = value.as_table()) {
      for (Value::Member& member : *table) walk(member.value, join_key(path, member.key));
    }
  }

 private:
  std::string expanded(std::string_view text, const Origin& origin, const std::string& path,
                       bool& replaced) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view rest = text.substr(at);
      if (rest.substr(0, 2) == "$$") {
        out += '$';
        at += 2;
      } else if (rest.substr(0, 2) == "${") {
        const std::size_t close = rest.find('}');
        const std::string name(close == std::string_view::npos ? "" : rest.substr(2, close - 2));
        if (!is_name(name)) {
          errors_.push_back(
              {origin, path,
               "\"${\" must begin a name, such as ${NAME}; write $${ for the text itself"});
          return out;
        }
        const auto value = environment_.variable(name);
        if (!value) {
          errors_.push_back({origin, path,
                             "the environment variable " + name +
                                 " is not set; set it, or write $${" + name +
                                 "} for the text itself"});
        }
        out += value.value_or("");
        replaced = true;
        at += close + 1;
      } else {
        out += rest[0];
        ++at;
      }
    }
    return out;
  }

  const Environment& environment_;
  FieldErrors& errors_;
};

}  // namespace

Value value_from_toml(std::string_view text, const std::string& file, FieldErrors& errors) {
  try {
    const toml::table table = toml::parse(text, file);
    return TreeReader(file).read(table);
  } catch (const toml::parse_error& error) {
    Origin origin;
    origin.file = file;
    origin.line = static_cast<int>(error.source().begin.line);
    origin.column = static_cast<int>(error.source().begin.column);
    errors.push_back({std::move(origin), "", "not TOML, " + explain(error.description())});
    return Value(Value::Table{});
  }
}

void expand_variables(Value& value, const Environment& environment, FieldErrors& errors) {
  Expander(environment, errors).walk(value, "");
}

}  // namespace rollwatch
