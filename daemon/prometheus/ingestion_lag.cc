#include "daemon/prometheus/ingestion_lag.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rollwatch {

namespace {

// The highest of so many looks counts: a single target is then seen shortly before a scrape at
// least once.
constexpr std::size_t kLooks = 10;
// Less than this is not worth lowering the delay for.
constexpr Millis kDeadband{2'000};
// From one look to the next it falls by this share of what there is to fall, within these limits: a
// condition whose windows overlap by ten seconds skips nothing.
constexpr int kFallShare = 4;
constexpr Millis kLeastFall{1'000};
constexpr Millis kMostFall{10'000};

}  // namespace

const std::string& lag_query() {
  static const std::string query = [] {
    const std::string age = "(time() - timestamp(up))";
    return "quantile(0.9, (" + age + " - 0.9 * (600 - " + age +
           ") / (count_over_time(up[10m]) - 0.5)) and up offset 10m)";
  }();
  return query;
}

std::optional<Millis> lag_of(const Answer& answer) {
  const auto* vector = std::get_if<Vector>(&answer.result);
  if (vector == nullptr || answer.partial || vector->series.size() != 1) return std::nullopt;
  const double seconds = vector->series.front().value;
  // What a clock that is an hour off would show is no lag.
  if (!(std::abs(seconds) < 3'600)) return std::nullopt;
  return Millis{std::llround(seconds * 1'000)};
}

void IngestionLag::seen(Millis lag, SysTime at) {
  const std::optional<Look> before = std::exchange(last_, Look{lag, at});
  if (before) {
    // Nothing new came: the samples only got older.
    if (lag - before->lag > (at - before->at) / 2) return;
    if (std::exchange(first_alone_, false)) highs_.clear();
  } else {
    if (was_away_ || is_known()) return;
    first_alone_ = true;
  }
  highs_.push_back(before ? std::min(lag, before->lag) : lag);
  if (highs_.size() > kLooks) highs_.pop_front();
  const Millis highest = std::max(*std::max_element(highs_.begin(), highs_.end()), Millis{0});
  const Millis to_fall = level_ - highest;
  if (to_fall <= Millis{0})
    level_ = highest;
  else if (to_fall > kDeadband)
    level_ -= std::clamp(to_fall / kFallShare, kLeastFall, kMostFall);
}

void IngestionLag::away() {
  last_.reset();
  was_away_ = true;
}

Millis IngestionLag::delay() const {
  return std::clamp<Millis>(std::chrono::ceil<std::chrono::seconds>(level_), kLeast, kMost);
}

}  // namespace rollwatch
