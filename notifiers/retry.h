// When to try again. Orders hurry, for they expire; notifications have time. Pure: randomness is
// handed in.
#pragma once

#include <optional>

#include "analysis/time.h"

namespace rollwatch {

// How long to wait before the next attempt of an order after so many were made: nothing before the
// first, then 1, 2, 5, 10, 20 and ever again 30 s, each ±20 % (`random` from [0, 1)), so that
// orders that failed together do not come back together. What the receiver asked for (Retry-After)
// lengthens it, up to 30 s.
Millis order_retry_delay(unsigned attempts_made, double random,
                         std::optional<Millis> asked = std::nullopt);

// The same for a notification: 0, 5 s, 30 s, 2 min, 10 min, 1 h, 6 h; none after the seventh
// attempt: it is dead. What the receiver asked for lengthens it, up to 1 h.
std::optional<Millis> notification_retry_delay(unsigned attempts_made,
                                               std::optional<Millis> asked = std::nullopt);

}  // namespace rollwatch
