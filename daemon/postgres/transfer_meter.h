// How far a transfer is, in words: when something is said, and what.
#pragma once

#include <optional>
#include <string>

#include "daemon/net/clock.h"
#include "daemon/postgres/transfer.h"

namespace rollwatch {

class TransferMeter {
 public:
  // On a terminal one line that is written again at most once a second; else a line for every
  // tenth of each half.
  explicit TransferMeter(bool is_terminal) : is_terminal_(is_terminal) {}

  std::optional<std::string> text(const TransferProgress& progress, SteadyTime now);
  // Before anything else is printed.
  std::string end() const { return is_terminal_ && shown_at_ ? "\r\033[K" : ""; }

 private:
  const bool is_terminal_;
  std::optional<SteadyTime> shown_at_;
  bool was_checking_ = false;
  std::int64_t tenths_ = 0;
};

}  // namespace rollwatch
