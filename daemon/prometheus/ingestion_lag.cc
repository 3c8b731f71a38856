#include "daemon/prometheus/ingestion_lag.h"

#include <algorithm>
#include <cmath>

namespace rollwatch {

namespace {

// The highest lag of so many looks counts: a single target is then seen shortly before a scrape at
// least once.
constexpr std::size_t kLooks = 10;
// Less than this is not worth lowering the delay for.
constexpr Millis kDeadband{2'000};
// From one look to the next it falls by this share of what there is to fall, but by a second at
// least.
constexpr int kFallShare = 4;

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

void IngestionLag::seen(Millis lag) {
  looks_.push_back(lag);
  if (looks_.size() > kLooks) looks_.pop_front();
  const Millis highest = *std::max_element(looks_.begin(), looks_.end());
  const Millis to_fall = level_ - std::max(highest, Millis{0});
  if (to_fall <= Millis{0})
    level_ = std::max(highest, Millis{0});
  else if (to_fall > kDeadband)
    level_ -= std::max<Millis>(to_fall / kFallShare, std::chrono::seconds{1});
}

Millis IngestionLag::delay() const {
  return std::clamp<Millis>(std::chrono::ceil<std::chrono::seconds>(level_), kLeast, kMost);
}

}  // namespace rollwatch
