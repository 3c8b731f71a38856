// One active rollout inside the engine: its committed state, its mailbox and what is out for it.
// The state here is always the one on disk; a step that is being recorded lives in the batch.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/render.h"
#include "daemon/engine/due_queue.h"
#include "daemon/engine/engine.h"
#include "daemon/engine/explain.h"
#include "daemon/engine/leases.h"
#include "daemon/engine/store.h"

namespace rollwatch {

// How a piece of work ended for whoever put it into the mailbox.
enum class WorkEnd : unsigned char {
  kRecorded,
  kNothingChanged,
  kRefused,
  kStoreAway,
  kEnded,
  kStale,    // of an order that had ended or was withdrawn when its turn came: not recorded
  kChanged,  // of a decision on a revision that was not the rollout's any more when its turn came
};
struct WorkResult {
  WorkEnd end = WorkEnd::kNothingChanged;
  std::string why;
  DeliveryState delivery = DeliveryState::kPending;       // of an order's attempt
  StoreError::Effect effect = StoreError::Effect::kNone;  // of one that the store did not take
  // What its caller is to hear if it was not taken.
  StoreError error() const { return StoreError(why, effect); }
};

struct Work {
  Input input;
  Rare<Asked> asked;                            // for SlotAnswered: what explain shows
  Rare<DeliveryUpdate> delivery;                // recorded with it
  std::function<void(const WorkResult&)> done;  // may be empty
  bool only_delivery = false;                   // an attempt that decides nothing: no input
  bool by_outbox = false;                       // it reported this itself and needs not be told
  Rare<Delivery> again;                         // goes out anew once this is recorded
  std::optional<unsigned> revision;             // only of a rollout that is at this one
  explicit Work(Input happened = TimePassed{}) : input(std::move(happened)) {}
};

// Which of a slot's questions an answer is to.
struct Part {
  Role role = Role::kValue;
  std::size_t arm = 0;  // of Role::kArm: its place among them
};

// What is out to the metrics source for one condition.
struct PendingSlot {
  std::int64_t slot = 0;
  int remaining = 0;
  Asked asked;
};

struct Entry;
using EntryPtr = std::shared_ptr<Entry>;

// This node's time with one place, from taking it over to its end. What is still out for it then (a
// commit, an answer, a timer, a caller) sees here that it is over, and does nothing.
struct Tenure {
  enum class Phase : unsigned char {
    kLoading,  // being read, and frozen if it should be
    kTaken,    // the outbox takes up what is open: nothing else may end or withdraw it meanwhile
    kWatched,
  };
  Place place;
  Epoch epoch = 0;
  Phase phase = Phase::kLoading;
  bool leaving = false;         // being handed over: what is begun is finished, and nothing begins
  bool over = false;            // handed over, or lost
  std::size_t registering = 0;  // registrations that are being recorded
  std::vector<EntryPtr> entries;                        // its active rollouts
  std::vector<std::shared_ptr<Promise<bool>>> waiting;  // for any of these to change

  Tenure(Lease lease, Phase phase)
      : place(std::move(lease.place)), epoch(lease.epoch), phase(phase) {}
  bool is_settled() const { return phase == Phase::kWatched && !leaving && !over; }
  void changed() {
    for (const auto& waiter : std::exchange(waiting, {})) waiter->set(true);
  }
};

// A condition's questions, as they are asked now.
struct RenderedQuestions {
  using Text = Expected<SharedText, promql::RenderError>;
  Text query;
  std::optional<Text> evidence;
  JoinedPtr joined, joined_evidence;  // null: it is asked alone
  std::vector<Text> arms;             // of a comparison, in place of both
};

// What the engine remembers of a condition's questions, and a restart may forget.
struct ConditionAsking {
  std::shared_ptr<PendingSlot> out;  // null: nothing is out
  SysTime busy_until{};              // when its last question came back
  SysTime answered_at{};             // when the datasource last said anything to one
  bool reads_history = false;        // or has done so
};

struct Entry {
  std::shared_ptr<Tenure> tenure;
  RolloutSpec spec;
  std::shared_ptr<const PlanDocument> document;
  std::shared_ptr<const Plan> plan;
  RolloutState state;
  std::int64_t fence = 0;
  RareText label;  // as in StoredRollout

  std::list<Work> mailbox;              // mostly empty, and then takes no memory
  bool recording = false;               // a commit is with the store, or about to be
  bool recording_quietly = false;       // …and nothing follows from it
  bool beginning = false;               // in that commit it leaves `waiting`
  bool place_is_free = false;           // it has ended, and its neighbours know
  bool store_was_away = false;          // slots not asked meanwhile are missed(store)
  std::vector<ConditionAsking> asking;  // per condition
  // What readiness was last answered: its decisions come with time, not with an answer.
  std::shared_ptr<const Asked> last_ready;
  DuePlace due_place;
  Rare<std::vector<std::weak_ptr<Entry>>> waiting_for_idle;

  Fixed fixed() const { return {spec, *plan}; }
  RenderedQuestions questions(std::size_t condition) const;
  RolloutView view(const MetricsSource& source) const;
  const Place& place() const { return tenure->place; }
};

RolloutView view_of(const RolloutSpec& spec, std::shared_ptr<const PlanDocument> document,
                    std::shared_ptr<const Plan> plan, const RolloutState& state, std::int64_t fence,
                    const MetricsSource& source);

// The plan as this rollout uses it: without a stable version, conditions that ask for it are left
// out and named in `left_out`.
std::shared_ptr<const Plan> plan_for(const RolloutSpec& spec, std::shared_ptr<const Plan> plan,
                                     std::vector<std::string>* left_out = nullptr);

// When something is to be done for the rollout next: a slot or a timer.
std::optional<SysTime> next_due(const Entry& entry, const MetricsSource& source);

// One step's transition(s) as a commit: rows of history, new orders, explain bundles. The state,
// and what people are told of it, are added when it is recorded.
struct CommitRules {
  const EngineRules& rules;
  const MetricsSource& source;
  SysTime now{};
};
Commit commit_of(const Entry& entry, unsigned rows_before, const Transition& step,
                 const Rare<Asked>& asked, const CommitRules& rules);

}  // namespace rollwatch
