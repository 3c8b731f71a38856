// The daemon itself: health, metrics, configuration, and what to find where.
#include <nlohmann/json.hpp>

#include "daemon/api/handlers.h"
#include "daemon/api/openapi_document.h"

namespace rollwatch {

awaitable<ServerResponse> get_openapi(const ApiContext&, Call& call) {
  ServerResponse response;
  response.headers = {{"Cache-Control", "no-cache"}, {"ETag", openapi_etag()}};
  if (etag_listed(call.request.header("if-none-match").value_or(""), openapi_etag())) {
    response.status = 304;
    co_return response;
  }
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = openapi_document();
  co_return response;
}

awaitable<ServerResponse> get_metrics(const ApiContext& context, Call&) {
  ServerResponse response;
  response.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
  response.body = context.metrics();
  co_return response;
}

awaitable<ServerResponse> get_healthy(const ApiContext&, Call&) {
  co_return text_response(200, "rollwatchd is healthy.\n");
}

awaitable<ServerResponse> get_ready(const ApiContext& context, Call&) {
  const auto why_not = context.not_ready();
  if (why_not) co_return text_response(503, *why_not + "\n");
  co_return text_response(200, "rollwatchd is ready.\n");
}

awaitable<ServerResponse> reload_configuration(const ApiContext& context, Call&) {
  const ReloadResult result = context.reload();
  if (result.end == ReloadEnd::kDone)
    co_return json_response(200, {{"status", "reloaded"}, {"warnings", result.lines}});
  Problem problem{result.end == ReloadEnd::kInUse ? 409 : 422, "the configuration stays as it was"};
  if (!result.lines.empty()) problem.detail += ": " + result.lines.front();
  for (const std::string& line : result.lines) problem.errors.emplace_back("", line);
  co_return problem_response(problem);
}

}  // namespace rollwatch
