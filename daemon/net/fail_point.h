// Places where the crash tests let the process die, chosen from outside:
//
//   ROLLWATCH_FAIL_POINT=before_order_commit      dies there the first time
//   ROLLWATCH_FAIL_POINT=before_order_commit:3    the third time
//
// Dies as if by kill -9: nothing is flushed, no destructor runs. Without the CMake option
// ROLLWATCH_FAIL_POINTS there is nothing of this in the program.
#pragma once

#include <string_view>

#ifdef ROLLWATCH_FAIL_POINTS
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdlib>
#endif

namespace rollwatch {

#ifdef ROLLWATCH_FAIL_POINTS

inline void fail_point(std::string_view name) {
  const char* chosen = std::getenv("ROLLWATCH_FAIL_POINT");
  if (chosen == nullptr) return;
  const std::string_view text(chosen);
  const std::size_t colon = text.find(':');
  if (text.substr(0, colon) != name) return;
  int nth = 1;
  if (colon != std::string_view::npos) {
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), nth);
  }
  static std::atomic<int> hits = 0;
  if (++hits == nth) std::raise(SIGKILL);
}

#else

inline void fail_point(std::string_view) {}

#endif

}  // namespace rollwatch
