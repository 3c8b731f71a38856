// The outbox and notifiers that cannot be told: their news goes to another one. A notification that
// was given up goes there as it ends; one that waits for a notifier which has failed for two
// minutes goes there as well, and is still delivered late. That it is so is told there once, before
// the first of them, and once more when the notifier takes something again.
//
// The id of what is told in its place is made from the notification's, so that a restart, or
// another attempt, finds it in the store and does not tell it twice. It is on disk before the
// notification's own end is: a crash in between loses nothing.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "daemon/delivery/answer.h"
#include "daemon/delivery/outbox.h"

namespace rollwatch {
namespace {

// What is told in a notifier's place must have some time, however old the news is by then.
constexpr Millis kLeastTime = std::chrono::hours{1};

constexpr const char* kInPlace = "f";
constexpr const char* kBegins = "b";
constexpr const char* kEnds = "e";

Delivery made_from(const Delivery& other, const char* mark, const std::string& target,
                   const Notice& notice, SysTime now) {
  Delivery delivery;
  delivery.id = other.id + mark;
  delivery.cls = DeliveryClass::kNotification;
  delivery.kind = name_of(notice.event);
  delivery.rollout = other.rollout;
  delivery.target = target;
  delivery.created_at = now;
  delivery.expires_at = std::max(other.expires_at, now + kLeastTime);
  delivery.payload = to_payload(notice);
  return delivery;
}

}  // namespace

void Outbox::note_trouble(const Entry& entry, const SendResult& result) {
  const std::string& notifier = entry.delivery.target;
  if (!fallbacks_.contains(notifier) || result.end == SendEnd::kDone) return;
  Trouble fresh;
  fresh.facts.since = clock_.wall();
  fresh.since = clock_.steady();
  NotifierTrouble& facts = troubles_.try_emplace(notifier, std::move(fresh)).first->second.facts;
  facts.error = describe(result.attempt);
  facts.refuses = result.end == SendEnd::kRefused;
}

bool Outbox::fails_for_long(const std::string& notifier) const {
  const auto trouble = troubles_.find(notifier);
  return trouble != troubles_.end() && !trouble->second.facts.refuses &&
         clock_.steady() - trouble->second.since >= kFailsForLong;
}

// In the order they came. Whatever is not for the fallback is looked at once only.
std::vector<Outbox::EntryPtr> Outbox::to_tell_instead(const std::string& notifier,
                                                      const Fallback& fallback,
                                                      const EntryPtr& given_up) {
  std::vector<EntryPtr> found;
  const bool all = fails_for_long(notifier);
  for (const auto& [id, entry] : entries_) {
    const Delivery& delivery = entry->delivery;
    const bool is_its = delivery.cls == DeliveryClass::kNotification && delivery.target == notifier;
    if (!is_its || entry->told_instead || !(all || entry == given_up)) continue;
    entry->told_instead = true;
    const auto notice = from_payload(delivery.payload);
    if (notice && fallback.wants(*entry->spec, *notice)) found.push_back(entry);
  }
  std::sort(found.begin(), found.end(),
            [](const EntryPtr& a, const EntryPtr& b) { return a->serial < b->serial; });
  return found;
}

awaitable<void> Outbox::tell_instead(std::string notifier, EntryPtr given_up) {
  const auto configured = fallbacks_.find(notifier);
  if (configured == fallbacks_.end()) co_return;
  const Fallback fallback = configured->second;  // a reload may drop it meanwhile
  const std::vector<EntryPtr> found = to_tell_instead(notifier, fallback, given_up);
  std::vector<EntryPtr> untold;
  for (const EntryPtr& entry : found) {
    std::string id = entry->delivery.id + kInPlace;
    const bool known = co_await is_in_store(std::move(id));
    if (!known) untold.push_back(entry);
  }
  if (untold.empty() || stopped_) co_return;

  const SysTime now = clock_.wall();
  std::vector<InPlace> made;
  const auto make = [&](const EntryPtr& entry, const char* mark, const Notice& notice) {
    made.push_back({entry, made_from(entry->delivery, mark, fallback.notifier, notice, now)});
  };
  Trouble fresh;  // what expired for another reason than that attempts failed
  fresh.facts = {now, "not delivered in time", false};
  fresh.since = clock_.steady();
  Trouble& trouble = troubles_.try_emplace(notifier, std::move(fresh)).first->second;
  if (!std::exchange(trouble.told, true)) {
    make(untold.front(), kBegins, trouble_begins(notifier, trouble.facts, now));
    spdlog::warn("notifier {} cannot be told: {}; what is for it goes to {}", notifier,
                 trouble.facts.error, fallback.notifier);
  }
  for (const EntryPtr& entry : untold)
    make(entry, kInPlace, in_place_of(notifier, *from_payload(entry->delivery.payload)));
  co_await hand_over(std::move(made));
}

void Outbox::tell_waiting_instead(const std::string& notifier) {
  if (draining_ || !fallbacks_.contains(notifier) || !fails_for_long(notifier)) return;
  ++busy_;
  spawn(executor_, "fallback of " + notifier, [this, notifier]() -> awaitable<void> {
    const EntryPtr nobody;
    co_await tell_instead(notifier, nobody);
    if (--busy_ == 0 && idle_) idle_->set(true);
  });
}

awaitable<void> Outbox::tell_end_of_trouble(EntryPtr entry) {
  const std::string& notifier = entry->delivery.target;
  const auto trouble = troubles_.find(notifier);
  if (trouble == troubles_.end()) co_return;
  const Trouble over = trouble->second;
  troubles_.erase(trouble);
  const auto fallback = fallbacks_.find(notifier);
  if (!over.told || fallback == fallbacks_.end()) co_return;
  const SysTime now = clock_.wall();
  const Notice notice = trouble_ends(notifier, over.facts, now);
  std::vector<InPlace> made;
  made.push_back(
      {entry, made_from(entry->delivery, kEnds, fallback->second.notifier, notice, now)});
  co_await hand_over(std::move(made));
}

awaitable<bool> Outbox::is_in_store(std::string delivery) {
  for (unsigned failures = 0; !stopped_; co_await store_back_off(++failures)) {
    try {
      const auto stored = co_await store_.delivery(delivery);
      co_return stored.has_value();
    } catch (const StoreError& error) {
      spdlog::error("notification {}: cannot read whether it was told: {}", delivery, error.what());
    }
  }
  co_return false;
}

// Adds what is on disk. Together if that can be; if another node has one of the places by now, each
// alone: what belongs there is told by that node.
awaitable<void> Outbox::hand_over(std::vector<InPlace> made) {
  bool together = true;
  for (unsigned failures = 0; !stopped_; co_await store_back_off(++failures)) {
    const std::size_t count = together ? made.size() : 1;
    std::vector<Commit> batch;
    for (std::size_t i = 0; i < count; ++i) {
      Commit& commit = batch.emplace_back();
      commit.rollout = made[i].delivery.rollout;
      commit.epoch = made[i].of->lease.epoch;
      commit.deliveries.push_back(made[i].delivery);
    }
    std::size_t done = 0;
    try {
      co_await store_.record(std::move(batch));
      for (; done < count; ++done) add(made[done].delivery, *made[done].of->spec);
    } catch (const StaleLease&) {
      if (std::exchange(together, false) && count > 1) continue;
      refused(made.front().of);
      done = 1;
    } catch (const StoreError& error) {
      spdlog::error("what is told in place of a notifier is not recorded: {}", error.what());
    }
    made.erase(made.begin(), made.begin() + static_cast<long>(done));
    if (made.empty()) co_return;
    if (done > 0) failures = 0;
  }
}

awaitable<std::optional<SendResult>> Outbox::test(std::string notifier, std::string by) {
  const auto found = senders_.find(notifier);
  if (found == senders_.end()) co_return std::nullopt;
  const std::shared_ptr<NotificationSender> sender = found->second;
  const SysTime now = clock_.wall();
  NotificationMessage message;
  message.spec.id = "ro_test";
  message.spec.service = "test";
  message.spec.candidate = "test";
  message.spec.created_at = now;
  Delivery& delivery = message.delivery;
  delivery.id = "no_test-" + std::to_string(now.time_since_epoch().count());
  delivery.cls = DeliveryClass::kNotification;
  delivery.rollout = message.spec.id;
  delivery.target = notifier;
  delivery.created_at = now;
  delivery.expires_at = now + kLeastTime;
  const Notice notice = test_notice(notifier, by, now);
  delivery.kind = name_of(notice.event);
  delivery.payload = to_payload(notice);
  SendResult result = co_await sender->send(message);
  co_return result;
}

}  // namespace rollwatch
