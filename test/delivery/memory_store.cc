#include "test/delivery/memory_store.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rollwatch {
namespace {

[[noreturn]] void unexpected(const char* call) {
  throw std::logic_error(std::string("the outbox called ") + call);
}

}  // namespace

void MemoryStore::keep(const RolloutSpec& spec, Delivery delivery) {
  specs[spec.id] = spec;
  const std::string id = delivery.id;
  deliveries_by_id[id] = std::move(delivery);
}

void MemoryStore::apply(const DeliveryUpdate& update) {
  Delivery& delivery = deliveries_by_id.at(update.id);
  if (delivery.state != DeliveryState::kWithdrawn) delivery.state = update.state;
  if (update.state == DeliveryState::kAccepted) delivery.accepted_until = update.accepted_until;
  if (update.attempt) delivery.attempts.push_back(*update.attempt);
}

void MemoryStore::fail_if_asked() {
  if (failures == 0) return;
  --failures;
  throw StoreError("the disk is full");
}

awaitable<std::vector<Recorded>> MemoryStore::record(SharedCommits commits) {
  fail_if_asked();
  if (stale > 0) {
    --stale;
    throw StaleLease("another node has it");
  }
  std::vector<Recorded> recorded(commits->size());
  for (const Commit& commit : *commits) {
    for (const Delivery& delivery : commit.deliveries) {
      const bool is_new = deliveries_by_id.emplace(delivery.id, delivery).second;
      if (!is_new) throw std::logic_error("a second delivery " + delivery.id);
    }
    for (const DeliveryUpdate& update : commit.delivery_updates) apply(update);
    for (const Memo& memo : commit.memos)
      memos[commit.rollout + " " + memo.target + " " + memo.key] = memo.value;
  }
  co_return recorded;
}

awaitable<std::vector<Delivery>> MemoryStore::open_deliveries(
    std::optional<std::vector<Place>> places) {
  fail_if_asked();
  if (before_reads) before_reads();
  std::vector<Delivery> open;
  for (const auto& [id, delivery] : deliveries_by_id) {
    const auto spec = specs.find(delivery.rollout);
    const bool asked_for =
        !places || (spec != specs.end() &&
                    std::count(places->begin(), places->end(), place_of(spec->second)) > 0);
    if (asked_for && is_open(delivery.state)) open.push_back(delivery);
  }
  std::stable_sort(open.begin(), open.end(), [](const Delivery& a, const Delivery& b) {
    return a.created_at < b.created_at;
  });
  co_return open;
}

awaitable<std::optional<StoredRollout>> MemoryStore::rollout(std::string id) {
  fail_if_asked();
  std::optional<StoredRollout> found;
  if (specs.contains(id)) found.emplace().spec = specs.at(id);
  co_return found;
}

awaitable<std::optional<Delivery>> MemoryStore::delivery(std::string id) {
  fail_if_asked();
  std::optional<Delivery> found;
  if (deliveries_by_id.contains(id)) found = deliveries_by_id.at(id);
  co_return found;
}

awaitable<std::optional<std::string>> MemoryStore::memo(std::string rollout, std::string target,
                                                        std::string key) {
  fail_if_asked();
  std::optional<std::string> found;
  if (rollout.empty() && target.empty()) {
    if (shared_memos.contains(key)) found = shared_memos.at(key);
  } else {
    const std::string whole = rollout + " " + target + " " + key;
    if (memos.contains(whole)) found = memos.at(whole);
  }
  co_return found;
}

awaitable<std::vector<StoredRollout>> MemoryStore::active(std::optional<std::vector<Place>>) {
  unexpected("active");
}
awaitable<Page<StoredRollout>> MemoryStore::list(ListFilter, std::size_t,
                                                 std::optional<std::string>) {
  unexpected("list");
}
awaitable<std::size_t> MemoryStore::count(ListFilter) { unexpected("count"); }
awaitable<std::optional<StoredRollout>> MemoryStore::latest(std::string, std::string, std::string,
                                                            std::string) {
  unexpected("latest");
}
awaitable<Page<StoredEvaluation>> MemoryStore::evaluations(std::string, std::uint32_t,
                                                           std::size_t) {
  unexpected("evaluations");
}
awaitable<std::vector<StoredEvent>> MemoryStore::events(std::optional<std::string>, std::int64_t,
                                                        std::size_t) {
  unexpected("events");
}
awaitable<EventStretch> MemoryStore::event_stretch(std::int64_t, std::size_t) {
  unexpected("event_stretch");
}
awaitable<Page<Delivery>> MemoryStore::deliveries(std::string, std::size_t,
                                                  std::optional<std::string>) {
  unexpected("deliveries");
}
awaitable<std::optional<ExplainRecord>> MemoryStore::explain(std::string,
                                                             std::optional<std::string>) {
  unexpected("explain");
}
awaitable<std::optional<Store::Idempotent>> MemoryStore::idempotent(std::string, SysTime) {
  unexpected("idempotent");
}
awaitable<std::vector<StoredRollout>> MemoryStore::latest_per_target(std::string, std::string,
                                                                     std::size_t) {
  unexpected("latest_per_target");
}
awaitable<void> MemoryStore::put_freeze(FreezeRecord) { unexpected("put_freeze"); }
awaitable<std::vector<FreezeRecord>> MemoryStore::freezes() { unexpected("freezes"); }
awaitable<std::size_t> MemoryStore::forget(SysTime, std::size_t) { unexpected("forget"); }
awaitable<Store::Thinned> MemoryStore::thin(SysTime) { unexpected("thin"); }

}  // namespace rollwatch
