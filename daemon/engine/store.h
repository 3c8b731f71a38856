// Port: what survives. One test suite holds for every implementation (test/storage).
//
// All calls are made on the io thread; reads see every commit that was reported recorded.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "daemon/engine/records.h"
#include "daemon/net/net.h"

namespace rollwatch {

// The store is away or refused a commit. The message is for people.
class StoreError : public std::runtime_error {
 public:
  // Of what was to be recorded nothing is on disk; or all or a part of it may be, and nobody knows.
  enum class Effect : unsigned char { kNone, kUnknown };
  explicit StoreError(const std::string& message, Effect effect = Effect::kNone)
      : std::runtime_error(message), effect_(effect) {}
  bool is_uncertain() const { return effect_ == Effect::kUnknown; }

 private:
  Effect effect_;
};

// The epoch of a commit is not that of its place any more: another node has it.
class StaleLease : public StoreError {
  using StoreError::StoreError;
};

// A shared memo was changed by somebody else since it was read: what it is made from is to be read
// and decided again.
class OutOfDate : public StoreError {
  using StoreError::StoreError;
};

template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next_cursor;
};

struct ListFilter {
  std::vector<State> states;        // empty: any
  std::string ns, service, target;  // empty: any
  std::map<std::string, std::string> labels;
  std::vector<std::string> visible = {};  // namespaces; empty: all
};

class Store {
 public:
  virtual ~Store() = default;

  // Appends the commits durably, all of them together. Resumes after the transaction that holds
  // them; batches of several callers may share one. Throws StoreError if they are not on disk, or
  // if that cannot be known; other callers' batches are unaffected. StaleLease and OutOfDate say
  // why in a type.
  virtual awaitable<std::vector<Recorded>> record(SharedCommits commits) = 0;
  awaitable<std::vector<Recorded>> record(std::vector<Commit> commits) {
    return record(std::make_shared<const std::vector<Commit>>(std::move(commits)));
  }

  // Every rollout of these places, or of all, that has not ended or is watched still (is_over),
  // with its exact state.
  virtual awaitable<std::vector<StoredRollout>> active(
      std::optional<std::vector<Place>> places) = 0;
  // Orders and notifications of these places, or of all, that are still to be delivered or
  // acknowledged, oldest first.
  virtual awaitable<std::vector<Delivery>> open_deliveries(
      std::optional<std::vector<Place>> places) = 0;

  virtual awaitable<std::optional<StoredRollout>> rollout(std::string id) = 0;
  // Newest first.
  virtual awaitable<Page<StoredRollout>> list(ListFilter filter, std::size_t limit,
                                              std::optional<std::string> cursor) = 0;
  virtual awaitable<std::size_t> count(ListFilter filter) = 0;
  // The latest rollout of this candidate in this place, for "attempt".
  virtual awaitable<std::optional<StoredRollout>> latest(std::string ns, std::string service,
                                                         std::string target,
                                                         std::string candidate) = 0;
  // Oldest first, after the given number, sequence or cursor.
  virtual awaitable<Page<StoredEvaluation>> evaluations(std::string rollout, std::uint32_t after,
                                                        std::size_t limit) = 0;
  virtual awaitable<std::vector<StoredEvent>> events(std::optional<std::string> rollout,
                                                     std::int64_t after, std::size_t limit) = 0;
  // Of all rollouts, after that number, at most `limit`; with a limit of 0 only how far the log
  // reaches.
  virtual awaitable<EventStretch> event_stretch(std::int64_t after, std::size_t limit) = 0;
  virtual awaitable<Page<Delivery>> deliveries(std::string rollout, std::size_t limit,
                                               std::optional<std::string> cursor) = 0;
  virtual awaitable<std::optional<Delivery>> delivery(std::string id) = 0;
  // The bundle of that decision, or of the latest one.
  virtual awaitable<std::optional<ExplainRecord>> explain(std::string rollout,
                                                          std::optional<std::string> decision) = 0;
  // `rollout` is "" for a shared one.
  virtual awaitable<std::optional<std::string>> memo(std::string rollout, std::string target,
                                                     std::string key) = 0;
  // The rollout registered with this key in the last 24 h before `now`, and the hash of its body.
  struct Idempotent {
    std::string rollout;
    std::string body_sha256;
  };
  virtual awaitable<std::optional<Idempotent>> idempotent(std::string key, SysTime now) = 0;

  // The latest rollout of each target of this service, the newest first, at most `limit` of them.
  virtual awaitable<std::vector<StoredRollout>> latest_per_target(std::string ns,
                                                                  std::string service,
                                                                  std::size_t limit) = 0;

  // Durable when it resumes; replaces what was there for the same service, or for everything.
  virtual awaitable<void> put_freeze(FreezeRecord freeze) = 0;
  // All of them, whether they are in force or were.
  virtual awaitable<std::vector<FreezeRecord>> freezes() = 0;

  // Deletes at most `limit` rollouts that ended before that moment, the longest ended first, with
  // all that belongs to them; how many. A rollout is gone for every reader at once, and other
  // commits get in between the many rows. One with an open delivery stays. Fences of its place go
  // on growing, and no event number is given again. What a call that threw has left is deleted by
  // the next. One call at a time.
  virtual awaitable<std::size_t> forget(SysTime ended_before, std::size_t limit) = 0;

  // Deletes some of what was evaluated before that moment and decided nothing, a piece like
  // those of forget(): every slot that did not pass stays, and so do the passes beside them, at the
  // ends of steps and around decisions, and of the others one in ten. Numbers stay as they are. A
  // rollout is looked at whenever an hour more of it is old enough.
  struct Thinned {
    std::size_t deleted = 0;
    bool more = false;
  };
  virtual awaitable<Thinned> thin(SysTime before) = 0;

  // Finishes what was handed over and closes. No call may follow.
  virtual void close() = 0;
};

}  // namespace rollwatch
