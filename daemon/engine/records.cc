#include "daemon/engine/records.h"

#include <array>

namespace rollwatch {

Place place_of(const RolloutSpec& spec) { return {spec.ns, spec.service, spec.target}; }

std::string_view name_of(DeliveryState state) {
  constexpr std::array<std::string_view, 6> kNames{"pending", "accepted", "done",
                                                   "refused", "dead",     "withdrawn"};
  return kNames[static_cast<std::size_t>(state)];
}

bool is_open(DeliveryState state) {
  return state == DeliveryState::kPending || state == DeliveryState::kAccepted;
}

}  // namespace rollwatch
