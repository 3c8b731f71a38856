// Every key of a table of the configuration, with a value of the wrong type and a wrong value, and
// what is said about each. The list of keys is held against the readers' own, both ways: a key
// without a row fails, and so does a row without a key.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "test/config/config_support.h"

namespace rollwatch {

// Values are written as TOML; an '@' in one marks the place that is pointed at, if that is not its
// beginning. wrong_value is null where there is none: true or false, and keys of later versions.
struct KeyRow {
  const char* key;
  const char* wrong_type;
  const char* says_of_type;
  const char* wrong_value;
  const char* says_of_value;
};

using Line = std::pair<std::string, std::string>;  // key, value

// A table in a file; lines before it belong to another one.
struct FileTable {
  std::string path;               // "datasource.d.tls": what errors begin with
  std::string header;             // "[datasource.d.tls]"
  std::string before = {};        // whole lines
  std::vector<Line> others = {};  // what it must have besides the key in question
};

// The file with this key in the table; line is where the key stands.
ConfigInMemory with_key(const FileTable& table, const std::string& key, const std::string& value,
                        int& line);

// The readers' own list.
std::set<std::string> known_keys(const FileTable& table);

std::set<std::string> keys_of(const std::vector<KeyRow>& rows);

// "[@1]" → the text without the mark, and where it was.
std::string without_mark(const std::string& value, std::size_t& mark);

// "intervall": one letter too many, as people write it.
std::string misspelt(const std::string& key);

// Whether one of the lines contains the parts, one after the other.
bool says(const std::string& lines, const std::vector<std::string>& parts);

// All of it, for one table of a file.
void expect_every_key_refused(const FileTable& table, const std::vector<KeyRow>& rows);

// A row is complete: a wrong value is left out only where there is none.
void expect_complete(const KeyRow& row);

}  // namespace rollwatch
