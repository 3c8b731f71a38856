// What is wrong with the address of a database, without a word of it that could be a password:
// libpq's own messages repeat the whole of it, or the part it stumbled over.
#pragma once

#include <optional>
#include <string>

namespace rollwatch {

// Nothing for an address that libpq can read.
std::optional<std::string> mistake_in_pg_url(const std::string& url);

}  // namespace rollwatch
