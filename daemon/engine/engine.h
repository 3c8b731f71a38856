// The engine runs every active rollout: one due queue for all of them, one batch of questions per
// wake-up, one commit per step, and nothing acted on that is not recorded.
//
// A rollout here is a compact value with a mailbox. What happens to it (answers, people, orders,
// timers) is put there and taken one at a time: advance() computes the step, the store records it,
// and only then does the state change, callers get their answer, orders go to the outbox and events
// to the listeners.
//
// Where several nodes share a store, each runs the rollouts of the places it has (leases.h): they
// are taken over and given up at run time, and every commit carries the place's epoch. A single
// node takes all of them over at its start, and nothing else is different.
//
// Everything runs on the io thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "analysis/advance.h"
#include "analysis/plan.h"
#include "analysis/silence.h"
#include "daemon/engine/leases.h"
#include "daemon/engine/metrics_source.h"
#include "daemon/engine/order_sink.h"
#include "daemon/engine/records.h"
#include "daemon/engine/store.h"
#include "daemon/net/clock.h"
#include "daemon/net/net.h"

namespace rollwatch {

// A rollout as readers see it, active or ended.
struct RolloutView {
  RolloutSpec spec;
  std::shared_ptr<const PlanDocument> document;
  std::shared_ptr<const Plan> plan;
  RolloutState state;
  std::int64_t fence = 0;                          // of its latest order; 0: none was given
  std::vector<std::optional<SysTime>> next_slots;  // per condition
  std::optional<DecisionLabel> label = {};
};

// One thing wrong with a request, by JSON pointer.
struct FieldProblem {
  std::string pointer;
  std::string detail;
};

struct Registration {
  RolloutSpec spec;  // id, attempt and created_at are given by the engine
  std::optional<int> attempt;
  PlanDocument document;
  std::shared_ptr<const Plan> plan;
  std::optional<IdempotencyRecord> idempotency;
  Via via = {};
};

enum class RegisterEnd : unsigned char {
  kCreated,        // 201
  kExisting,       // 200: active already, or the same Idempotency-Key
  kAttemptNeeded,  // 409: rolled back before; `attempt` is the one to send
  kKeyReused,      // 422: the same Idempotency-Key with another body
  kRefused,        // 422: `problems`
};

struct RegisterResult {
  RegisterEnd end = RegisterEnd::kRefused;
  std::optional<RolloutView> rollout;
  int attempt = 0;
  std::vector<FieldProblem> problems;
  std::vector<std::string> warnings;  // a query that could not be checked
};

// What the store has of an ended rollout cannot be read: another version wrote it, or it is
// damaged. (An active one keeps its node from starting.) The message is for people, and names the
// rollout.
class Unreadable : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class DecideEnd : unsigned char {
  kDone,
  kNotFound,
  kConflict,
  kChanged,  // it is no longer at the revision that the caller named
};
struct DecideResult {
  DecideEnd end = DecideEnd::kNotFound;
  std::string why;  // of a conflict, one sentence
  std::optional<RolloutView> rollout;
};

struct RedeliverResult {
  DecideEnd end = DecideEnd::kNotFound;
  std::string why;                   // of a conflict, one sentence
  std::optional<Delivery> delivery;  // as it is now
};

struct LabelResult {
  DecideEnd end = DecideEnd::kNotFound;
  std::string why;                     // of a conflict, one sentence
  std::optional<RolloutView> rollout;  // with its label
};

// What a person says when they lift a freeze; both names empty: the one of everything.
struct FreezeLift {
  std::string ns, service;
  std::string by, reason;
  Via via = {};
};

// One alert as Alertmanager tells it; whose it is, is known by its labels.
struct ReceivedAlert {
  std::map<std::string, std::string> labels;  // alertname among them
  AlertChanged change;
};
struct AlertsTaken {
  std::size_t matched = 0;   // for each alert, the active rollouts it concerns
  std::size_t recorded = 0;  // of those, what was new to them
};

// How it stands with a service, or with everything.
struct FreezeView {
  std::optional<FreezeRecord> latest;  // the one in force, or the last one that was
  bool in_force = false;
  std::optional<std::string> text;  // why its rollouts wait, that everything is frozen included
};

// What leaves the engine after a commit. Called on the io thread, after the commit that holds it.
struct EngineHooks {
  // `traceparent`: of the call that a decision came with, if it has one.
  std::function<void(const StoredEvent&, const RolloutSpec&, const std::string& traceparent)> event;
  std::function<void(const Delivery&, const RolloutSpec&)> deliver;  // a new order or notification
  std::function<void(const std::string& delivery)> withdraw;         // must not go out any more
  std::function<void(const std::string& delivery, DeliveryState)>
      settled;                                    // ended by a late acknowledgement
  std::function<void(const RolloutView&)> ended;  // or moved once more after its end
  std::function<void(const RolloutSpec&, const ConditionPlan&, Outcome, std::uint32_t slots, Cause)>
      evaluated;
  std::function<void(Millis)> late;  // asked that long after its slot
  // What rollouts asked together got this answer, so that each asks alone for so long. Called for
  // the first of them.
  std::function<void(const RolloutSpec&, const ConditionPlan&, const Answer&, Millis)> kept_apart;
  std::function<void(const Decision&, Verdict before)> decided;  // the rollout's until then
  // How it ended is said to have been right or wrong, for the first time or otherwise than before.
  std::function<void(DecisionKind, const DecisionLabel&)> labelled;
  std::function<void(const FreezeRecord&)> freeze;          // given, replaced or lifted by a person
  std::function<void(std::chrono::nanoseconds)> committed;  // how long the store took
  // A step of this rollout is not on disk, and why. Called again with every try that fails.
  std::function<void(const RolloutSpec&, const std::string& why)> not_recorded;
  // A rollout is left out of what was asked for, and why.
  std::function<void(const std::string& why)> left_out;
};

// What people are told of the steps of one batch; it is recorded with them.
struct Told {
  struct Step {
    std::vector<Delivery> notifications;  // id, target and payload are filled in
    std::vector<Memo> memos;
  };
  std::vector<Step> steps;  // one for each, in order
  // Empty: nothing is to be remembered. Else called once all of it is on disk, and not if it is
  // not; until then nobody else may be told anything.
  std::function<void()> on_disk;
};

// Decided by the application from its configuration; asked when a step is recorded.
struct EngineRules {
  // What people were told before, given the active rollouts of this node: asked before anything can
  // be recorded, because whatever is told is told in the light of that; and again when rollouts
  // have come or gone, or another node has told something. May throw StoreError. Empty: nothing
  // was.
  std::function<awaitable<void>(std::vector<RolloutView>)> recall;
  // What people are told of steps that are recorded together: of each in the light of those before
  // it. Asked again if they could not be recorded. Empty: nobody is told anything.
  std::function<Told(const std::vector<TakenStep>&, const Freezes&)> tell;
  // When an order of this kind to this orchestrator expires, counted from its decision.
  std::function<Millis(const std::string& orchestrator, DecisionKind)> order_deadline;
  // How long after a 202 an acknowledgement is waited for.
  std::function<Millis(const std::string& orchestrator)> ack_deadline;
  // Reads a pinned analysis back.
  std::function<std::shared_ptr<const Plan>(const PlanDocument&)> decode_plan;
  // How long a step that nobody waits for and nothing follows from may wait for others, so that
  // they are written together. 0: what comes in the same turn of the loop.
  Millis linger{0};
  // 80 random bits and more, for ids.
  std::function<std::uint64_t()> random;
  // For explain records: where the datasource is asked, without credentials, and where it is looked
  // at.
  std::function<std::string(const std::string& datasource)> datasource_url;
};

class Engine : public OrderSink {
 public:
  Engine(net::any_io_executor executor, Clock& clock, MetricsSource& source, Store& store,
         Leases& leases, EngineRules rules, EngineHooks hooks);
  ~Engine() override;

