// A value that must not be shown: tokens, signing keys, addresses that are passwords. It has no way
// into a stream, a format string or JSON; reveal() marks each place where it really leaves.
#pragma once

#include <string>
#include <utility>

namespace rollwatch {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}

  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  std::string value_;
};

template <class Stream>
Stream& operator<<(Stream&, const Secret&) = delete;

}  // namespace rollwatch
