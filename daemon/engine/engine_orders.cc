// What became of orders, told by the outbox or by a late acknowledgement.
#include <cstdlib>

#include "daemon/engine/engine_impl.h"

namespace rollwatch {
namespace {

unsigned order_number(const std::string& delivery) {
  const std::size_t dash = delivery.rfind('-');
  return dash == std::string::npos ? 0
                                   : static_cast<unsigned>(std::atoi(delivery.c_str() + dash + 1));
}

// It is out; or it was taken back or expired while the attempt was out, and had its effect all the
// same.
bool counts(const RolloutState& s, unsigned number, SendEnd end) {
  if (s.order && s.order->number == number) return true;
  return s.lapsed && s.lapsed->number == number && end == SendEnd::kDone;
}

}  // namespace

// ---- Orders
// --------------------------------------------------------------------------------------

// Recorded apart from the rollout's steps, when nothing follows from it for the rollout.
awaitable<void> Engine::Impl::record_delivery(Lease lease, std::string rollout,
                                              DeliveryUpdate update) {
  Commit commit;
  commit.rollout = std::move(rollout);
  commit.delivery_updates.push_back(std::move(update));
  co_await record_under(std::move(lease), std::move(commit));
}

awaitable<DeliveryState> Engine::Impl::order_attempted(Lease lease, std::string rollout,
                                                       std::string delivery, SendResult result) {
  const EntryPtr entry = look_up(rollout);
  if (entry && entry->tenure->epoch != lease.epoch)
    throw StaleLease("the order was sent before its rollout was taken over anew");
  const unsigned number = order_number(delivery);
  DeliveryUpdate update;
  update.id = delivery;
  update.attempt = result.attempt;
  if (entry && counts(entry->state, number, result.end)) {
    Work work;
    OrderEnded ended;
    ended.number = number;
    ended.detail = result.attempt.answer.empty() ? result.attempt.error : result.attempt.answer;
    switch (result.end) {
      case SendEnd::kDone:
        update.state = DeliveryState::kDone;
        break;
      case SendEnd::kAccepted:
        update.state = DeliveryState::kAccepted;
        update.accepted_until = clock_.wall() + rules_.ack_deadline(entry->spec.orchestrator);
        ended.end = OrderEnd::kAccepted;
        break;
      case SendEnd::kRefused:
        update.state = DeliveryState::kRefused;
        ended.end = OrderEnd::kRefused;
        break;
      case SendEnd::kRetry:
        update.state = DeliveryState::kPending;
        work.only_delivery = true;
        break;
    }
    work.input = std::move(ended);
    work.delivery = update;
    work.by_outbox = true;
    const WorkResult recorded = co_await put_and_wait(entry, std::move(work));
    if (recorded.end == WorkEnd::kStoreAway) throw recorded.error();
    if (recorded.end == WorkEnd::kRecorded) co_return recorded.delivery;
  }
  // Withdrawn, or ended by somebody's word, while the attempt was out: recorded with it, and ends
  // nothing.
  co_await check_over(rollout);
  const auto stored = co_await store_.delivery(delivery);
  if (!stored) co_return DeliveryState::kWithdrawn;
  update.state = stored->state;
  update.accepted_until = stored->accepted_until;
  co_await record_delivery(std::move(lease), std::move(rollout), std::move(update));
  co_return stored->state;
}

awaitable<DeliveryState> Engine::Impl::order_expired(Lease lease, std::string rollout,
                                                     std::string delivery, std::string why) {
  auto stored = co_await store_.delivery(delivery);
  if (!stored || !is_open(stored->state))
    co_return stored ? stored->state : DeliveryState::kWithdrawn;
  std::string last = std::move(why);
  if (!stored->attempts.empty()) {
    const Attempt& attempt = stored->attempts.back();
    last = attempt.status ? "the deployer last answered " + std::to_string(*attempt.status)
                          : attempt.error;
  }
  DeliveryUpdate update;
  update.id = delivery;
  update.state = DeliveryState::kDead;
  co_await check_over(rollout);
  if (const EntryPtr entry = look_up(rollout)) {
    if (entry->tenure->epoch != lease.epoch)
      throw StaleLease("the rollout was taken over anew since");
    Work work;
    work.input = OrderEnded{order_number(delivery), OrderEnd::kExpired, last};
    work.delivery = update;
    work.by_outbox = true;
    const WorkResult recorded = co_await put_and_wait(entry, std::move(work));
    if (recorded.end == WorkEnd::kStoreAway) throw recorded.error();
    if (recorded.end == WorkEnd::kRecorded) co_return DeliveryState::kDead;
    stored = co_await store_.delivery(delivery);
    if (!stored || !is_open(stored->state))
      co_return stored ? stored->state : DeliveryState::kWithdrawn;
  }
  co_await record_delivery(std::move(lease), std::move(rollout), std::move(update));
  co_return DeliveryState::kDead;
}

awaitable<DecideResult> Engine::Impl::acknowledge(std::string delivery, bool done,
                                                  std::string detail, Via via) {
  check_started();
  const DeliveryState wanted = done ? DeliveryState::kDone : DeliveryState::kRefused;
  auto stored = co_await store_.delivery(delivery);
  if (!stored || stored->cls != DeliveryClass::kOrder)
    co_return DecideResult{DecideEnd::kNotFound, "", {}};
  EntryPtr entry;
  if (stored->state != wanted) entry = co_await reach(stored->rollout);
  if (entry) {
    Work work;
    work.input = OrderEnded{order_number(delivery), done ? OrderEnd::kDone : OrderEnd::kRefused,
                            std::move(detail), std::move(via)};
    DeliveryUpdate update;
    update.id = delivery;
    update.state = wanted;
    work.delivery = update;
    const WorkResult recorded = co_await put_and_wait(entry, std::move(work));
    if (recorded.end == WorkEnd::kStoreAway) throw recorded.error();
    if (recorded.end == WorkEnd::kRecorded)
      co_return DecideResult{DecideEnd::kDone, "", entry->view(source_)};
    stored = co_await store_.delivery(delivery);
    if (!stored) co_return DecideResult{DecideEnd::kNotFound, "", {}};
  }
  auto view = co_await find(stored->rollout);
  if (stored->state == wanted) co_return DecideResult{DecideEnd::kDone, "", std::move(view)};
  const std::string why = "order " + delivery + " is " + std::string(name_of(stored->state)) +
                          " and no longer the rollout's latest: nothing changes";
  co_return DecideResult{DecideEnd::kConflict, why, std::move(view)};
}

}  // namespace rollwatch
