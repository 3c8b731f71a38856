#include "daemon/cli/fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "daemon/cli/text.h"

namespace rollwatch {
namespace {

std::string short_number(double number) {
  constexpr double kExact = 1e15;
  if (std::trunc(number) == number && std::abs(number) < kExact)
    return fmt::format("{:.0f}", number);
  return fmt::format("{:.6g}", number);
}

std::string as_json(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

const nlohmann::json& child_at(const nlohmann::json& object, std::string_view key) {
  static const nlohmann::json nothing;
  if (!object.is_object()) return nothing;
  const auto found = object.find(key);
  return found == object.end() ? nothing : *found;
}

std::string text_of(const nlohmann::json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return printable(value.get_ref<const std::string&>());
  if (value.is_number_integer()) return as_json(value);
  if (value.is_number_float()) return short_number(value.get<double>());
  return printable(as_json(value));
}

std::string text_at(const nlohmann::json& object, std::string_view key) {
  return text_of(child_at(object, key));
}

std::string cell_at(const nlohmann::json& object, std::string_view key) {
  std::string text = text_at(object, key);
  return text.empty() ? "-" : text;
}

bool flag_at(const nlohmann::json& object, std::string_view key) {
  const nlohmann::json& value = child_at(object, key);
  return value.is_boolean() && value.get<bool>();
}

long number_at(const nlohmann::json& object, std::string_view key) {
  const nlohmann::json& value = child_at(object, key);
  if (value.is_number_integer()) return value.get<long>();
  return 0;
}

std::string lines_at(const nlohmann::json& object, std::string_view key) {
  const nlohmann::json& value = child_at(object, key);
  if (!value.is_string()) return text_of(value);
  const std::string_view text = value.get_ref<const std::string&>();
  std::string lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (begin != 0) lines += '\n';
    lines += printable(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace rollwatch