  // Reads what is shared, before anything else: freezes, the newest id. Throws StoreError.
  awaitable<void> load();

  // Loads the active rollouts of these places, or (nullopt) of every place that is held, and
  // freezes those that should be. From then on order_attempted() and readers are answered, but
  // nothing moves by itself, so that the outbox can take up what is open without being overtaken.
  // Throws StoreError, and then nothing of them is taken over.
  awaitable<void> take_over(std::optional<std::vector<Lease>> leases);

  // Of what was taken over: marks what was missed since it was watched last, with that cause, and
  // starts watching. Calls that change something are taken from the first time on.
  void watch(const std::optional<std::vector<Place>>& places, Cause missed);

  // Hands the places over, after the outbox has: stops asking, lets what is being recorded or
  // registered there finish, and forgets their rollouts. What was asked and not answered is for the
  // next owner to mark. While the store hangs it does not resume; lose() ends that.
  awaitable<void> give_up(std::vector<Place> places);

  // Forgets them at once: nothing more is recorded there, callers that wait get a StoreError, and
  // answers and timers that come later do nothing.
  void lose(const std::vector<Place>& places);

  // Stops asking; what was answered is still recorded. Resumes when nothing is in flight to the
  // store.
  awaitable<void> stop();

  // These throw NotHere, before any effect, if the place of an active rollout is another node's.
  awaitable<RegisterResult> register_rollout(Registration registration);
  // With a revision: only of a rollout that is at that one when the decision's turn comes.
  awaitable<DecideResult> decide(std::string id, PersonDecided decision,
                                 std::optional<unsigned> revision = std::nullopt);
  awaitable<DecideResult> report_weight(std::string id, WeightReported report);
  // A late acknowledgement through the API: done, or refused with the receiver's words.
  awaitable<DecideResult> acknowledge(std::string delivery, bool done, std::string detail,
                                      Via via = {});

