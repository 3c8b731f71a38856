// Reading the server's JSON for people: a field that is absent, null or of another type is shown as
// what it is or as nothing, and never stops the client. Texts come back printable on a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace rollwatch {

// A null if it is not there. Lives as long as object.
const nlohmann::json& child_at(const nlohmann::json& object, std::string_view key);

// A string as it is, a number in its short form, anything else as JSON; empty for null and absent.
std::string text_of(const nlohmann::json& value);
std::string text_at(const nlohmann::json& object, std::string_view key);

// The same with "-" for nothing, for a table's cell.
std::string cell_at(const nlohmann::json& object, std::string_view key);

// True only for a true.
bool flag_at(const nlohmann::json& object, std::string_view key);

// 0 if it is no number.
long number_at(const nlohmann::json& object, std::string_view key);

// Text of several lines, such as a query: printable, with its line feeds kept.
std::string lines_at(const nlohmann::json& object, std::string_view key);

}  // namespace rollwatch
