#include "daemon/http/problem.h"

#include <nlohmann/json.hpp>

namespace rollwatch {

ServerResponse problem_response(const Problem& problem) {
  nlohmann::ordered_json body{{"type", "about:blank"},
                              {"title", status_phrase(problem.status)},
                              {"status", problem.status},
                              {"detail", problem.detail}};
  for (const auto& [name, value] : problem.members) body[name] = value;
  for (const auto& [pointer, detail] : problem.errors)
    body["errors"].push_back({{"pointer", pointer}, {"detail", detail}});
  ServerResponse response;
  response.status = problem.status;
  response.headers.emplace_back("Content-Type", "application/problem+json");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body =
      body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  return response;
}

}  // namespace rollwatch
