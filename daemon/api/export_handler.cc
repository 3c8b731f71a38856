// GET /export: all history as JSON lines.
#include "daemon/api/export_source.h"
#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"

namespace rollwatch {

awaitable<ServerResponse> export_history(const ApiContext& context, Call& call) {
  check_query(call, {"since", "namespace"});
  ExportRequest wanted;
  wanted.caller = call.caller;
  wanted.ns = query_text(call, "namespace").value_or("");
  wanted.program = context.version;
  if (const auto since = query_text(call, "since")) {
    wanted.since = parse_time(*since);
    if (!wanted.since)
      refuse_query("since", "must be a time in RFC 3339, such as \"2026-01-02T03:04:05Z\"");
  }
  wanted.seat = context.exports.take();
  ServerResponse response;
  if (!wanted.seat) {
    response = problem_response({429, "too many exports are under way already; try again"});
    response.headers.emplace_back("Retry-After", "10");
    co_return response;
  }
  response.headers = {{"Content-Type", "application/x-ndjson"},
                      {"Cache-Control", "no-store"},
                      {"X-Accel-Buffering", "no"}};
  response.stream =
      std::make_shared<ExportSource>(context.service, context.clock, std::move(wanted));
  co_return response;
}

}  // namespace rollwatch
