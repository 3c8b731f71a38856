// What a condition remembers from slot to slot besides what it counts: the state of a comparison,
// or of counters. Never changed in place but replaced whole, so that the copies of a rollout's
// state share it, and its bytes are made once.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "analysis/expected.h"

namespace rollwatch {
namespace statistics {
struct ComparisonState;
struct CountState;
}  // namespace statistics

class ConditionMemory {
 public:
  ConditionMemory() = default;
  explicit ConditionMemory(statistics::ComparisonState state);
  explicit ConditionMemory(statistics::CountState state);

  // Null if it is not one.
  const statistics::ComparisonState* comparison() const;
  const statistics::CountState* count() const;

  std::string_view bytes() const;  // of an empty one none
  static Expected<ConditionMemory, std::string> of(std::string_view bytes);

  friend bool operator==(const ConditionMemory& a, const ConditionMemory& b) {
    return a.kept_ == b.kept_ || a.bytes() == b.bytes();
  }

 private:
  struct Kept;
  std::shared_ptr<const Kept> kept_;
};

}  // namespace rollwatch
