// What the API knows of the page: its addresses, and who is asked to sign in.
#pragma once

#include <span>
#include <string_view>

#include "daemon/api/api.h"

namespace rollwatch {

std::span<const Route> page_routes();
bool is_page(const Route& route);

// A browser at an address that nothing is at: it is shown a page that says so.
bool wants_a_page(const ServerRequest& request);

inline constexpr std::string_view kBasicChallenge = R"(Basic realm="Rollwatch", charset="UTF-8")";

}  // namespace rollwatch
