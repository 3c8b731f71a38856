// Identifiers that sort by the time they were made: 48 bits of milliseconds and 80 random bits, in
// Crockford's alphabet (no i, l, o, u), 26 characters, lower case.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "analysis/time.h"

namespace rollwatch {

// "ro" → "ro_01j9…"
std::string new_id(std::string_view prefix, SysTime now, const std::function<std::uint64_t()>& random);

}  // namespace rollwatch
