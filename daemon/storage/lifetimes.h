// What every store agrees on about its rows.
#pragma once

#include <chrono>
#include <cstdint>

#include "analysis/time.h"

namespace rollwatch {

// How long an idempotency key is kept and found.
inline constexpr Millis kIdempotencyLife = std::chrono::hours(24);

// In place of rollouts.key, which begins at 1: of no rollout.
inline constexpr std::int64_t kNoRollout = 0;

}  // namespace rollwatch
