// Inside of the engine, shared by its parts: engine.cc (the face, loading, waiting), engine_time.cc
// (what is due and asking it), engine_steps.cc (mailboxes, and what follows from a step),
// engine_record.cc (batches on their way to the store), engine_neighbours.cc (several in one
// place), engine_register.cc, engine_orders.cc, engine_redeliver.cc, engine_label.cc,
// engine_freeze.cc, engine_alerts.cc, engine_places.cc (taking over and giving up),
// engine_waiting.cc, engine_sharing.cc (questions that several ask together).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "analysis/freezes.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/entry.h"
#include "daemon/engine/ids.h"

namespace rollwatch {

// The turn of whoever decides what people are told, until it is on disk: one at a time.
inline constexpr const char* kTelling = "telling";

// How often a batch is told anew because another node has told something meanwhile, before it is
// left to the next second.
inline constexpr int kMostTellings = 10;

class Engine::Impl : public std::enable_shared_from_this<Engine::Impl> {
 public:
  Impl(net::any_io_executor executor, Clock& clock, MetricsSource& source, Store& store,
       Leases& leases, EngineRules rules, EngineHooks hooks)
      : executor_(std::move(executor)),
        clock_(clock),
        source_(source),
        store_(store),
        leases_(leases),
        rules_(std::move(rules)),
        hooks_(std::move(hooks)),
        ids_(rules_.random) {}
  ~Impl() {  // an entry and its tenure hold each other
    for (const TenurePtr& tenure : tenures_) tenure->entries.clear();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  awaitable<void> load();
  awaitable<void> take_over(std::optional<std::vector<Lease>> leases);
  void watch(const std::optional<std::vector<Place>>& places, Cause missed);
  awaitable<void> give_up(std::vector<Place> places);
  void lose(const std::vector<Place>& places);
  awaitable<void> stop();
  awaitable<RegisterResult> register_rollout(Registration registration);
  awaitable<DecideResult> put(std::string id, Work work);
  awaitable<DecideResult> acknowledge(std::string delivery, bool done, std::string detail, Via via);
  awaitable<RedeliverResult> redeliver(std::string delivery, std::string by, std::string reason,
                                       Via via);
  awaitable<LabelResult> label(std::string id, DecisionLabel label, Via via);
  awaitable<std::optional<RolloutView>> find(std::string id);
  awaitable<std::vector<RolloutView>> find_all(std::vector<std::string> ids);
  awaitable<Page<RolloutView>> list(ListFilter filter, std::size_t limit,
                                    std::optional<std::string> cursor);
  awaitable<void> wait_for_change(std::string id, unsigned revision, Millis limit);
  void changed_elsewhere(const std::string& id);
  awaitable<DeliveryState> order_attempted(Lease lease, std::string rollout, std::string delivery,
                                           SendResult result);
  awaitable<DeliveryState> order_expired(Lease lease, std::string rollout, std::string delivery,
                                         std::string why);
  std::vector<RolloutView> active() const;
  void for_each_active(const Look& look) const;
  // Where nothing is watched any more, nothing is waiting to be recorded either.
  std::optional<std::string> store_trouble() const {
    return active_.empty() ? std::nullopt : store_trouble_;
  }
  awaitable<FreezeRecord> freeze(FreezeRecord wanted);
  awaitable<std::optional<FreezeRecord>> lift_freeze(FreezeLift lift);
  FreezeView freeze_of(const std::string& ns, const std::string& service) const;
  std::size_t freezes_in_force() const;
  awaitable<bool> read_freezes();
  awaitable<void> freezes_changed();
  void schedule_all();
  awaitable<AlertsTaken> take_alerts(std::vector<ReceivedAlert> alerts,
                                     std::vector<std::string> namespaces = {});

 private:
  // One entry's share of a batch with the store.
  struct Recording {
    EntryPtr entry;
    Transition step;
    std::vector<Work> works;
    std::vector<WorkResult> results;
    Commit commit;           // but for the state, which is step.state
    bool moves = false;      // step.state is another one than the entry's
    bool with_next = false;  // recorded together with the one behind it, or not at all

    const RolloutState& after() const { return moves ? step.state : entry->state; }
  };
  using Batch = std::deque<Recording>;  // a Recording is large: it is not moved about

  using TenurePtr = std::shared_ptr<Tenure>;
  struct ById {
    using is_transparent = void;
    static std::string_view of(std::string_view id) { return id; }
    static std::string_view of(const EntryPtr& entry) { return entry->spec.id; }
    template <class T>
    std::size_t operator()(const T& entry) const {
      return std::hash<std::string_view>()(of(entry));
    }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return of(a) == of(b);
    }
  };
  struct ByPlace {
    using is_transparent = void;
    static const Place& of(const Place& place) { return place; }
    static const Place& of(const TenurePtr& tenure) { return tenure->place; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return of(a) < of(b);
    }
  };
  enum class RecordEnd : unsigned char { kOnDisk, kRefused, kStale };
  enum class Woken : unsigned char { kChanged, kLookAgain, kTimeUp };

