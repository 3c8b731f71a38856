#include "daemon/http/security_headers.h"

#include <algorithm>
#include <array>

namespace rollwatch {

void add_security_headers(ServerResponse& response, bool is_tls) {
  static constexpr std::array<std::pair<const char*, const char*>, 5> kAlways{{
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
      {"Cache-Control", "no-store"},
  }};
  const auto add = [&response](const char* name, const char* value) {
    if (std::ranges::find(response.headers, name, &Headers::value_type::first) ==
        response.headers.end())
      response.headers.emplace_back(name, value);
  };
  for (const auto& [name, value] : kAlways) add(name, value);
  if (is_tls) add("Strict-Transport-Security", "max-age=31536000");
}

}  // namespace rollwatch
