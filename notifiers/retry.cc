#include "notifiers/retry.h"

#include <algorithm>
#include <array>

namespace rollwatch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<Millis, 7> kOrders = {seconds{0},  seconds{1},  seconds{2}, seconds{5},
                                           seconds{10}, seconds{20}, seconds{30}};
constexpr std::array<Millis, 7> kNotifications = {seconds{0},  seconds{5}, seconds{30}, minutes{2},
                                                  minutes{10}, hours{1},   hours{6}};
constexpr Millis kMostAskedOfOrder = seconds{30};
constexpr Millis kMostAskedOfNotification = hours{1};
constexpr double kJitter = 0.2;

}  // namespace

Millis order_retry_delay(unsigned attempts_made, double random, std::optional<Millis> asked) {
  const Millis base = kOrders[std::min<std::size_t>(attempts_made, kOrders.size() - 1)];
  const double factor = 1 - kJitter + 2 * kJitter * random;
  const Millis delay{static_cast<Millis::rep>(static_cast<double>(base.count()) * factor)};
  return std::max(delay, std::min(asked.value_or(Millis{0}), kMostAskedOfOrder));
}

std::optional<Millis> notification_retry_delay(unsigned attempts_made,
                                               std::optional<Millis> asked) {
  if (attempts_made >= kNotifications.size()) return std::nullopt;
  return std::max(kNotifications[attempts_made],
                  std::min(asked.value_or(Millis{0}), kMostAskedOfNotification));
}

}  // namespace rollwatch
