// The notifications an event gives rise to, as deliveries for the commit that records it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "daemon/engine/records.h"
#include "notifiers/routing.h"

namespace rollwatch {

// How long a notification is tried at most, whatever its schedule says: older news misleads.
inline constexpr Millis kNotificationLife = std::chrono::hours{24};

// One per notifier that is told. `random` makes the ids' second half.
std::vector<Delivery> notifications_of(const RolloutSpec& spec, const Event& event,
                                       const std::vector<NotifierRoute>& routes,
                                       const std::function<std::uint64_t()>& random);

}  // namespace rollwatch
