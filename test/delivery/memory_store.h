// Deliveries in memory, and a store that can be made to fail: what the outbox needs of a Store.
// That a real one keeps its promises is proven in test/storage.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/engine/store.h"

namespace rollwatch {

class MemoryStore : public Store {
 public:
  int failures = 0;                    // so many of the next calls throw StoreError
  int stale = 0;                       // so many of the next commits are of a lease that is over
  std::function<void()> before_reads;  // of what is open
  std::map<std::string, Delivery> deliveries_by_id;
  std::map<std::string, RolloutSpec> specs;
  std::map<std::string, std::string> shared_memos;
  std::map<std::string, std::string> memos;  // by "rollout target key"

  void keep(const RolloutSpec& spec, Delivery delivery);
  void apply(const DeliveryUpdate& update);
  void fail_if_asked();

  using Store::record;
  awaitable<std::vector<Recorded>> record(SharedCommits commits) override;
  awaitable<std::vector<Delivery>> open_deliveries(
      std::optional<std::vector<Place>> places) override;
  awaitable<std::optional<StoredRollout>> rollout(std::string id) override;
  awaitable<std::optional<Delivery>> delivery(std::string id) override;
  awaitable<std::optional<std::string>> memo(std::string rollout, std::string target,
                                             std::string key) override;

  // Nobody asks for these here.
  awaitable<std::vector<StoredRollout>> active(std::optional<std::vector<Place>> places) override;
  awaitable<Page<StoredRollout>> list(ListFilter filter, std::size_t limit,
                                      std::optional<std::string> cursor) override;
  awaitable<std::size_t> count(ListFilter filter) override;
  awaitable<std::optional<StoredRollout>> latest(std::string ns, std::string service,
                                                 std::string target,
                                                 std::string candidate) override;
  awaitable<Page<StoredEvaluation>> evaluations(std::string rollout, std::uint32_t after,
                                                std::size_t limit) override;
  awaitable<std::vector<StoredEvent>> events(std::optional<std::string> rollout, std::int64_t after,
                                             std::size_t limit) override;
  awaitable<EventStretch> event_stretch(std::int64_t after, std::size_t limit) override;
  awaitable<Page<Delivery>> deliveries(std::string rollout, std::size_t limit,
                                       std::optional<std::string> cursor) override;
  awaitable<std::optional<ExplainRecord>> explain(std::string rollout,
                                                  std::optional<std::string> decision) override;
  awaitable<std::optional<Idempotent>> idempotent(std::string key, SysTime now) override;
  awaitable<std::vector<StoredRollout>> latest_per_target(std::string ns, std::string service,
                                                          std::size_t limit) override;
  awaitable<void> put_freeze(FreezeRecord freeze) override;
  awaitable<std::vector<FreezeRecord>> freezes() override;
  awaitable<std::size_t> forget(SysTime ended_before, std::size_t limit) override;
  awaitable<Thinned> thin(SysTime before) override;
  void close() override {}
};

}  // namespace rollwatch
