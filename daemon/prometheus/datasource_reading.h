// How a datasource was seen since it was first asked: what of that is told to people and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analysis/answer.h"
#include "analysis/time.h"

namespace rollwatch {

// One word for a metric's label.
std::string_view result_word(const Answer& answer);

struct DatasourceReading {
  std::optional<bool> up;        // nothing: it was not asked yet
  std::optional<SysTime> since;  // it is as it is
  std::optional<SysTime> last_answer_at, last_error_at;
  std::string last_error;  // without secrets
  std::size_t in_flight = 0, waiting = 0;
  std::uint64_t queries = 0, failures = 0;  // questions that ended, and those without an answer

  // A question ended, perhaps without having been sent.
  void count(const Answer& answer, SysTime now);
  // The server answered, or did not; whether `up` has changed by it.
  bool note(const Answer& answer, SysTime now);
};

}  // namespace rollwatch