  EntryPtr add(StoredRollout stored, const TenurePtr& tenure,
               std::shared_ptr<const Plan> plan = nullptr);
  EntryPtr look_up(const std::string& id) const;
  // These throw Unreadable.
  std::shared_ptr<const Plan> read_plan(const StoredRollout& stored) const;
  RolloutView stored_view(StoredRollout stored, std::shared_ptr<const Plan> plan) const;
  void unpin(const PlanDocument& document);
  void check_started() const;
  awaitable<void> record_delivery(Lease lease, std::string rollout, DeliveryUpdate update);
  awaitable<RedeliverResult> redeliver_order(Delivery order, RollbackSentAgain said);
  awaitable<RedeliverResult> redeliver_notification(Delivery notification, RollbackSentAgain said);
  awaitable<std::shared_ptr<void>> take_turn(std::string what);
  awaitable<std::vector<Recorded>> record_registration(Commit& commit, const Plan& plan);
  std::function<void()> tell_registration(Commit& commit, const Plan& plan) const;
  awaitable<std::vector<Recorded>> record_under(Lease lease, Commit commit);

  // Places (engine_places.cc).
  TenurePtr begin_tenure(Lease lease, Tenure::Phase phase);
  TenurePtr tenure_of(const Place& place) const;
  awaitable<std::vector<EntryPtr>> load_places(std::optional<std::vector<Lease>> leases);
  awaitable<void> recall();
  awaitable<Epoch> come_to(Place place);
  awaitable<EntryPtr> reach(std::string id);
  awaitable<void> check_over(std::string rollout) const;
  std::shared_ptr<void> enter(const TenurePtr& tenure);
  bool is_idle(const Tenure& tenure) const;
  void see_idle(const TenurePtr& tenure);
  void drop_if_empty(const TenurePtr& tenure);
  void forget(const TenurePtr& tenure);
  // Of what is recorded there nothing is on disk, unless `effect` says otherwise.
  void drop_gone(Batch& batch, StoreError::Effect effect = StoreError::Effect::kNone) const;
  static bool may_move(const Entry& entry);
  static void tell_gone(Work& work, StoreError::Effect effect = StoreError::Effect::kNone);
  void refused(const Lease& lease);
  awaitable<std::optional<RegisterResult>> seen_before(std::optional<IdempotencyRecord> request);

  void schedule(const EntryPtr& entry);
  void arm();
  void wake();
  bool see_clock_jump(SysTime now);
  // Of each question of a batch.
  struct Owner {
    EntryPtr entry;
    std::shared_ptr<PendingSlot> pending;
    Part part;
  };
  using Owners = std::vector<Owner>;
  void ask_due(const EntryPtr& entry, SysTime now, std::vector<Question>& questions,
               Owners& owners);
  static Question question_of(const Entry& entry, const ConditionPlan& plan, const Asked& asked,
                              Role role);
  void ask_together(std::vector<Question>& questions, const Owners& owners);
  bool take_share(const EntryPtr& entry, const std::shared_ptr<PendingSlot>& pending, Role role,
                  Answer& answer);
  void read_histories(const EntryPtr& entry);
  awaitable<void> read_history(EntryPtr entry, std::size_t condition);
  awaitable<Expected<std::vector<HistorySlot>, std::string>> history_of(const Entry& entry,
                                                                        std::size_t condition);
  void miss_before(const EntryPtr& entry, const PendingSlot& pending);
  void answered(const EntryPtr& entry, const std::shared_ptr<PendingSlot>& pending, Part part,
                Answer answer);
  void give_up_what_is_ahead(const EntryPtr& entry, SysTime now);
  void mark_missed(const EntryPtr& entry, SysTime now, Cause cause);

