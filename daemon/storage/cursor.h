// Where a page of a list ended, as text that callers only hand back. It names the last item shown,
// so what is added later neither repeats nor hides an item. A cursor we did not give throws
// std::invalid_argument("cursor").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rollwatch {

std::string list_cursor(const std::string& last_rollout);
std::string rollout_in_list_cursor(const std::string& cursor);

// What a LIKE finds that text in, wherever it stands: no character of it means anything else. For
// an escape character that is a backslash.
std::string like_pattern(std::string_view text);

std::string delivery_cursor(std::int64_t last_key);
std::int64_t key_in_delivery_cursor(const std::string& cursor);

}  // namespace rollwatch
