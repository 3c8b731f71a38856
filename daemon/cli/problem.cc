#include "daemon/cli/problem.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "daemon/cli/fields.h"
#include "daemon/cli/text.h"

namespace rollwatch {

bool is_success(const Response& response) {
  return response.status >= 200 && response.status < 300;
}

std::string describe_problem(const Response& response) {
  const auto problem = nlohmann::json::parse(response.body, nullptr, false);
  const std::string title = text_at(problem, "title");
  const std::string detail = text_at(problem, "detail");
  if (title.empty() && detail.empty()) {
    constexpr std::size_t kQuoted = 200;
    const std::string quoted = cut_to_width(printable(response.body), kQuoted);
    return fmt::format("rollwatch: the server answered {}{}{}\n", response.status,
                       quoted.empty() ? "" : ": ", quoted);
  }
  std::string text = fmt::format("rollwatch: {}{}{}\n", title,
                                 title.empty() || detail.empty() ? "" : ": ", detail);
  const auto& errors = child_at(problem, "errors");
  for (const auto& error : errors) {
    const std::string pointer = text_at(error, "pointer");
    const std::string said = text_at(error, "detail");
    // The server's detail ends with the first error; the only one is not said twice.
    if (said.empty() || (errors.size() == 1 && detail.ends_with(said))) continue;
    text += fmt::format("  {}{}{}\n", pointer, pointer.empty() ? "" : ": ", said);
  }
  constexpr int kUnauthorized = 401;
  if (response.status == kUnauthorized)
    text += "  a token is given by --token-file, ROLLWATCH_TOKEN or a context\n";
  if (const long attempt = number_at(problem, "attempt"); attempt > 0)
    text += fmt::format("  as a flag: --attempt {}\n", attempt);
  return text;
}

}  // namespace rollwatch
