#include "daemon/prometheus/datasource_reading.h"

#include <variant>

namespace rollwatch {
namespace {

// Whether an answer shows that the server works; nothing if it says nothing about that. A query it
// refuses or cannot compute (400, 422) is not its fault.
std::optional<bool> shows_up(const Answer& answer) {
  const auto* failure = std::get_if<QueryFailure>(&answer.result);
  if (!failure) return true;
  switch (failure->kind) {
    case FailureKind::kNotAsked:
    case FailureKind::kOverload:
      return std::nullopt;
    case FailureKind::kBadQuery:
    case FailureKind::kTooLarge:
      return true;
    case FailureKind::kHttpStatus:
      return failure->http_status == 400 || failure->http_status == 422;
    default:
      return false;
  }
}

}  // namespace

std::string_view result_word(const Answer& answer) {
  const auto* failure = std::get_if<QueryFailure>(&answer.result);
  if (!failure) return answer.partial ? "partial" : "success";
  switch (failure->kind) {
    case FailureKind::kUnreachable:
      return "unreachable";
    case FailureKind::kTimeout:
      return "timeout";
    case FailureKind::kBadQuery:
      return "bad_query";
    case FailureKind::kHttpStatus:
      return "http_status";
    case FailureKind::kMalformed:
      return "malformed";
    case FailureKind::kTooLarge:
      return "too_large";
    case FailureKind::kNotAsked:
      return "not_asked";
    case FailureKind::kOverload:
      return "overload";
  }
  return "malformed";
}

void DatasourceReading::count(const Answer& answer, SysTime now) {
  ++queries;
  const auto* failure = std::get_if<QueryFailure>(&answer.result);
  if (failure == nullptr) return;
  ++failures;
  last_error = failure->message;
  last_error_at = now;
}

bool DatasourceReading::note(const Answer& answer, SysTime now) {
  const std::optional<bool> shown = shows_up(answer);
  if (!shown) return false;
  if (*shown) last_answer_at = now;
  if (up == shown) return false;
  up = shown;
  since = now;
  return true;
}

}  // namespace rollwatch
