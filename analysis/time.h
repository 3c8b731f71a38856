// Points in time and spans of it, as the whole product writes them: milliseconds since the Unix
// epoch inside, RFC 3339 in UTC and Prometheus-style durations outside. Nothing here reads a clock.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rollwatch {

using Millis = std::chrono::milliseconds;
using SysTime = std::chrono::sys_time<Millis>;

// As std::optional<SysTime>, in the memory of a SysTime: a rollout's state has a dozen of them.
class MaybeTime {
 public:
  MaybeTime() = default;
  MaybeTime(std::nullopt_t) {}
  MaybeTime(SysTime at) : at_(at) {}
  MaybeTime(const std::optional<SysTime>& at) : at_(at.value_or(kNone)) {}
  operator std::optional<SysTime>() const {
    return has_value() ? std::optional(at_) : std::nullopt;
  }

  bool has_value() const { return at_ != kNone; }
  explicit operator bool() const { return has_value(); }
  SysTime& operator*() { return at_; }
  const SysTime& operator*() const { return at_; }
  SysTime value_or(SysTime other) const { return has_value() ? at_ : other; }
  SysTime& emplace() { return at_ = SysTime{}; }
  void reset() { at_ = kNone; }
  friend bool operator==(const MaybeTime&, const MaybeTime&) = default;

 private:
  static constexpr SysTime kNone = SysTime::min();
  SysTime at_ = kNone;
};

// "500ms", "30s", "5m", "1h30m", "7d": units y w d h m s ms, largest first, each at most once. A
// bare number is refused, except "0". No sign.
std::optional<Millis> parse_duration(std::string_view text);

// The shortest form parse_duration reads back: 90 s → "1m30s", 0 → "0s".
std::string format_duration(Millis span);

// "2026-01-02T03:04:05.678Z"
std::string format_time(SysTime at);

// RFC 3339 with any fraction and any offset; finer than a millisecond is cut off.
std::optional<SysTime> parse_time(std::string_view text);

}  // namespace rollwatch
