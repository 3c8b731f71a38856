#include "daemon/delivery/teller.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <utility>

#include "notifiers/standing.h"

namespace rollwatch {
namespace {

constexpr const char* kToldOnce = "told_once";

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
  const auto told = co_await store.memo(nothing, nothing, kToldOnce);
  const ToldSoFar before = std::exchange(so_far_, {});
  so_far_.set_shared(before.is_shared());
  for (const RolloutView& rollout : active)
    recognize(so_far_, {rollout.spec, *rollout.plan}, rollout.state);
  on_disk_ = told.value_or("");
  if (told) so_far_.read_text(*told);
  so_far_.keep_answers_of(before);
  so_far_.reroute({}, *routes_);
  loaded_ = true;
}

Told Teller::tell(const std::vector<TakenStep>& steps, const Freezes& freezes) {
  assert(loaded_ && "what was told before is not known yet");
  Told told;
  told.steps.reserve(steps.size());
  ToldSoFar so_far = so_far_, in_text = so_far_;
  std::string text = so_far.to_text(), latest = text;
  std::string on_disk = on_disk_;
  bool is_checked = false;  // the batch is refused if something else is on disk
  for (const TakenStep& step : steps) {
    Told::Step& to = told.steps.emplace_back();
    to.notifications = deliveries_of(step, rollwatch::tell(so_far, step, *routes_, freezes));
    if (!so_far.is_same_as(in_text)) {  // hardly ever
      text = so_far.to_text();
      in_text = so_far;
    }
    // What is not told because people know of it already is held against what they were told last
    // as well: another node may have told them of its end.
    const bool leans_on_it =
        !routes_->empty() && std::any_of(step.events.begin(), step.events.end(), is_about_many);
    if (text == latest && (is_checked || !leans_on_it)) continue;
    is_checked = true;
    to.memos.push_back({"", kToldOnce, text, true, std::move(on_disk)});
    on_disk = latest = text;
  }
  if (!so_far.is_same_as(so_far_) || on_disk != on_disk_)
    told.on_disk = [this, so_far = std::move(so_far), on_disk = std::move(on_disk),
                    routes = routes_] {
      const bool shared = so_far_.is_shared();  // by now
      so_far_ = so_far;
      so_far_.set_shared(shared);
      on_disk_ = on_disk;
      if (routes != routes_) so_far_.reroute(*routes, *routes_);  // reloaded meanwhile
    };
  return told;
}

// Notifiers that show how a rollout stands get that beside what happened, and besides a
// condition's first failing check: it costs them no message.
std::vector<Delivery> Teller::deliveries_of(const TakenStep& step,
                                            std::vector<Announcement> announcements) const {
  std::vector<std::string> shows_standing;
  for (const NotifierRoute* route : routes_for(step.spec, *routes_)) {
    if (!route->shows_standing) continue;
    shows_standing.push_back(route->name);
    if (!route->tells_first_failures || !route->events.empty()) continue;
    for (Notice& notice : first_failures(step))
      announcements.push_back({route->name, std::move(notice)});
  }
  std::optional<Standing> standing;  // made once, if anybody shows it
  std::vector<Delivery> deliveries;
  for (const Announcement& announcement : announcements) {
    Delivery& delivery = deliveries.emplace_back(delivery_of(step.spec, announcement));
    const bool shows = std::find(shows_standing.begin(), shows_standing.end(),
                                 announcement.notifier) != shows_standing.end();
    if (!shows || !announcement.notice.subject.empty()) continue;
    if (!standing) standing = standing_of(step, datasource_url_);
    delivery.payload = with_standing(delivery.payload, *standing);
  }
  return deliveries;
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
