#include "daemon/prometheus/answer_parser.h"

#include <exception>
#include <utility>

#include "analysis/text.h"
#include "daemon/prometheus/answer_json.h"

namespace rollwatch {

namespace {

constexpr std::size_t kLongestMessage = 500;
constexpr std::size_t kLongestSnippet = 200;

std::string status_line(int status) {
  static constexpr std::pair<int, const char*> kNames[] = {
      {400, "Bad Request"},         {401, "Unauthorized"},          {403, "Forbidden"},
      {404, "Not Found"},           {413, "Content Too Large"},     {422, "Unprocessable Content"},
      {429, "Too Many Requests"},   {500, "Internal Server Error"}, {502, "Bad Gateway"},
      {503, "Service Unavailable"}, {504, "Gateway Timeout"},
  };
  std::string line = "answered " + std::to_string(status);
  for (const auto& [number, name] : kNames) {
    if (number == status) return line + " " + name;
  }
  return line;
}

// What a proxy says in plain text. It may be in any encoding; what we show is ours, and UTF-8.
std::string snippet(std::string_view body) {
  std::string text(body.substr(0, std::min(body.find_first_of("\r\n"), kLongestSnippet)));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return text;
}

QueryFailure failure(FailureKind kind, int status, std::string_view message) {
  return {kind, cut(message, kLongestMessage), status};
}

// The hint for a status that says more about the address or the credentials than about the query.
std::string hint(int status, const std::string& datasource) {
  if (status >= 300 && status < 400) {
    return "redirects are not followed; give datasource " + datasource +
           " the address it redirects to";
  }
  if (status == 401 || status == 403) return "check the credentials of datasource " + datasource;
  if (status == 404)
    return "check the url of datasource " + datasource + ", to which /api/v1/query is added";
  return "";
}

// An error in the API's own format.
QueryFailure refused(int status, const AnswerJson& json, const std::string& datasource) {
  const std::string& said = json.error.empty() ? json.error_type : json.error;
  // VictoriaMetrics says 422 with errorType "422" to a syntax error; Prometheus 422 with
  // "execution" to a query it could read and not compute.
  if ((status == 400 && json.error_type == "bad_data") ||
      (status == 422 && json.error_type == "422")) {
    return failure(FailureKind::kBadQuery, status, said);
  }
  if (json.error_type == "timeout") {
    return failure(FailureKind::kTimeout, status, "the server gave the query up: " + said);
  }
  std::string message = status_line(status);
  for (const std::string& more : {said, hint(status, datasource)}) {
    if (!more.empty()) message += ": " + more;
  }
  return failure(FailureKind::kHttpStatus, status, message);
}

QueryFailure not_a_result(int status, std::string_view content_type, std::string_view body,
                          const std::string& datasource) {
  std::string message = status_line(status);
  if (content_type.starts_with("text/plain") && !body.empty()) message += ": " + snippet(body);
  if (const std::string more = hint(status, datasource); !more.empty()) message += ": " + more;
  return failure(FailureKind::kHttpStatus, status, message);
}

QueryFailure malformed(int status, std::string_view content_type, const std::string& why) {
  std::string message = "not an answer of the Prometheus API: " + why;
  if (content_type.find("json") == std::string_view::npos && !content_type.empty()) {
    message += " (content type " + snippet(content_type) + ")";
  }
  return failure(FailureKind::kMalformed, status, message);
}

Answer parse(const std::string& datasource, int status, std::string_view content_type,
             std::string_view body) {
  Answer answer;
  Expected<AnswerJson, std::string> json = read_answer_json(body);
  if (status != 200) {
    answer.result = json && !json->success ? refused(status, *json, datasource)
                                           : not_a_result(status, content_type, body, datasource);
    return answer;
  }
  if (!json) {
    answer.result = malformed(status, content_type, json.error());
    return answer;
  }
  answer.partial = json->partial || !json->warnings.empty();
  answer.warnings = std::move(json->warnings);
  if (!json->success) {
    answer.result = refused(status, *json, datasource);
  } else {
    std::visit([&](auto& result) { answer.result = std::move(result); }, json->result);
  }
  return answer;
}

}  // namespace

Answer parse_answer(std::string_view datasource, int http_status, std::string_view content_type,
                    std::shared_ptr<const std::string> body) noexcept {
  Answer answer;
  try {
    answer = parse(std::string(datasource), http_status, content_type,
                   body ? *body : std::string_view());
  } catch (const std::exception&) {  // out of memory, for one answer
    answer.result = QueryFailure{FailureKind::kTooLarge, "no memory to read it", http_status};
  }
  answer.raw = std::move(body);
  return answer;
}

}  // namespace rollwatch
