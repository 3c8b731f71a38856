// Scheduling: which delivery may go now, and when to look again. The attempts themselves are in
// attempts.cc.
#include "daemon/delivery/outbox.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "notifiers/retry.h"

namespace rollwatch {
namespace {

// Attempts at once to one orchestrator; as many again for rollbacks.
constexpr std::size_t kOrderPlaces = 64;

bool is_order(const Delivery& delivery) { return delivery.cls == DeliveryClass::kOrder; }
bool is_rollback(const Delivery& delivery) {
  return is_order(delivery) && delivery.kind == "rollback";
}

constexpr int kTooManyRequests = 429;

unsigned times_turned_away(const Delivery& delivery) {
  if (is_order(delivery)) return 0;
  return static_cast<unsigned>(
      std::count_if(delivery.attempts.begin(), delivery.attempts.end(),
                    [](const Attempt& attempt) { return attempt.status == kTooManyRequests; }));
}

// A notification keeps its pace over a restart, or a crash loop would use up its attempts in a
// minute.
Millis wait_left(const Delivery& delivery, SysTime now) {
  if (is_order(delivery) || delivery.attempts.empty()) return Millis{0};
  const Attempt& last = delivery.attempts.back();
  const auto delay = notification_retry_delay(static_cast<unsigned>(delivery.attempts.size()) -
                                              times_turned_away(delivery));
  if (!delay) return Millis{0};
  return std::clamp(last.at + last.duration + *delay - now, Millis{0}, *delay);
}

}  // namespace

Outbox::Outbox(net::any_io_executor executor, Clock& clock, Store& store, OrderSink& sink,
               Leases& leases, std::function<double()> random, OutboxHooks hooks)
    : executor_(executor),
      clock_(clock),
      store_(store),
      sink_(sink),
      leases_(leases),
      random_(std::move(random)),
      hooks_(std::move(hooks)),
      alarm_(std::move(executor), clock, [this] { ring(); }) {}

void Outbox::configure(Drivers drivers, Senders senders, Fallbacks fallbacks) {
  drivers_ = std::move(drivers);
  senders_ = std::move(senders);
  fallbacks_ = std::move(fallbacks);
  std::erase_if(troubles_, [this](const auto& one) { return !fallbacks_.contains(one.first); });
  keep_breakers_of_configured();
}

void Outbox::add(Delivery delivery, RolloutSpec spec) {
  if (!is_open(delivery.state)) return;
  if (const auto known = entries_.find(delivery.id); known != entries_.end()) {
    // It had ended, and is sent again, while an attempt is out: when that has, unless it ends this
    // one as well.
    if (known->second->closed) known->second->again = std::move(delivery);
    return;
  }
  std::optional<Lease> lease = lease_for(spec);
  if (!lease) return;
  auto entry = std::make_shared<Entry>();
  entry->lease = std::move(*lease);
  entry->serial = ++serials_;
  entry->spec = std::make_shared<const RolloutSpec>(std::move(spec));
  entry->attempts_made = static_cast<unsigned>(delivery.attempts.size());
  entry->turned_away = times_turned_away(delivery);
  entry->due = clock_.steady() + wait_left(delivery, clock_.wall());
  delivery.attempts.clear();
  entry->delivery = std::move(delivery);
  entry->until = steady_at(deadline(*entry));
  entries_.emplace(entry->delivery.id, entry);
  if (is_order(entry->delivery))
    orders_of_[entry->delivery.rollout].emplace(entry->delivery.number, entry);
  look_at(entry);
  if (!is_order(entry->delivery)) tell_waiting_instead(entry->delivery.target);
}

void Outbox::withdraw(const std::string& id) { close(id, "withdrawn", false); }

void Outbox::acknowledged(const std::string& id, DeliveryState state) {
  close(id, state == DeliveryState::kDone ? "acknowledged" : name_of(state),
        state == DeliveryState::kDone);
}

void Outbox::close(const std::string& id, std::string_view result, bool done) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  const EntryPtr entry = found->second;
  entry->again.reset();
  if (entry->closed) return;
  entry->closed = true;
  count(*entry, result);
  if (done) count_delivered(*entry);
  if (!entry->busy) remove(entry);
}

