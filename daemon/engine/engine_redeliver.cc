// What a person has sent again: a rollback that failed, or a notification that is dead. The id
// stays, so a receiver that has carried it out after all answers that it has.
#include <utility>

#include "analysis/text.h"
#include "daemon/engine/engine_impl.h"

namespace rollwatch {
namespace {

// As long as a new one is tried.
constexpr Millis kNotificationAgain = std::chrono::hours{24};
constexpr std::size_t kLongestSummary = 290;

Delivery sent_again(Delivery delivery, SysTime expires_at) {
  delivery.state = DeliveryState::kPending;
  delivery.expires_at = expires_at;
  delivery.accepted_until = SysTime{};
  return delivery;
}

DeliveryUpdate update_of(const Delivery& delivery) {
  DeliveryUpdate update;
  update.id = delivery.id;
  update.state = delivery.state;
  update.expires_at = delivery.expires_at;
  return update;
}

Event sent_again_event(const Delivery& notification, const RolloutState& s, SysTime now) {
  Event event;
  event.type = EventType::kNote;
  event.at = now;
  event.state = s.state;
  event.step = s.step;
  event.verdict = s.verdict;
  event.summary = "a notification (" + notification.kind + ") that did not reach " +
                  notification.target + " is sent again by ";
  return event;
}

RedeliverResult conflict(std::string why) {
  return {DecideEnd::kConflict, std::move(why), std::nullopt};
}

}  // namespace

awaitable<RedeliverResult> Engine::Impl::redeliver(std::string delivery, std::string by,
                                                   std::string reason, Via via) {
  check_started();
  // Two people at once have it sent once.
  const std::shared_ptr<void> turn = co_await take_turn("redeliver " + delivery);
  auto stored = co_await store_.delivery(delivery);
  if (!stored) co_return RedeliverResult{};
  const bool order = stored->cls == DeliveryClass::kOrder;
  if (order && stored->kind != name_of(DecisionKind::kRollback))
    co_return conflict("it is an order to " + stored->kind +
                       ": only a rollback that failed is sent again; decide anew instead");
  if (!may_be_redelivered(*stored))
    co_return conflict("it is " + std::string(name_of(stored->state)) +
                       ": only what could not be delivered is sent again");
  RollbackSentAgain said{std::move(by), std::move(reason), std::move(via)};
  if (order) co_return co_await redeliver_order(std::move(*stored), std::move(said));
  co_return co_await redeliver_notification(std::move(*stored), std::move(said));
}

awaitable<RedeliverResult> Engine::Impl::redeliver_order(Delivery order, RollbackSentAgain said) {
  const EntryPtr entry = co_await reach(order.rollout);
  if (!entry)
    co_return conflict(
        "somebody has acted since this rollback failed, or a later order was given: it is not sent "
        "any more");
  const Millis limit = rules_.order_deadline(entry->spec.orchestrator, DecisionKind::kRollback);
  Delivery again = sent_again(std::move(order), clock_.wall() + limit);
  Work work{std::move(said)};
  work.delivery = update_of(again);
  work.again = again;
  const WorkResult recorded = co_await put_and_wait(entry, std::move(work));
  if (recorded.end == WorkEnd::kStoreAway) throw recorded.error();
  if (recorded.end != WorkEnd::kRecorded)
    co_return conflict(recorded.why.empty() ? "the rollout has ended" : recorded.why);
  RedeliverResult done{DecideEnd::kDone, "", std::move(again)};
  co_return done;
}

// Nothing follows from it for the rollout, which may have ended long ago; that somebody had it sent
// again is in its record all the same, in the same commit.
awaitable<RedeliverResult> Engine::Impl::redeliver_notification(Delivery notification,
                                                                RollbackSentAgain said) {
  const auto rollout = co_await store_.rollout(notification.rollout);
  if (!rollout) co_return RedeliverResult{};
  Delivery again = sent_again(std::move(notification), clock_.wall() + kNotificationAgain);
  Event event = sent_again_event(again, rollout->state, clock_.wall());
  event.summary += said.by.empty() ? "nobody named" : said.by;
  if (!said.reason.empty()) event.summary += ": " + said.reason;
  event.summary = cut(event.summary, kLongestSummary);
  event.by = std::move(said.by);
  event.reason = std::move(said.reason);
  event.via = std::move(said.via);
  Commit commit;
  commit.rollout = again.rollout;
  commit.delivery_updates.push_back(update_of(again));
  commit.events.push_back(event);
  Lease lease{place_of(rollout->spec), 0};
  lease.epoch = co_await come_to(lease.place);
  const std::vector<Recorded> at_commit =
      co_await record_under(std::move(lease), std::move(commit));
  if (hooks_.event)
    hooks_.event({at_commit.at(0).event_seqs.at(0), rollout->spec.id, std::move(event)},
                 rollout->spec, "");
  if (hooks_.deliver) hooks_.deliver(again, rollout->spec);
  RedeliverResult done{DecideEnd::kDone, "", std::move(again)};
  co_return done;
}

}  // namespace rollwatch