  // A rollback that failed, or a dead notification, goes out again under its id. Throws StoreError.
  awaitable<RedeliverResult> redeliver(std::string delivery, std::string by, std::string reason,
                                       Via via = {});

  // Whether how it ended was right, by somebody who knows better now; the latest one counts.
  // Refused for one that was neither promoted nor rolled back. Throws StoreError, NotHere.
  awaitable<LabelResult> label(std::string id, DecisionLabel label, Via via = {});

  // Freezes a service, or everything (both names empty), or replaces who, why and until when;
  // `since` is given by the engine. Resumes when every rollout it holds has recorded it. Throws
  // StoreError; what is on disk by then is in force all the same, and the same call may be made
  // again.
  awaitable<FreezeRecord> freeze(FreezeRecord wanted);
  // Nothing if there is none in force.
  awaitable<std::optional<FreezeRecord>> lift_freeze(FreezeLift lift);
  FreezeView freeze_of(const std::string& ns, const std::string& service) const;
  std::size_t freezes_in_force() const;
  // Another node has given or lifted one: reads them again, and resumes when every rollout here has
  // recorded what is new. Throws StoreError; the same call may be made again.
  awaitable<void> freezes_changed();

  // Resumes when every rollout that one of them concerns has recorded it. Throws StoreError; what
  // is on disk by then stays, and the same call may be made again.
  awaitable<AlertsTaken> take_alerts(std::vector<ReceivedAlert> alerts,
                                     std::vector<std::string> namespaces = {});

  // Active or ended; nullopt if there is none. Throws Unreadable.
  awaitable<std::optional<RolloutView>> find(std::string id);
  // Of several: those that there are. One that cannot be read is left out of these.
  awaitable<std::vector<RolloutView>> find_all(std::vector<std::string> ids);
  awaitable<Page<RolloutView>> list(ListFilter filter, std::size_t limit,
                                    std::optional<std::string> cursor);

  // Resumes when the rollout's revision is no longer `revision`, when it has ended, or after
  // `limit`. Of one that is not here that is seen when changed_elsewhere() tells of it. Throws
  // StoreError.
  awaitable<void> wait_for_change(std::string id, unsigned revision, Millis limit);
  // Another node has moved it; harmless if nothing did.
  void changed_elsewhere(const std::string& rollout);

  std::vector<RolloutView> active() const;
  // The same without a copy, for whoever only looks.
  using Look = std::function<void(const RolloutSpec&, const Plan&, const RolloutState&)>;
  void for_each_active(const Look& look) const;

  // The ingestion delay of a datasource has changed, and with it when first slots are due.
  void delays_changed();

  // Why the last commit failed; nullopt once one succeeded again.
  std::optional<std::string> store_trouble() const;

  // OrderSink
  awaitable<DeliveryState> order_attempted(Lease lease, std::string rollout, std::string delivery,
                                           SendResult result) override;
  awaitable<DeliveryState> order_expired(Lease lease, std::string rollout, std::string delivery,
                                         std::string why) override;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with what is still out: answers, sleepers
};

}  // namespace rollwatch
