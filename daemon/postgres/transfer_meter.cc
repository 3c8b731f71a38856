#include "daemon/postgres/transfer_meter.h"

namespace rollwatch {

std::optional<std::string> TransferMeter::text(const TransferProgress& progress, SteadyTime now) {
  if (progress.all == 0) return std::nullopt;
  const std::string line = std::string(progress.is_checking ? "checking " : "copying ") +
                           std::string(progress.table) + ": " + std::to_string(progress.done) +
                           " of " + std::to_string(progress.all) + " rows in all";
  if (is_terminal_) {
    if (shown_at_ && now - *shown_at_ < std::chrono::seconds(1)) return std::nullopt;
    shown_at_ = now;
    return "\r" + line + "\033[K";
  }
  if (progress.is_checking != was_checking_) tenths_ = 0;
  was_checking_ = progress.is_checking;
  const std::int64_t tenths = progress.done * 10 / progress.all;
  if (tenths <= tenths_) return std::nullopt;
  tenths_ = tenths;
  return line + " (" + std::to_string(tenths * 10) + " %)\n";
}

}  // namespace rollwatch
