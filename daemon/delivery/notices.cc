#include "daemon/delivery/notices.h"

#include <array>
#include <cstdio>

#include "notifiers/notification.h"

namespace rollwatch {
namespace {

std::string notification_id(const RolloutSpec& spec, std::uint64_t random) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(random));
  return "no_" + id_body(spec.id) + "-" + digits.data();
}

}  // namespace

std::vector<Delivery> notifications_of(const RolloutSpec& spec, const Event& event,
                                       const std::vector<NotifierRoute>& routes,
                                       const std::function<std::uint64_t()>& random) {
  std::vector<Delivery> deliveries;
  for (const std::string& name : notifiers_for(spec, event, routes)) {
    Delivery delivery;
    delivery.id = notification_id(spec, random());
    delivery.cls = DeliveryClass::kNotification;
    delivery.kind = name_of(event.type);
    delivery.rollout = spec.id;
    delivery.target = name;
    delivery.created_at = event.at;
    delivery.expires_at = event.at + kNotificationLife;
    delivery.payload = to_payload(notice_of(spec, event));
    deliveries.push_back(std::move(delivery));
  }
  return deliveries;
}

}  // namespace rollwatch
