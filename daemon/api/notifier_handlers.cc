// A test message to a notifier, and the raw answer to it.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/api/fields.h"
#include "daemon/api/handlers.h"
#include "daemon/api/json_values.h"

namespace rollwatch {
namespace {

std::string_view outcome_of(const SendResult& result) {
  switch (result.end) {
    case SendEnd::kDone:
    case SendEnd::kAccepted:
      return "done";
    case SendEnd::kRefused:
      return "refused";
    case SendEnd::kRetry:
      break;
  }
  return "failed";
}

}  // namespace

awaitable<ServerResponse> test_notifier(const ApiContext& context, Call& call) {
  check_query(call, {});
  const Value object = body_object(call.request, true);
  BodyReader body(object);
  const std::string by = body.text("by").value_or(call.caller.name);
  body.finish();
  body.refuse_errors();

  const std::string& name = call.parameter("name");
  const auto result = co_await context.test_notifier(name, by);
  if (!result) throw Refusal{{404, fmt::format("there is no notifier \"{}\"", name)}};
  const Attempt& attempt = result->attempt;
  const nlohmann::ordered_json answer = {
      {"name", name},
      {"outcome", outcome_of(*result)},
      {"at", time_json(attempt.at)},
      {"status", attempt.status ? nlohmann::ordered_json(*attempt.status) : nullptr},
      {"error", text_json(attempt.error)},
      {"duration_ms", attempt.duration.count()},
      {"answer", text_json(attempt.answer)}};
  co_return json_response(200, answer);
}

}  // namespace rollwatch