  void put(const EntryPtr& entry, Work work);
  awaitable<WorkResult> put_and_wait(EntryPtr entry, Work work);
  void pump(const EntryPtr& entry);
  bool begin(const EntryPtr& entry);
  void apply_work(Recording& recording, Work work, SysTime now);
  WorkResult add_step(Recording& recording, const Work& work, SysTime now);
  void close_slots(Recording& recording);
  void hand_over(Recording recording);
  static bool can_linger(const Recording& recording);
  void start_flush();
  void flush_later();
  awaitable<void> flush();
  Batch take_batch();
  std::function<void()> tell(Batch& batch) const;
  awaitable<RecordEnd> record(Batch& batch);
  awaitable<RecordEnd> record_once(Batch& batch);
  static std::shared_ptr<std::vector<Commit>> lend(Batch& batch);
  static void take_back(std::shared_ptr<std::vector<Commit>> commits, Batch& batch);
  void recorded(Recording& recording, const Recorded& at_commit);
  void not_recorded(Recording& recording, const std::string& why);
  void after_step(const EntryPtr& entry);
  void tell_neighbours(const EntryPtr& entry);
  void supersede_failed(const EntryPtr& entry);
  std::optional<OlderActive> older_due(const EntryPtr& entry) const;
  bool wants_to_begin(const EntryPtr& entry) const;
  bool is_outdone(const EntryPtr& entry) const;
  void free_place(const EntryPtr& entry);
  void ended(const EntryPtr& entry);

  awaitable<void> record_freeze(FreezeRecord freeze);
  FreezeChanged freeze_on(const Entry& entry) const;
  std::optional<FreezeChanged> freeze_due(const Entry& entry) const;
  void keep_freeze(const EntryPtr& entry);
  awaitable<bool> tell_freeze(std::vector<EntryPtr> entries, FreezeChanged said);
  std::vector<EntryPtr> held_by(const std::string& ns, const std::string& service) const;
  void watch_freezes();
  void end_freezes(SysTime now);

  void wake_waiters(const std::string& id, Woken by);
  void stop_waiting(const std::string& id, const std::shared_ptr<Promise<Woken>>& waiter);
  awaitable<bool> is_unchanged_elsewhere(std::string id, unsigned revision) const;
  std::vector<EntryPtr> others_in_place(const EntryPtr& entry) const;

  net::any_io_executor executor_;
  Clock& clock_;
  MetricsSource& source_;
  Store& store_;
  Leases& leases_;
  EngineRules rules_;
  EngineHooks hooks_;
  IdSequence ids_;

  std::unordered_set<EntryPtr, ById, ById> active_;
  // Of places with rollouts, and of those where something else is going on.
  std::set<TenurePtr, ByPlace> tenures_;
  // Equal pinned analyses are one document and one plan in memory, for as long as an active rollout
  // uses them.
  struct Pinned {
    std::shared_ptr<const PlanDocument> document;
    std::shared_ptr<const Plan> plan;
    std::size_t users = 0;
  };
  std::map<std::string_view, Pinned> pinned_;  // by document->analysis
  Freezes freezes_;
  std::optional<SysTime> freeze_ends_at_;  // the next that ends by itself
  DueQueue<EntryPtr> due_;
  std::optional<SysTime> armed_for_;
  std::uint64_t armed_ticket_ = 0;
  SysTime last_wall_{};
  SteadyTime last_steady_{};
  Sharing sharing_;
  std::vector<Sharing::Candidate> joinable_;  // of the batch that is being made

  Batch batch_;
  Batch* with_store_ = nullptr;  // what record() is at
  bool is_uncertain_ = false;    // whether what the store refused last is on disk
  bool recall_due_ = false;      // before anything else is told
  bool flushing_ = false;
  bool hurry_ = false;      // batch_ holds what somebody waits for
  bool lingering_ = false;  // batch_ is written when a moment is over
  bool started_ = false;
  bool stopping_ = false;
  std::optional<std::string> store_trouble_;
  std::vector<std::shared_ptr<Promise<bool>>> idle_waiters_;
  std::unordered_map<std::string, std::vector<std::shared_ptr<Promise<Woken>>>> change_waiters_;
  std::map<std::string, std::vector<std::shared_ptr<Promise<bool>>>>
      registering_;  // by place, by key
};

}  // namespace rollwatch
