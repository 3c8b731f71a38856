// Errors as every answer of ours tells them: application/problem+json (RFC 9457).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "daemon/http/message.h"

namespace rollwatch {

struct Problem {
  int status = 500;
  std::string detail;  // one sentence: what is wrong and what helps
  std::vector<std::pair<std::string, std::string>> errors = {};  // JSON pointer, detail
  std::vector<std::pair<std::string, std::int64_t>> members =
      {};  // further ones, such as "attempt"
};

ServerResponse problem_response(const Problem& problem);

}  // namespace rollwatch
