#include "analysis/compare/condition.h"

#include <array>

namespace rollwatch {

std::string_view name_of(Arm arm) { return arm == Arm::kCandidate ? "candidate" : "stable"; }

std::string_view name_of(CompareKind kind) {
  constexpr std::array<std::string_view, 4> kNames{"rate", "histogram", "gauge", "mann-whitney"};
  return kNames[static_cast<std::size_t>(kind)];
}

}  // namespace rollwatch
