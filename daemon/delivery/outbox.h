// What has been decided and not yet been delivered. The engine hands over what its commits contain;
// from then on each delivery is tried until it ends, in this process or, from the store, in the
// next one.
//
// Orders of one rollout go out one after another; only a rollback does not wait for an attempt in
// flight. Every target has its own places for attempts, and rollbacks theirs, so that one that
// hangs holds up nobody else and nothing holds up a rollback; a target that keeps failing is probed
// instead of being tried by everybody (breaker.h), but for rollbacks. What becomes of an order is
// told to the OrderSink, which records it; of notifications the outbox itself is the recorder.
//
// Where several nodes share a store, each delivers what belongs to its places (leases.h): under the
// lease that it was taken up or given under, and only while that is sure to last.
//
// Everything runs on the io thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/delivery/alarm.h"
#include "daemon/delivery/breaker.h"
#include "daemon/delivery/notification_sender.h"
#include "daemon/engine/leases.h"
#include "daemon/engine/order_sink.h"
#include "daemon/engine/store.h"
#include "daemon/engine/target_driver.h"
#include "daemon/net/clock.h"
#include "daemon/net/net.h"
#include "notifiers/notifier_notice.h"

namespace rollwatch {

// Who is told in place of a notifier that cannot be.
struct Fallback {
  std::string notifier;
  // Whether it is to be told of this: it tells such news, and is not told of the rollout anyway.
  std::function<bool(const RolloutSpec&, const Notice&)> wants;
};

struct OutboxHooks {
  // After every attempt ("done", "accepted", "refused", "retry") and for each end that is none of
  // an attempt: "expired", "withdrawn", "acknowledged", "given_up" (a notification's last attempt
  // failed).
  std::function<void(const Delivery&, std::string_view result)> counted;
  // From the decision to done, the acknowledgement included.
  std::function<void(const Delivery&, Millis)> delivered;
};

struct OutboxStats {
  std::size_t orders = 0;         // to be sent
  std::size_t accepted = 0;       // orders sent, to be acknowledged
  std::size_t notifications = 0;  // to be sent
  Millis oldest_age{0};           // of those to be sent
};

// How it stands with somebody who is sent to.
struct TargetReading {
  std::string name;
  DeliveryClass cls = DeliveryClass::kOrder;  // an orchestrator, or a notifier
  BreakerState breaker = BreakerState::kClosed;
  std::optional<SysTime> since;       // when it opened
  std::optional<SysTime> next_probe;  // none while a probe is out
  unsigned failures = 0;              // attempts in a row, until now
  std::string last_error;
  std::size_t open = 0;  // deliveries to be sent or acknowledged
};

class Outbox {
 public:
  // How soon it is looked again whether a lease that may have run out has been renewed.
  static constexpr Millis kLookWhenUnsure{250};

  using Drivers = std::map<std::string, std::shared_ptr<TargetDriver>>;
  using Senders = std::map<std::string, std::shared_ptr<NotificationSender>>;
  using Fallbacks = std::map<std::string, Fallback>;  // by the notifier in whose place it is

  // `random` answers numbers from [0, 1). Clock, store, sink and leases must outlive the outbox;
  // the outbox the io_context's run().
  Outbox(net::any_io_executor executor, Clock& clock, Store& store, OrderSink& sink, Leases& leases,
         std::function<double()> random, OutboxHooks hooks = {});

  // Orchestrators and notifiers by name; a reload calls it again. What is in flight ends with the
  // old one.
  void configure(Drivers drivers, Senders senders, Fallbacks fallbacks = {});

  // Takes up what earlier owners of these places, or (nullopt) of all, left open. Orders go out at
  // once. Throws StoreError.
  awaitable<void> take_up(std::optional<std::vector<Place>> places);

  // Hands the places over, before the engine does: begins no attempt there any more, and resumes
  // when those in flight are recorded, or after some seconds; the results of the others are thrown
  // away.
  awaitable<void> give_up(std::vector<Place> places);

