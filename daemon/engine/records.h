// What the store keeps, as values: the rows other parts read back and the commit they write. No
// SQL, no JSON library: documents are text here.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analysis/advance.h"
#include "analysis/freezes.h"

namespace rollwatch {

// What is owned by one node at a time: rollouts of one place supersede each other.
struct Place {
  std::string ns, service, target;
  auto operator<=>(const Place&) const = default;  // NOLINT(modernize-use-nullptr): a 0 of its own
};
Place place_of(const RolloutSpec& spec);

// Whose write it is: a store shared by several nodes refuses an epoch that is no longer the newest
// of its place.
using Epoch = std::uint64_t;

// The merged analysis as it was pinned, as JSON text, with where each value came from. Interned:
// equal documents are one row and one Plan in memory.
struct PlanDocument {
  int version = kPlanVersion;
  std::string analysis;
  std::string sources;
};

struct StoredRollout {
  RolloutSpec spec;
  std::shared_ptr<const PlanDocument> document;
  RolloutState state;
  std::int64_t fence = 0;  // of its latest order; kept by the store, ignored in an insert
  RareText label = {};     // its memo kLabelMemo, as it was given; ignored in an insert
};

// What a person says afterwards of how it ended: for the record, nothing follows from it. Kept as a
// memo of the rollout (of no target), so that it goes with it.
struct DecisionLabel {
  bool right = false;
  std::string by, reason;
  SysTime at{};
  std::string_view word() const { return right ? "right" : "wrong"; }
};
inline constexpr const char* kLabelMemo = "label";

struct StoredEvaluation {
  std::uint32_t number = 0;  // 1, 2, … within the rollout: the cursor
  std::string condition;
  SysTime slot{};
  SysTime last_slot{};  // = slot, but for a run of missed ones
  std::uint32_t slots = 1;
  SysTime evaluated_at{};
  Judgement judgement;
  int step = -1;
  Millis duration{0};
};

struct StoredEvent {
  std::int64_t seq = 0;  // given at commit, over all rollouts, without gaps visible to readers
  std::string rollout;
  Event event;
};

// An event for those who follow all of them, with whose it is.
struct StreamedEvent {
  StoredEvent stored;
  std::string ns, service;
};

// A stretch of the event log, read from one moment with how far the log reaches.
struct EventStretch {
  std::vector<StreamedEvent> items;  // oldest first
  std::int64_t up_to = 0;            // whatever there is up to this number is among them
  std::int64_t newest = 0;           // the last number given
  // The largest number of an event that has been deleted; 0 if none was. Who has seen all up to
  // there, or more, can go on without a gap.
  std::int64_t deleted = 0;
};

enum class DeliveryClass : std::uint8_t { kOrder, kNotification };
enum class DeliveryState : std::uint8_t { kPending, kAccepted, kDone, kRefused, kDead, kWithdrawn };
std::string_view name_of(DeliveryState state);
bool is_open(DeliveryState state);    // pending or accepted
bool is_failed(DeliveryState state);  // dead or refused

struct Attempt {
  SysTime at{};
  std::optional<int> status;  // HTTP status, if one came
  std::string error;          // transport error, if none did
  Millis duration{0};
  std::string answer;  // the first 2 KiB
};

struct Delivery {
  std::string id;  // an order's id, or "no_…" for a notification
  DeliveryClass cls = DeliveryClass::kOrder;
  std::string kind;  // "advance", …, or the event's type
  std::string rollout;
  std::string target;   // name of the orchestrator or notifier
  unsigned number = 0;  // order number within the rollout; 0 for notifications
  double weight = 0;
  std::int64_t fence = 0;  // given at commit; 0 for notifications
  DeliveryState state = DeliveryState::kPending;
  SysTime created_at{};
  SysTime expires_at{};
  SysTime accepted_until{};  // after a 202
  std::string payload;       // facts the message is made from, JSON
  std::vector<Attempt> attempts;
};
// Whether trying it again is what redeliver is for; not whether it can still be of consequence.
bool may_be_redelivered(const Delivery& delivery);

struct DeliveryUpdate {
  std::string id;
  DeliveryState state = DeliveryState::kPending;
  SysTime accepted_until{};
  std::optional<Attempt> attempt;          // appended
  std::optional<SysTime> expires_at = {};  // a new one: it is sent again
};

struct ExplainRecord {
  std::string decision;  // id
  SysTime at{};
  std::string bundle;  // JSON
};

// A small fact kept for (rollout, target), such as the timestamp of a Slack message.
struct Memo {
  std::string target;
  std::string key;
  std::string value;
  bool is_shared = false;  // of no rollout: kept when this one is forgotten
  // If it is shared: what was there when this was made, "" for nothing. A store refuses the batch
  // if something else is there by now (OutOfDate).
  std::string before = {};
};

struct IdempotencyRecord {
  std::string key;
  std::string body_sha256;
  SysTime at{};
};

// Everything one step of one rollout changes. It becomes durable whole or not at all.
struct Commit {
  std::string rollout;
  Epoch epoch = 0;                    // of the rollout's place, as the writer holds it
  Rare<StoredRollout> insert;         // a registration; `state` inside is ignored
  std::optional<RolloutState> state;  // unset: only deliveries change
  std::vector<StoredEvaluation> evaluations;
  std::vector<Event> events;
  std::vector<Delivery> deliveries;  // new ones; the store fills in fences of orders
  std::vector<DeliveryUpdate> delivery_updates;
  std::vector<ExplainRecord> explains;
  std::vector<Memo> memos;
  Rare<IdempotencyRecord> idempotency;
};
// On its way to the disk, perhaps in another thread's hands, and for whoever hands it over to look
// at again.
using SharedCommits = std::shared_ptr<const std::vector<Commit>>;

struct Recorded {
  std::vector<std::int64_t> event_seqs;  // of Commit::events, in order
  std::vector<std::int64_t> fences;      // of Commit::deliveries, 0 for notifications
};

}  // namespace rollwatch
