#include "daemon/api/cors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace rollwatch {

bool is_listed_origin(const ServerRequest& request, const std::vector<std::string>& origins) {
  const auto origin = request.header("origin");
  return origin && std::ranges::find(origins, *origin) != origins.end();
}

void add_cors(const ServerRequest& request, const std::vector<std::string>& origins,
              const std::vector<std::string>& allowed, ServerResponse& response) {
  if (origins.empty()) return;
  response.headers.emplace_back("Vary", "Origin");
  if (!is_listed_origin(request, origins)) return;
  const auto add = [&response](const char* name, std::string value) {
    response.headers.emplace_back(name, std::move(value));
  };
  add("Access-Control-Allow-Origin", std::string(*request.header("origin")));
  if (request.method == "OPTIONS" && request.header("access-control-request-method")) {
    add("Access-Control-Allow-Methods", fmt::format("{}", fmt::join(allowed, ", ")));
    add("Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
        "X-Request-Id, traceparent");
    add("Access-Control-Max-Age", "600");
  } else {
    add("Access-Control-Expose-Headers", "ETag, Location, Retry-After, X-Request-Id, Allow");
  }
}

}  // namespace rollwatch