  // Drops what belongs to them. The results of attempts in flight are thrown away: whoever has the
  // place now makes them again.
  void lose(const std::vector<Place>& places);

  // A delivery that has just been committed. One of a place that was given up or lost stays in the
  // store, for whoever takes it up.
  void add(Delivery delivery, RolloutSpec spec);
  // It has been recorded that this order must no longer go out. An attempt that was sent ends as it
  // will.
  void withdraw(const std::string& id);
  // It has been recorded that the receiver acknowledged, or refused, by calling us.
  void acknowledged(const std::string& id, DeliveryState state);

  // Begins no attempt any more and waits for those in flight, at most this long.
  awaitable<void> drain(Millis limit);

  OutboxStats stats() const;
  // Everybody who is configured, orchestrators first.
  std::vector<TargetReading> targets() const;
  // Why this open delivery is not being tried although it is its turn; nothing if it is.
  std::optional<std::string> held_because(const std::string& id) const;

  // What would be sent of an example of each kind of order; nothing if there is no such
  // orchestrator.
  std::optional<std::vector<std::pair<std::string, OrderPreview>>> preview(
      const std::string& orchestrator, const RolloutSpec& spec) const;

  // A message that says it is a test, sent at once beside everything else and recorded nowhere; how
  // that ended. Nothing if there is no such notifier.
  awaitable<std::optional<SendResult>> test(std::string notifier, std::string by);

 private:
  struct Entry {
    std::uint64_t serial = 0;  // order of arrival
    Delivery delivery;         // without its attempts
    std::shared_ptr<const RolloutSpec> spec;
    Lease lease;
    unsigned attempts_made = 0;
    unsigned turned_away = 0;            // of them: the destination was busy, which uses up none
    SteadyTime due{};                    // of the next attempt
    SteadyTime until{};                  // its deadline as it was when that was set
    std::optional<SteadyTime> wakes_at;  // in timed_
    bool told_instead = false;           // its fallback was looked after
    bool busy = false;                   // an attempt is out, or its end being recorded
    bool closed = false;                 // ended from outside meanwhile
    bool lost = false;                   // no longer in any table: what is out for it is let go
    std::optional<Delivery> again;       // sent again since, while the old attempt is out
  };
  using EntryPtr = std::shared_ptr<Entry>;

  // The places of one target.
  struct Lane {
    std::size_t out = 0;
    SteadyTime not_before{};                    // the destination asked to be left alone
    std::map<std::uint64_t, EntryPtr> waiting;  // for a place
    // By the breaker. Who has waited longest is the next probe, so that an order that always fails
    // does not stand before one that would not.
    std::map<std::pair<SteadyTime, std::uint64_t>, EntryPtr> held;
  };
  using Target = std::pair<DeliveryClass, std::string>;
  // Somebody who gives places up.
  struct Leaving {
    std::set<Place> places;
    std::shared_ptr<Promise<bool>> done;
  };

  // A notifier with a fallback that takes nothing.
  struct Trouble {
    NotifierTrouble facts;
    SteadyTime since{};
    bool told = false;  // to its fallback
  };

  void look_at(const EntryPtr& entry);
  void wake(const EntryPtr& entry, SteadyTime at);
  void ring();
  void set_alarm();
  void begin(const EntryPtr& entry, std::string what, awaitable<void> (Outbox::*work)(EntryPtr));
  void finish(const EntryPtr& entry, DeliveryState state);
  void remove(const EntryPtr& entry);
  void close(const std::string& id, std::string_view result, bool done);
  void look_at_orders_of(const std::string& rollout);
  void fill(const std::string& lane_name);
  bool is_next(const Entry& entry) const;
  SysTime deadline(const Entry& entry) const;
  Millis left(const Entry& entry) const;
  SteadyTime steady_at(SysTime deadline) const;
  static std::string lane_name(const Delivery& delivery);
  static std::string lane_name(const Target& target);
  std::size_t places(const Delivery& delivery) const;

