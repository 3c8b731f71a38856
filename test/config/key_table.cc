#include "test/config/key_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace rollwatch {

namespace {

// Nothing is near a key as long as this, so the answer lists all there are.
const std::string kUnlikely(70, 'z');

std::string place(int line, std::size_t column) {
  return "rollwatch.toml:" + std::to_string(line) + ':' + std::to_string(column) + ": ";
}

void expect_refused(const FileTable& table, const std::string& key, const char* value,
                    const char* message) {
  SCOPED_TRACE(key + " = " + value);
  std::size_t mark = 0;
  const std::string text = without_mark(value, mark);
  int line = 0;
  const std::string errors = with_key(table, key, text, line).errors();
  const std::size_t column = key.size() + 4 + mark;
  EXPECT_TRUE(says(errors, {place(line, column), table.path, key, ": ", message}))
      << "expected at " << place(line, column) << table.path << '.' << key << ": …" << message
      << "\nsaid was\n"
      << errors;
}

}  // namespace

ConfigInMemory with_key(const FileTable& table, const std::string& key, const std::string& value,
                        int& line) {
  std::string text = table.before + table.header + '\n';
  for (const auto& [other, other_value] : table.others) {
    if (other != key) text += other + " = " + other_value + '\n';
  }
  line = static_cast<int>(std::count(text.begin(), text.end(), '\n')) + 1;
  return ConfigInMemory(text + key + " = " + value + '\n');
}

std::set<std::string> known_keys(const FileTable& table) {
  int line = 0;
  const std::string errors = with_key(table, kUnlikely, "1", line).errors();
  const std::string before = place(line, 1);
  const std::string list = "; the keys here are ";
  std::istringstream lines(errors);
  for (std::string each; std::getline(lines, each);) {
    const std::size_t at = each.find(list);
    if (each.find(before) == std::string::npos || at == std::string::npos) continue;
    std::set<std::string> known;
    std::istringstream names(each.substr(at + list.size()));
    for (std::string name; std::getline(names >> std::ws, name, ',');) known.insert(name);
    return known;
  }
  ADD_FAILURE() << "no list of keys in\n" << errors;
  return {};
}

std::set<std::string> keys_of(const std::vector<KeyRow>& rows) {
  std::set<std::string> keys;
  for (const KeyRow& row : rows) EXPECT_TRUE(keys.insert(row.key).second) << row.key << " twice";
  return keys;
}

std::string without_mark(const std::string& value, std::size_t& mark) {
  mark = value.find('@');
  if (mark == std::string::npos) {
    mark = 0;
    return value;
  }
  return value.substr(0, mark) + value.substr(mark + 1);
}

std::string misspelt(const std::string& key) { return key + key.back(); }

bool says(const std::string& lines, const std::vector<std::string>& parts) {
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    std::size_t at = 0;
    const bool all = std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
      at = line.find(part, at);
      if (at == std::string::npos) return false;
      at += part.size();
      return true;
    });
    if (all) return true;
  }
  return false;
}

void expect_complete(const KeyRow& row) {
  const std::string of_type = row.says_of_type;
  const bool none = of_type.find("must be true or false") == 0 ||
                    of_type.find("not available yet in this version") == 0;
  EXPECT_EQ(row.wrong_value == nullptr, none) << row.key << " has no row for a wrong value";
}

void expect_every_key_refused(const FileTable& table, const std::vector<KeyRow>& rows) {
  SCOPED_TRACE(table.header);
  EXPECT_EQ(known_keys(table), keys_of(rows)) << "each key needs a row, each row a key";
  for (const KeyRow& row : rows) {
    expect_complete(row);
    expect_refused(table, row.key, row.wrong_type, row.says_of_type);
    if (row.wrong_value != nullptr) {
      expect_refused(table, row.key, row.wrong_value, row.says_of_value);
    }
    const std::string wrong = misspelt(row.key);
    int line = 0;
    const std::string errors = with_key(table, wrong, "1", line).errors();
    EXPECT_TRUE(says(errors, {place(line, 1) + table.path, wrong + ": unknown key \"" + wrong,
                              "\": did you mean \"" + std::string(row.key) + "\"?"}))
        << errors;
  }
}

}  // namespace rollwatch
