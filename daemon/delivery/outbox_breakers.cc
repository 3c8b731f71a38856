// The outbox and its breakers: who is held, what an attempt's end changes, and how that is shown.
#include <spdlog/spdlog.h>

#include "daemon/delivery/answer.h"
#include "daemon/delivery/outbox.h"

namespace rollwatch {
namespace {

// An order has minutes; a message to people has a day, and its target a rate limit.
constexpr BreakerRules kOfOrchestrators{5, Millis{5'000}, Millis{30'000}};
constexpr BreakerRules kOfNotifiers{5, Millis{30'000}, Millis{300'000}};

std::string title(const std::pair<DeliveryClass, std::string>& target) {
  return (target.first == DeliveryClass::kOrder ? "orchestrator " : "notifier ") + target.second;
}

}  // namespace

Breaker& Outbox::breaker_of(const Delivery& delivery) {
  const bool order = delivery.cls == DeliveryClass::kOrder;
  return breakers_
      .try_emplace({delivery.cls, delivery.target}, order ? kOfOrchestrators : kOfNotifiers)
      .first->second;
}

std::string Outbox::lane_name(const Target& target) {
  return (target.first == DeliveryClass::kOrder ? "order " : "notification ") + target.second;
}

bool Outbox::is_held(const EntryPtr& entry) {
  const Delivery& delivery = entry->delivery;
  const std::string name = lane_name(delivery);
  if (name != lane_name(Target{delivery.cls, delivery.target})) return false;  // a rollback
  auto& held = lanes_[name].held;
  const std::pair key{entry->due, entry->serial};
  const Breaker& breaker = breaker_of(delivery);
  const bool is_open = breaker.state() == BreakerState::kOpen;
  while (is_open && breaker.admits(clock_.steady()) && !held.empty() && held.begin()->first < key)
    look_at(EntryPtr(held.begin()->second));  // it leaves `held`, and goes in place of this one
  if (breaker.admits(clock_.steady())) return false;
  held.emplace(key, entry);
  return true;
}

// That nobody of this name is configured says nothing about anybody, nor does it that there was
// nothing to be sent; and who limits how often it is sent something answers well, and is left alone
// for as long as it asked.
void Outbox::attempted(const Entry& entry, const SendResult& result) {
  const Target target{entry.delivery.cls, entry.delivery.target};
  constexpr int kTooMany = 429;
  const bool is_limited = result.attempt.status == kTooMany && result.retry_after;
  const bool is_silent = entry.delivery.cls == DeliveryClass::kNotification &&
                         result.end == SendEnd::kDone && !result.attempt.status;
  if (!is_configured(target) || is_limited || is_silent) return not_attempted(entry);
  const SteadyTime now = clock_.steady();
  Breaker& breaker = breaker_of(entry.delivery);
  const bool was_probe = breaker.is_probe(entry.serial);
  const SteadyTime opened_at = breaker.opened_at();
  const BreakerChange change = result.end == SendEnd::kRetry
                                   ? breaker.failed(entry.serial, now, describe(result.attempt))
                                   : breaker.answered();
  if (change == BreakerChange::kOpened)
    spdlog::error("{}; what is for it waits, rollbacks are tried all the same",
                  story_of(target, breaker));
  if (change == BreakerChange::kClosed)
    spdlog::info("{} answers again after {}", title(target),
                 format_duration(std::chrono::floor<std::chrono::seconds>(now - opened_at)));
  if (was_probe || change == BreakerChange::kClosed) release(target);
}

void Outbox::not_attempted(const Entry& entry) {
  Breaker& breaker = breaker_of(entry.delivery);
  if (!breaker.is_probe(entry.serial)) return;
  breaker.given_up(entry.serial, clock_.steady());
  release({entry.delivery.cls, entry.delivery.target});
}

void Outbox::release(const Target& target) {
  const auto held = std::exchange(lanes_[lane_name(target)].held, {});
  for (const auto& [serial, entry] : held) look_at(entry);
}

// Somebody has just changed the configuration, perhaps because of this.
void Outbox::keep_breakers_of_configured() {
  std::erase_if(breakers_, [this](const auto& one) { return !is_configured(one.first); });
  for (auto& [target, breaker] : breakers_) {
    breaker.hurry(clock_.steady());
    release(target);
  }
}

bool Outbox::is_configured(const Target& target) const {
  return target.first == DeliveryClass::kOrder ? drivers_.contains(target.second)
                                               : senders_.contains(target.second);
}

std::string Outbox::story_of(const Target& target, const Breaker& breaker) const {
  std::string text = title(target) + " fails: " + std::to_string(breaker.failures()) +
                     " attempts in a row, the last: " + breaker.last_error();
  text += breaker.state() == BreakerState::kProbing
              ? "; one is out to see whether it answers again"
              : "; it is tried again at " + format_time(wall_at(breaker.next_probe()));
  return text;
}

std::string Outbox::why_not_attempted(const Entry& entry) const {
  if (entry.attempts_made > 0) return "";
  const auto found = breakers_.find({entry.delivery.cls, entry.delivery.target});
  if (found == breakers_.end() || found->second.state() == BreakerState::kClosed) return "";
  return title(found->first) + " fails, last: " + found->second.last_error();
}

std::optional<std::string> Outbox::held_because(const std::string& id) const {
  const auto entry = entries_.find(id);
  if (entry == entries_.end()) return std::nullopt;
  const Delivery& delivery = entry->second->delivery;
  const auto lane = lanes_.find(lane_name(delivery));
  if (lane == lanes_.end() ||
      !lane->second.held.contains({entry->second->due, entry->second->serial}))
    return std::nullopt;
  const auto breaker = breakers_.find({delivery.cls, delivery.target});
  if (breaker == breakers_.end()) return std::nullopt;
  return story_of(breaker->first, breaker->second);
}

std::vector<TargetReading> Outbox::targets() const {
  std::vector<TargetReading> all;
  for (const auto& [name, driver] : drivers_)
    all.push_back(reading_of({DeliveryClass::kOrder, name}));
  for (const auto& [name, sender] : senders_)
    all.push_back(reading_of({DeliveryClass::kNotification, name}));
  for (const auto& [id, entry] : entries_) {
    if (entry->closed) continue;
    for (TargetReading& reading : all)
      if (reading.cls == entry->delivery.cls && reading.name == entry->delivery.target)
        ++reading.open;
  }
  return all;
}

TargetReading Outbox::reading_of(const Target& target) const {
  TargetReading reading;
  reading.name = target.second;
  reading.cls = target.first;
  const auto found = breakers_.find(target);
  if (found == breakers_.end()) return reading;
  const Breaker& breaker = found->second;
  reading.breaker = breaker.state();
  reading.failures = breaker.failures();
  reading.last_error = breaker.last_error();
  if (breaker.state() != BreakerState::kClosed) reading.since = wall_at(breaker.opened_at());
  if (breaker.state() == BreakerState::kOpen) reading.next_probe = wall_at(breaker.next_probe());
  return reading;
}

SysTime Outbox::wall_at(SteadyTime at) const {
  return clock_.wall() + std::chrono::floor<Millis>(at - clock_.steady());
}

}  // namespace rollwatch
