// Identifiers that sort by the time they were made: 48 bits of milliseconds and 80 random bits, in
// Crockford's alphabet (no i, l, o, u), 26 characters, lower case.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "analysis/time.h"

namespace rollwatch {

// Every id of one sequence sorts after those before it, also within a millisecond or when the clock
// is put back: which of two rollouts is the newer one is read from their ids.
class IdSequence {
 public:
  // 64 random bits each time it is called.
  explicit IdSequence(std::function<std::uint64_t()> random) : random_(std::move(random)) {}

  // next("ro", now) → "ro_01j9…"
  std::string next(std::string_view prefix, SysTime now);
  // The next one sorts after this one too, of an earlier sequence. Does nothing for what is no such
  // id.
  void go_on_after(std::string_view id);

 private:
  std::function<std::uint64_t()> random_;
  std::uint64_t millis_ = 0;
  std::uint64_t high_ = 0;  // 40 random bits each
  std::uint64_t low_ = 0;
};

}  // namespace rollwatch
