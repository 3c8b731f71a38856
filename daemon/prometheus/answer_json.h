// The JSON of an answer of the Prometheus HTTP API, read in one pass into values: nothing is kept
// that is not needed, nothing is recursive, and an answer that is not what the API promises is told
// by name.
//
//   {"status":"success","data":{"resultType":"vector","result":[{"metric":{…},"value":[t,"v"]},…]}}
//   {"status":"error","errorType":"bad_data","error":"…"}
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "analysis/answer.h"
#include "analysis/expected.h"

namespace rollwatch {

struct AnswerJson {
  bool success = false;
  std::variant<Vector, Scalar, Unusable> result;  // of a success
  std::string error_type, error;                  // of an error
  std::vector<std::string> warnings;
  bool partial = false;  // as told by "isPartial"
};

// Why it is not such an answer, as one line.
Expected<AnswerJson, std::string> read_answer_json(std::string_view text);

}  // namespace rollwatch