awaitable<void> Outbox::drain(Millis limit) {
  draining_ = true;
  alarm_.clear();
  if (busy_ != 0) {
    idle_.emplace(executor_);
    Alarm patience(executor_, clock_, [this] { idle_->set(false); });
    patience.set(clock_.steady() + limit);
    if (!co_await idle_->get())
      spdlog::warn("stopping with {} attempts in flight: they are made again", busy_);
  }
  stopped_ = true;
}

// The one place that decides what an open delivery does next. Called whenever something it depends
// on has changed, and harmless if nothing did.
void Outbox::look_at(const EntryPtr& entry) {
  if (entry->busy || entry->closed || draining_ || left_.contains(entry->lease.place)) return;
  const Delivery& delivery = entry->delivery;
  const SteadyTime now = clock_.steady();
  const Millis left = this->left(*entry);
  if (left <= Millis{0}) {
    return begin(entry, "expiry",
                 is_order(delivery) ? &Outbox::expire_order : &Outbox::expire_notification);
  }
  if (delivery.state == DeliveryState::kAccepted) return wake(entry, now + left);
  Lane& lane = lanes_[lane_name(delivery)];
  lane.held.erase({entry->due, entry->serial});
  const SteadyTime due = std::max(entry->due, lane.not_before);
  if (due > now) return wake(entry, std::min(due, now + left));
  if (!leases_.is_sure()) return wake(entry, now + std::min(kLookWhenUnsure, left));
  const bool no_place = lane.out >= places(delivery);
  if (no_place) lane.waiting.emplace(entry->serial, entry);
  // Looked at again when a place is free, or an order before it gone; the alarm is for the
  // deadline.
  if (no_place || !is_next(*entry)) return wake(entry, now + left);
  if (is_held(entry)) {
    const Breaker& breaker = breaker_of(delivery);
    const bool probing = breaker.state() == BreakerState::kProbing;
    return wake(entry,
                probing ? now + left : std::min<SteadyTime>(breaker.next_probe(), now + left));
  }
  ++lane.out;
  if (!is_rollback(delivery)) breaker_of(delivery).begins(entry->serial);
  begin(entry, "delivery",
        is_order(delivery) ? &Outbox::attempt_order : &Outbox::attempt_notification);
}

// A rollback waits for nobody. Any other order waits for attempts in flight, also of withdrawn
// orders, and for orders given before it.
bool Outbox::is_next(const Entry& entry) const {
  if (!is_order(entry.delivery) || is_rollback(entry.delivery)) return true;
  const auto& orders = orders_of_.at(entry.delivery.rollout);
  return std::none_of(orders.begin(), orders.end(), [&](const auto& other) {
    const Entry& o = *other.second;
    if (&o == &entry) return false;
    return o.busy || (o.delivery.number < entry.delivery.number &&
                      o.delivery.state == DeliveryState::kPending);
  });
}

SysTime Outbox::deadline(const Entry& entry) const {
  return entry.delivery.state == DeliveryState::kAccepted ? entry.delivery.accepted_until
                                                          : entry.delivery.expires_at;
}

SteadyTime Outbox::steady_at(SysTime deadline) const {
  return clock_.steady() + (deadline - clock_.wall());
}

// Deadlines are dates, for the receiver's sake and to survive a restart; a wall clock that is put
// back must not let a promotion fire late for all that.
Millis Outbox::left(const Entry& entry) const {
  return std::min(deadline(entry) - clock_.wall(),
                  std::chrono::ceil<Millis>(entry.until - clock_.steady()));
}

std::string Outbox::lane_name(const Delivery& delivery) {
  const char* prefix = !is_order(delivery)     ? "notification "
                       : is_rollback(delivery) ? "rollback "
                                               : "order ";
  return prefix + delivery.target;
}

std::size_t Outbox::places(const Delivery& delivery) const {
  if (is_order(delivery)) return kOrderPlaces;
  const auto sender = senders_.find(delivery.target);
  return sender == senders_.end() ? 1 : sender->second->at_once();
}

void Outbox::wake(const EntryPtr& entry, SteadyTime at) {
  if (entry->wakes_at) timed_.erase({*entry->wakes_at, entry->serial});
  entry->wakes_at = at;
  timed_.emplace(std::pair{at, entry->serial}, entry);
  set_alarm();
}

void Outbox::set_alarm() {
  if (timed_.empty() || draining_) return alarm_.clear();
  alarm_.set(timed_.begin()->first.first);
}

