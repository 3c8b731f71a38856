// The attempts of the outbox, each a straight line: send, tell who records it, say what follows.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>

#include "daemon/delivery/answer.h"
#include "daemon/delivery/outbox.h"
#include "daemon/net/fail_point.h"
#include "notifiers/retry.h"

namespace rollwatch {
namespace {

constexpr Millis kLookAgain = std::chrono::seconds{30};
constexpr Millis kLeastTurnedAway = std::chrono::seconds{1};
constexpr const char* kMemo = "notifier";  // what the sender remembers of a rollout

std::string_view name_of_end(SendEnd end) {
  switch (end) {
    case SendEnd::kDone:
      return "done";
    case SendEnd::kAccepted:
      return "accepted";
    case SendEnd::kRefused:
      return "refused";
    case SendEnd::kRetry:
      break;
  }
  return "retry";
}

SendResult no_such_target(std::string_view what, const std::string& name, SysTime now) {
  SendResult result;
  result.attempt.at = now;
  result.attempt.error = "no " + std::string(what) + " named " + name + " is configured";
  return result;
}

}  // namespace

awaitable<void> Outbox::attempt_order(EntryPtr entry) {
  co_await net::post(executor_, net::use_awaitable);  // never within the call that began it
  fail_point("before_send");
  if (entry->closed) {  // withdrawn within this very turn
    --lanes_[lane_name(entry->delivery)].out;
    not_attempted(*entry);
    co_return finish(entry, entry->again ? DeliveryState::kPending : DeliveryState::kWithdrawn);
  }
  const std::optional<SendResult> sent = co_await send_order(entry);
  if (stopped_) co_return;
  if (!sent) co_return not_sent(entry);
  const SendResult& result = *sent;
  --lanes_[lane_name(entry->delivery)].out;
  ++entry->attempts_made;
  count(*entry, name_of_end(result.end));
  attempted(*entry, result);
  fill(lane_name(entry->delivery));
  if (entry->lost) co_return finish(entry, DeliveryState::kPending);

  const DeliveryState state = co_await report(entry, result);
  if (stopped_) co_return;
  if (entry->lost) co_return finish(entry, state);
  if (state == DeliveryState::kAccepted && !entry->closed) co_await read_accepted_until(entry);
  if (stopped_) co_return;
  if (state == DeliveryState::kDone && !entry->closed) count_delivered(*entry);
  entry->due =
      clock_.steady() + order_retry_delay(entry->attempts_made, random_(), result.retry_after);
  if (result.end == SendEnd::kRetry && !entry->closed) {
    spdlog::warn("{} order {} to {}: attempt {} failed: {}", entry->delivery.kind,
                 entry->delivery.id, entry->delivery.target, entry->attempts_made,
                 describe(result.attempt));
  }
  finish(entry, state);
}

// Drivers that can look at the target do not do twice what has already been done, and do not call
// done what did not take effect. Nothing: it was not sent, because the lease may have run out, or
// has.
awaitable<std::optional<SendResult>> Outbox::send_order(EntryPtr entry) {
  const auto found = drivers_.find(entry->delivery.target);
  if (found == drivers_.end())
    co_return no_such_target("orchestrator", entry->delivery.target, clock_.wall());
  const std::shared_ptr<TargetDriver> driver = found->second;  // a reload may drop it meanwhile
  OrderMessage order;
  order.spec = *entry->spec;
  order.delivery = entry->delivery;
  order.attempt = static_cast<int>(entry->attempts_made + 1);

  if (!leases_.is_sure()) co_return std::nullopt;
  if (auto ended = co_await driver->look(order)) co_return *std::move(ended);
  if (entry->lost || !leases_.is_sure()) co_return std::nullopt;
  SendResult result = co_await driver->send(order);
  if (result.end != SendEnd::kDone) co_return result;
  const Looked after = co_await driver->confirm(order);
  if (after == Looked::kNotYet) {
    result.end = SendEnd::kRetry;
    result.attempt.error = "sent, and the target does not show it yet";
  }
  co_return result;
}

// What is certain is told until it is recorded. A failed attempt that could not be recorded is not
// worth holding up the next one for, least of all a rollback's.
awaitable<DeliveryState> Outbox::report(EntryPtr entry, SendResult result) {
  for (unsigned failures = 0;; co_await store_back_off(++failures)) {
    std::string problem;
    try {
      fail_point("before_ack_commit");
      const DeliveryState state = co_await sink_.order_attempted(
          entry->lease, entry->delivery.rollout, entry->delivery.id, result);
      co_return state;
    } catch (const StaleLease&) {
      refused(entry);
      co_return DeliveryState::kPending;
    } catch (const StoreError& error) {
      problem = error.what();
    }
    spdlog::error("order {}: the answer \"{}\" is not recorded: {}", entry->delivery.id,
                  name_of_end(result.end), problem);
    if (result.end == SendEnd::kRetry || stopped_ || entry->lost) co_return DeliveryState::kPending;
  }
}

awaitable<void> Outbox::read_accepted_until(EntryPtr entry) {
  for (unsigned failures = 0; !entry->closed && !stopped_; co_await store_back_off(++failures)) {
    try {
      const std::optional<Delivery> stored = co_await store_.delivery(entry->delivery.id);
      if (stored) {
        entry->delivery.accepted_until = stored->accepted_until;
        entry->until = steady_at(stored->accepted_until);
      }
      co_return;
    } catch (const StoreError& error) {
      spdlog::error("order {}: cannot read until when it may be acknowledged: {}",
                    entry->delivery.id, error.what());
    }
  }
}

awaitable<void> Outbox::expire_order(EntryPtr entry) {
  co_await net::post(executor_, net::use_awaitable);
  DeliveryState state = entry->delivery.state;
  for (unsigned failures = 0; !entry->closed && !stopped_; co_await store_back_off(++failures)) {
    try {
      state = co_await sink_.order_expired(entry->lease, entry->delivery.rollout,
                                           entry->delivery.id, why_not_attempted(*entry));
      break;
    } catch (const StaleLease&) {
      refused(entry);
    } catch (const StoreError& error) {
      spdlog::error("order {}: its expiry is not recorded: {}", entry->delivery.id, error.what());
    }
  }
  if (stopped_) co_return;
  if (is_open(state)) {
    // The engine sees it otherwise, so it has more time.
    (state == DeliveryState::kAccepted ? entry->delivery.accepted_until
                                       : entry->delivery.expires_at) = clock_.wall() + kLookAgain;
    entry->until = clock_.steady() + kLookAgain;
  } else if (!entry->closed) {
    count(*entry, "expired");
    spdlog::error("{} order {} to {} expired after {} attempts", entry->delivery.kind,
                  entry->delivery.id, entry->delivery.target, entry->attempts_made);
  }
  finish(entry, state);
}

awaitable<void> Outbox::attempt_notification(EntryPtr entry) {
  co_await net::post(executor_, net::use_awaitable);
  if (entry->lost) co_return not_sent(entry);
  const std::optional<SendResult> sent = co_await send_notification(entry);
  if (stopped_) co_return;
  if (!sent) co_return not_sent(entry);
  const SendResult& result = *sent;
  const SteadyTime now = clock_.steady();
  Lane& lane = lanes_[lane_name(entry->delivery)];
  ++entry->attempts_made;
  count(*entry, name_of_end(result.end));
  attempted(*entry, result);

  // A destination that is busy says when to come back, and means everybody. That uses up no
  // attempt: what is late is told late, and not at all only after its time.
  const bool is_turned_away = result.end == SendEnd::kRetry && result.attempt.status == 429 &&
                              result.retry_after.has_value();
  if (is_turned_away) ++entry->turned_away;
  if (!is_turned_away) note_trouble(*entry, result);
  auto delay =
      notification_retry_delay(entry->attempts_made - entry->turned_away, result.retry_after);
  if (is_turned_away) delay = std::max(delay.value_or(Millis{0}), kLeastTurnedAway);
  DeliveryState state = DeliveryState::kDone;
  if (result.end == SendEnd::kRefused) state = DeliveryState::kDead;
  if (result.end == SendEnd::kRetry) {
    if (result.retry_after && delay) lane.not_before = std::max(lane.not_before, now + *delay);
    state = delay ? DeliveryState::kPending : DeliveryState::kDead;
    entry->due = now + delay.value_or(Millis{0});
  }
  // What follows builds on what is to be remembered of this one.
  const bool holds_place = result.memo.has_value();
  if (!holds_place) leave_lane(*entry);
  const bool cannot_be_told =
      state == DeliveryState::kDead || fails_for_long(entry->delivery.target);
  if (result.end != SendEnd::kDone && cannot_be_told) {
    const EntryPtr given_up = state == DeliveryState::kDead ? entry : nullptr;
    co_await tell_instead(entry->delivery.target, given_up);
  }
  if (stopped_) co_return;

  for (unsigned failures = 0;; co_await store_back_off(++failures)) {
    std::optional<Attempt> attempt = result.attempt;
    std::optional<std::string> memo = result.memo;
    fail_point("before_notice_commit");
    if (entry->lost) break;
    const bool recorded = co_await record(entry, state, std::move(attempt), std::move(memo));
    if (recorded || (is_open(state) && !holds_place) || stopped_) break;
  }
  if (stopped_) co_return;
  if (holds_place) leave_lane(*entry);
  if (entry->lost) co_return finish(entry, state);
  if (state == DeliveryState::kDone) count_delivered(*entry);
  // That nothing was sent says nothing about whoever it would have been sent to.
  if (state == DeliveryState::kDone && result.attempt.status) co_await tell_end_of_trouble(entry);
  if (stopped_) co_return;
  if (state == DeliveryState::kDead && result.end == SendEnd::kRetry) count(*entry, "given_up");
  if (state != DeliveryState::kDone) {
    spdlog::warn("notification {} ({}) to {}: attempt {} failed{}: {}", entry->delivery.id,
                 entry->delivery.kind, entry->delivery.target, entry->attempts_made,
                 state == DeliveryState::kDead ? " and there will be no other" : "",
                 describe(result.attempt));
  }
  finish(entry, state);
}

awaitable<std::optional<SendResult>> Outbox::send_notification(EntryPtr entry) {
  const auto found = senders_.find(entry->delivery.target);
  if (found == senders_.end())
    co_return no_such_target("notifier", entry->delivery.target, clock_.wall());
  const std::shared_ptr<NotificationSender> sender = found->second;
  NotificationMessage message;
  message.spec = *entry->spec;
  message.delivery = entry->delivery;
  message.attempt = static_cast<int>(entry->attempts_made + 1);
  if (sender->remembers()) {
    for (unsigned failures = 0; !stopped_; co_await store_back_off(++failures)) {
      try {
        message.memo = co_await store_.memo(entry->delivery.rollout, entry->delivery.target, kMemo);
        break;
      } catch (const StoreError& error) {
        spdlog::error("notification {}: cannot read what was posted before it: {}",
                      entry->delivery.id, error.what());
      }
    }
    if (stopped_) co_return std::nullopt;
    message.is_outdated = is_outdated(*entry, *sender);
  }
  if (entry->lost || !leases_.is_sure()) co_return std::nullopt;
  SendResult result = co_await sender->send(message);
  co_return result;
}

awaitable<void> Outbox::expire_notification(EntryPtr entry) {
  co_await net::post(executor_, net::use_awaitable);
  co_await tell_instead(entry->delivery.target, entry);
  for (unsigned failures = 0; !stopped_ && !entry->lost; co_await store_back_off(++failures)) {
    std::optional<Attempt> none;
    const bool recorded = co_await record(entry, DeliveryState::kDead, std::move(none));
    if (recorded) break;
  }
  if (stopped_) co_return;
  if (entry->lost) co_return finish(entry, DeliveryState::kPending);
  count(*entry, "expired");
  spdlog::warn("notification {} ({}) to {} expired after {} attempts", entry->delivery.id,
               entry->delivery.kind, entry->delivery.target, entry->attempts_made);
  finish(entry, DeliveryState::kDead);
}

awaitable<bool> Outbox::record(EntryPtr entry, DeliveryState state, std::optional<Attempt> attempt,
                               std::optional<std::string> memo) {
  DeliveryUpdate update;
  update.id = entry->delivery.id;
  update.state = state;
  update.attempt = std::move(attempt);
  Commit commit;
  commit.rollout = entry->delivery.rollout;
  commit.epoch = entry->lease.epoch;
  commit.delivery_updates.push_back(std::move(update));
  if (memo) commit.memos.push_back({entry->delivery.target, kMemo, std::move(*memo), false});
  std::vector<Commit> batch;
  batch.push_back(std::move(commit));
  try {
    co_await store_.record(std::move(batch));
    co_return true;
  } catch (const StaleLease&) {
    refused(entry);
  } catch (const StoreError& error) {
    spdlog::error("notification {}: its end is not recorded: {}", entry->delivery.id, error.what());
  }
  co_return false;
}

awaitable<void> Outbox::store_back_off(unsigned failures) {
  co_await clock_.sleep(order_retry_delay(failures, random_()));
}

std::optional<std::vector<std::pair<std::string, OrderPreview>>> Outbox::preview(
    const std::string& orchestrator, const RolloutSpec& spec) const {
  const auto driver = drivers_.find(orchestrator);
  if (driver == drivers_.end()) return std::nullopt;
  struct Example {
    const char* kind;
    double weight;
  };
  constexpr std::array<Example, 5> kExamples = {
      {{"advance", 25}, {"promote", 100}, {"rollback", 0}, {"pause", 25}, {"resume", 25}}};
  std::vector<std::pair<std::string, OrderPreview>> previews;
  for (const Example& example : kExamples) {
    OrderMessage order;
    order.spec = spec;
    order.delivery.id = "ord_example";
    order.delivery.kind = example.kind;
    order.delivery.weight = example.weight;
    order.delivery.fence = clock_.wall().time_since_epoch().count();
    order.delivery.expires_at = clock_.wall() + std::chrono::minutes{5};
    order.delivery.payload =
        R"({"state":"analyzing","step":0,"reason":{"summary":"an example","by":"engine"}})";
    previews.emplace_back(example.kind, driver->second->preview(order));
  }
  return previews;
}

}  // namespace rollwatch
