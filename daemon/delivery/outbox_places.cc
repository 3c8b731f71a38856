// The outbox and the places it delivers for: taking up what is open there, handing it over, and
// dropping it.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/delivery/outbox.h"

namespace rollwatch {
namespace {

// How long attempts in flight are waited for when their place is handed over.
constexpr Millis kHandOverGrace{10'000};

}  // namespace

awaitable<void> Outbox::take_up(std::optional<std::vector<Place>> places) {
  // What is read now is sent under the leases of now, or not at all.
  std::map<Place, std::optional<Epoch>> held;
  if (places) {
    for (const Place& place : *places) {
      left_.erase(place);
      held.emplace(place, leases_.held(place));
    }
  }
  const bool all = !places.has_value();
  std::vector<Delivery> open = co_await store_.open_deliveries(std::move(places));
  std::map<std::string, std::optional<StoredRollout>> rollouts;
  for (const Delivery& delivery : open) {
    if (!rollouts.contains(delivery.rollout)) {
      auto rollout = co_await store_.rollout(delivery.rollout);
      rollouts.emplace(delivery.rollout, std::move(rollout));
    }
  }
  for (Delivery& delivery : open) {
    const auto& rollout = rollouts[delivery.rollout];
    if (!rollout) {
      spdlog::error("delivery {} is of rollout {}, which the store does not have: left alone",
                    delivery.id, delivery.rollout);
      continue;
    }
    const Place place = place_of(rollout->spec);
    if (all || held[place] == leases_.held(place)) add(std::move(delivery), rollout->spec);
  }
}

std::optional<Lease> Outbox::lease_for(const RolloutSpec& spec) const {
  Place place = place_of(spec);
  if (left_.contains(place)) return std::nullopt;
  const std::optional<Epoch> epoch = leases_.held(place);
  if (!epoch) return std::nullopt;
  return Lease{std::move(place), *epoch};
}

awaitable<void> Outbox::give_up(std::vector<Place> places) {
  const std::set<Place> wanted(places.begin(), places.end());
  left_.insert(wanted.begin(), wanted.end());
  std::vector<EntryPtr> idle;
  for (const auto& [id, entry] : entries_)
    if (!entry->busy && wanted.contains(entry->lease.place)) idle.push_back(entry);
  for (const EntryPtr& entry : idle) drop(entry);
  if (is_out(wanted)) {
    const auto done = std::make_shared<Promise<bool>>(executor_);
    leaving_.push_back({wanted, done});
    Alarm patience(executor_, clock_, [done] { done->set(false); });
    patience.set(clock_.steady() + kHandOverGrace);
    if (!co_await done->get())
      spdlog::warn("places are handed over with attempts in flight: they are made again");
    std::erase_if(leaving_, [&done](const Leaving& one) { return one.done == done; });
  }
  lose(places);
}

void Outbox::lose(const std::vector<Place>& places) {
  const std::set<Place> wanted(places.begin(), places.end());
  left_.insert(wanted.begin(), wanted.end());
  std::vector<EntryPtr> all;
  for (const auto& [id, entry] : entries_)
    if (wanted.contains(entry->lease.place)) all.push_back(entry);
  for (const EntryPtr& entry : all) drop(entry);
  see_left();
}

// An attempt that is out for it goes on, and its end changes nothing but what is known of its
// target.
void Outbox::drop(const EntryPtr& entry) {
  remove(entry);
  entry->lost = true;
}

// The store has refused to record what became of it.
void Outbox::refused(const EntryPtr& entry) {
  if (entry->lost) return;
  const Lease lease = entry->lease;
  lose({lease.place});
  if (leases_.held(lease.place) == lease.epoch) leases_.refused(lease.place);
}

bool Outbox::is_out(const std::set<Place>& places) const {
  return std::any_of(entries_.begin(), entries_.end(), [&places](const auto& one) {
    return one.second->busy && places.contains(one.second->lease.place);
  });
}

void Outbox::see_left() {
  for (const Leaving& one : leaving_)
    if (!is_out(one.places)) one.done->set(true);
}

// It was its turn, and then it must not go out, or not yet.
void Outbox::not_sent(const EntryPtr& entry) {
  leave_lane(*entry);
  not_attempted(*entry);
  entry->due = clock_.steady() + kLookWhenUnsure;
  finish(entry, entry->delivery.state);
}

}  // namespace rollwatch
