// Stable's answers of a slot before the rollout.
#pragma once

#include <optional>

#include "analysis/answer.h"
#include "analysis/time.h"

namespace rollwatch {

struct HistorySlot {
  SysTime at{};
  Answer counted;
  std::optional<Answer> bad;
};

}  // namespace rollwatch
