#include "daemon/delivery/teller.h"

#include <array>
#include <cassert>
#include <cstdio>
#include <utility>

namespace rollwatch {
namespace {

constexpr const char* kMemo = "told_once";

std::string notification_id(const RolloutSpec& spec, std::uint64_t random) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(random));
  return "no_" + id_body(spec.id) + "-" + digits.data();
}

}  // namespace

void Teller::configure(std::vector<NotifierRoute> routes) {
  const auto before =
      std::exchange(routes_, std::make_shared<const std::vector<NotifierRoute>>(std::move(routes)));
  so_far_.reroute(*before, *routes_);
}

awaitable<void> Teller::load(Store& store, std::vector<RolloutView> active) {
  const std::string nothing;
  const auto told = co_await store.memo(nothing, nothing, kMemo);
  so_far_ = {};
  for (const RolloutView& rollout : active)
    recognize(so_far_, {rollout.spec, *rollout.plan}, rollout.state);
  if (told) so_far_.read_text(*told);
  so_far_.reroute({}, *routes_);
  loaded_ = true;
}

Told Teller::tell(const std::vector<TakenStep>& steps, const Freezes& freezes) {
  assert(loaded_ && "what was told before is not known yet");
  Told told;
  ToldSoFar so_far = so_far_;
  std::string on_disk = so_far.to_text();
  for (const TakenStep& step : steps) {
    Told::Step& to = told.steps.emplace_back();
    for (const Announcement& announcement : rollwatch::tell(so_far, step, *routes_, freezes))
      to.notifications.push_back(delivery_of(step.spec, announcement));
    std::string text = so_far.to_text();
    if (text == on_disk) continue;
    to.memos.push_back({"", kMemo, text, true});
    on_disk = std::move(text);
  }
  if (!so_far.is_same_as(so_far_))
    told.on_disk = [this, so_far = std::move(so_far), routes = routes_] {
      so_far_ = so_far;
      if (routes != routes_) so_far_.reroute(*routes, *routes_);  // reloaded meanwhile
    };
  return told;
}

Delivery Teller::delivery_of(const RolloutSpec& spec, const Announcement& announcement) const {
  Delivery delivery;
  delivery.id = notification_id(spec, random_());
  delivery.cls = DeliveryClass::kNotification;
  delivery.kind = name_of(announcement.notice.event);
  delivery.rollout = spec.id;
  delivery.target = announcement.notifier;
  delivery.created_at = announcement.notice.at;
  delivery.expires_at = announcement.notice.at + kNotificationLife;
  delivery.payload = to_payload(announcement.notice);
  return delivery;
}

}  // namespace rollwatch