void Outbox::ring() {
  const SteadyTime now = clock_.steady();
  std::vector<EntryPtr> due;
  while (!timed_.empty() && timed_.begin()->first.first <= now) {
    const EntryPtr entry = timed_.begin()->second;
    timed_.erase(timed_.begin());
    entry->wakes_at.reset();
    due.push_back(entry);
  }
  for (const EntryPtr& entry : due) look_at(entry);
  set_alarm();
}

void Outbox::begin(const EntryPtr& entry, std::string what,
                   awaitable<void> (Outbox::*work)(EntryPtr)) {
  if (entry->wakes_at) timed_.erase({*entry->wakes_at, entry->serial});
  entry->wakes_at.reset();
  Lane& lane = lanes_[lane_name(entry->delivery)];
  lane.waiting.erase(entry->serial);
  lane.held.erase({entry->due, entry->serial});
  entry->busy = true;
  ++busy_;
  spawn(executor_, what + " of " + entry->delivery.id,
        [this, entry, work] { return (this->*work)(entry); });
}

void Outbox::finish(const EntryPtr& entry, DeliveryState state) {
  entry->busy = false;
  --busy_;
  entry->delivery.state = state;
  if (entry->lost) {
    // Nothing here knows it any more.
  } else if (entry->closed || !is_open(state)) {
    remove(entry);
    if (entry->again && is_open(state)) add(std::move(*entry->again), *entry->spec);
  } else if (left_.contains(entry->lease.place)) {
    drop(entry);
  } else {
    look_at(entry);
  }
  look_at_orders_of(entry->delivery.rollout);
  fill(lane_name(entry->delivery));
  see_left();
  if (busy_ == 0 && idle_) idle_->set(true);
}

void Outbox::remove(const EntryPtr& entry) {
  const Delivery& delivery = entry->delivery;
  entry->closed = true;
  if (entry->wakes_at) timed_.erase({*entry->wakes_at, entry->serial});
  Lane& lane = lanes_[lane_name(delivery)];
  lane.waiting.erase(entry->serial);
  lane.held.erase({entry->due, entry->serial});
  entries_.erase(delivery.id);
  if (const auto orders = orders_of_.find(delivery.rollout);
      orders != orders_of_.end() && is_order(delivery)) {
    orders->second.erase(delivery.number);
    if (orders->second.empty()) orders_of_.erase(orders);
  }
  look_at_orders_of(delivery.rollout);
  set_alarm();
}

void Outbox::look_at_orders_of(const std::string& rollout) {
  const auto found = orders_of_.find(rollout);
  if (found == orders_of_.end()) return;
  const auto orders = found->second;
  for (const auto& [number, entry] : orders) look_at(entry);
}

void Outbox::fill(const std::string& name) {
  Lane& lane = lanes_[name];
  while (!lane.waiting.empty() && lane.out < places(lane.waiting.begin()->second->delivery)) {
    const EntryPtr next = lane.waiting.begin()->second;
    lane.waiting.erase(lane.waiting.begin());
    look_at(next);
  }
}

void Outbox::leave_lane(const Entry& entry) {
  const std::string name = lane_name(entry.delivery);
  --lanes_[name].out;
  fill(name);
}

bool Outbox::is_outdated(const Entry& entry, const NotificationSender& sender) const {
  const auto lane = lanes_.find(lane_name(entry.delivery));
  if (lane == lanes_.end()) return false;
  const auto& waiting = lane->second.waiting;
  return std::any_of(waiting.upper_bound(entry.serial), waiting.end(), [&](const auto& other) {
    return !other.second->closed && sender.outdates(other.second->delivery, entry.delivery);
  });
}

OutboxStats Outbox::stats() const {
  OutboxStats stats;
  const SysTime now = clock_.wall();
  for (const auto& [id, entry] : entries_) {
    if (entry->closed) continue;
    if (entry->delivery.state == DeliveryState::kAccepted) {
      ++stats.accepted;
      continue;
    }
    ++(is_order(entry->delivery) ? stats.orders : stats.notifications);
    stats.oldest_age = std::max(stats.oldest_age, now - entry->delivery.created_at);
  }
  return stats;
}

void Outbox::count(const Entry& entry, std::string_view result) const {
  if (hooks_.counted) hooks_.counted(entry.delivery, result);
}

void Outbox::count_delivered(const Entry& entry) const {
  if (hooks_.delivered) {
    hooks_.delivered(entry.delivery,
                     std::max(Millis{0}, clock_.wall() - entry.delivery.created_at));
  }
}

}  // namespace rollwatch
