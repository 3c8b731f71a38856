#include "daemon/storage/cursor.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

namespace rollwatch {
namespace {

// A letter for the kind of list, so that a cursor is not taken where another one belongs.
constexpr std::string_view kList = "r-";
constexpr std::string_view kDeliveries = "d-";

std::string_view after_prefix(std::string_view cursor, std::string_view prefix) {
  if (!cursor.starts_with(prefix) || cursor.size() == prefix.size()) {
    throw std::invalid_argument("cursor");
  }
  return cursor.substr(prefix.size());
}

bool is_of_an_id(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

std::string list_cursor(const std::string& last_rollout) {
  return std::string(kList) + last_rollout;
}

std::string rollout_in_list_cursor(const std::string& cursor) {
  const std::string_view id = after_prefix(cursor, kList);
  if (!std::all_of(id.begin(), id.end(), is_of_an_id)) throw std::invalid_argument("cursor");
  return std::string(id);
}

std::string like_pattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

std::string delivery_cursor(std::int64_t last_key) {
  return std::string(kDeliveries) + std::to_string(last_key);
}

std::int64_t key_in_delivery_cursor(const std::string& cursor) {
  const std::string_view digits = after_prefix(cursor, kDeliveries);
  std::int64_t key = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), key);
  if (error != std::errc() || end != digits.data() + digits.size() || key < 0) {
    throw std::invalid_argument("cursor");
  }
  return key;
}

}  // namespace rollwatch
