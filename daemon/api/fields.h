// Bodies and query parameters taken apart strictly: unknown names, wrong types and bad values are
// refused all at once, each with its pointer, by throwing a Refusal.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/table_reader.h"
#include "config/value.h"
#include "daemon/api/api.h"

namespace rollwatch {

// What a text may be. Quotes, braces and backslashes are always allowed: they are quoted where it
// is used.
struct TextRule {
  std::size_t longest = 253;  // bytes
  bool several_lines = false;
};
inline constexpr TextRule kName{};
inline constexpr TextRule kSentence{2000, true};
inline constexpr TextRule kLabelValue{1024, true};
inline constexpr std::size_t kMostLabels = 64;  // or arguments

// What is wrong with the text, or nullopt.
std::optional<std::string> text_problem(std::string_view text, TextRule rule);

// The JSON object of a body. An empty body is an empty object if `may_be_empty`.
Value body_object(const ServerRequest& request, bool may_be_empty);

// One object of a body. Each getter is nullopt or empty if the field is not given, and also if it
// is wrong, which finish() then throws.
class BodyReader {
 public:
  explicit BodyReader(const Value& object) : reader_(object, "", errors_) {}

  std::optional<std::string> text(std::string_view key, TextRule rule = kName);
  std::string required_text(std::string_view key, TextRule rule = kName);
  std::optional<SysTime> time(std::string_view key);  // RFC 3339
  std::vector<std::string> texts(std::string_view key, std::size_t most, bool or_one = false);
  std::map<std::string, std::string> pairs(std::string_view key, std::size_t most, TextRule rule);
  TableReader& table() { return reader_; }
  // For what is read through table(): null is not given, as it is for the others.
  bool is_given(std::string_view key) {
    const Value* value = reader_.find(key);
    return value != nullptr && !value->is_null();
  }

  // The request has this too, wrong by itself or beside something else.
  void wrong(std::string_view key, std::string detail);
  void wrong_at(const std::string& pointer, std::string detail);
  void add(FieldErrors errors);

  // Refuses unknown fields; throws a 422 Refusal with everything that is wrong, if anything is.
  void finish();
  // The same for errors found after finish().
  void refuse_errors();

 private:
  std::optional<std::string> text_of(const Value& value, TextRule rule);

  FieldErrors errors_;
  TableReader reader_;
};

// The one value of a query parameter; 422 if it is given twice.
std::optional<std::string> query_text(const Call& call, std::string_view name);
std::optional<Millis> query_duration(const Call& call, std::string_view name);
// A whole number within these bounds.
std::optional<std::uint32_t> query_number(const Call& call, std::string_view name,
                                          std::uint32_t least, std::uint32_t most);
// Where the page before ended; 422 if that cursor is not one that this list gave (cursors.h).
std::optional<std::string> query_cursor(const Call& call, std::string_view list,
                                        std::string_view name = "cursor");
[[noreturn]] void refuse_cursor(std::string_view name = "cursor");
// From 1 to 500, by default 50.
std::size_t query_limit(const Call& call);
// 422 for a parameter that is neither one of these nor begins with `prefix`.
void check_query(const Call& call, const std::vector<std::string>& known,
                 std::string_view prefix = "");
[[noreturn]] void refuse_query(std::string_view name, std::string detail);

}  // namespace rollwatch
