// Where a store is, as store.url and the command line say it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace rollwatch {

// The path behind "sqlite:"; nothing if the URL names no SQLite file.
std::optional<std::string> sqlite_path(const std::string& url);

bool is_postgres_url(std::string_view url);
// What people may see of it: a password can stand before the host, and among the parameters.
std::string shown_postgres_url(const std::string& url);

}  // namespace rollwatch