  // Places (outbox_places.cc).
  std::optional<Lease> lease_for(const RolloutSpec& spec) const;
  void drop(const EntryPtr& entry);
  void refused(const EntryPtr& entry);
  bool is_out(const std::set<Place>& places) const;
  void see_left();
  void not_sent(const EntryPtr& entry);

  // Breakers (outbox_breakers.cc).
  Breaker& breaker_of(const Delivery& delivery);
  bool is_held(const EntryPtr& entry);
  void attempted(const Entry& entry, const SendResult& result);
  void not_attempted(const Entry& entry);
  void release(const Target& target);
  void keep_breakers_of_configured();
  bool is_configured(const Target& target) const;
  std::string story_of(const Target& target, const Breaker& breaker) const;
  std::string why_not_attempted(const Entry& entry) const;
  TargetReading reading_of(const Target& target) const;
  SysTime wall_at(SteadyTime at) const;

  // Fallbacks (outbox_fallback.cc).
  void note_trouble(const Entry& entry, const SendResult& result);
  bool fails_for_long(const std::string& notifier) const;
  awaitable<void> tell_instead(std::string notifier, EntryPtr given_up);
  awaitable<void> tell_end_of_trouble(EntryPtr entry);
  void tell_waiting_instead(const std::string& notifier);
  std::vector<EntryPtr> to_tell_instead(const std::string& notifier, const Fallback& fallback,
                                        const EntryPtr& given_up);
  awaitable<bool> is_in_store(std::string delivery);
  // A notification for the fallback, in the place of another.
  struct InPlace {
    EntryPtr of;
    Delivery delivery;
  };
  awaitable<void> hand_over(std::vector<InPlace> made);

  awaitable<void> attempt_order(EntryPtr entry);
  awaitable<void> attempt_notification(EntryPtr entry);
  awaitable<void> expire_order(EntryPtr entry);
  awaitable<void> expire_notification(EntryPtr entry);
  awaitable<std::optional<SendResult>> send_order(EntryPtr entry);
  awaitable<std::optional<SendResult>> send_notification(EntryPtr entry);
  awaitable<DeliveryState> report(EntryPtr entry, SendResult result);
  awaitable<void> read_accepted_until(EntryPtr entry);
  bool is_outdated(const Entry& entry, const NotificationSender& sender) const;
  void leave_lane(const Entry& entry);
  awaitable<bool> record(EntryPtr entry, DeliveryState state, std::optional<Attempt> attempt,
                         std::optional<std::string> memo = {});
  awaitable<void> store_back_off(unsigned failures);

  void count(const Entry& entry, std::string_view result) const;
  void count_delivered(const Entry& entry) const;

  // Constant.
  net::any_io_executor executor_;
  Clock& clock_;
  Store& store_;
  OrderSink& sink_;
  Leases& leases_;
  std::function<double()> random_;
  OutboxHooks hooks_;

  Drivers drivers_;
  Senders senders_;
  Fallbacks fallbacks_;
  std::map<std::string, Trouble> troubles_;  // by notifier

  std::unordered_map<std::string, EntryPtr> entries_;  // by delivery id
  std::unordered_map<std::string, std::map<unsigned, EntryPtr>>
      orders_of_;  // by rollout, then number
  std::map<std::string, Lane> lanes_;
  std::map<Target, Breaker> breakers_;                              // of those that were sent to
  std::map<std::pair<SteadyTime, std::uint64_t>, EntryPtr> timed_;  // when to look again
  Alarm alarm_;
  std::set<Place> left_;  // given up or lost, and not taken up again
  std::vector<Leaving> leaving_;
  std::uint64_t serials_ = 0;
  std::size_t busy_ = 0;
  bool draining_ = false;
  bool stopped_ = false;
  std::optional<Promise<bool>> idle_;
};

}  // namespace rollwatch
