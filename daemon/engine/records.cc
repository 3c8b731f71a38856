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

bool is_failed(DeliveryState state) {
  return state == DeliveryState::kDead || state == DeliveryState::kRefused;
}

bool may_be_redelivered(const Delivery& delivery) {
  if (delivery.cls == DeliveryClass::kNotification) return delivery.state == DeliveryState::kDead;
  return delivery.kind == name_of(DecisionKind::kRollback) && is_failed(delivery.state);
}

}  // namespace rollwatch
