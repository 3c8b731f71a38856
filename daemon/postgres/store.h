// The store that several nodes share: PostgreSQL. Everything runs on the io thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/fleet_store.h"
#include "daemon/engine/store.h"
#include "daemon/postgres/pool.h"
#include "daemon/postgres/reader.h"
#include "daemon/postgres/writer.h"

namespace rollwatch {

class PgStore : public Store, public FleetStore {
 public:
  PgStore(const net::any_io_executor& executor, const std::string& url, PgWriterHooks hooks = {});
  PgStore(const net::any_io_executor& executor, PgTarget target, PgWriterHooks hooks = {});
  ~PgStore() override;

  // Connects, and brings the tables to what this program knows. Throws StoreError: what is wrong,
  // and what to do.
  awaitable<void> open();
  // Of the latest open() that failed: waiting can help.
  bool may_come_back() const { return may_come_back_; }

  // For what is not a rollout's: members, calls.
  PgPool& pool() { return pool_; }
  // Writes as whichever node it is told to be.
  PgWriter& writer() { return writer_; }

  using Store::record;
  awaitable<std::vector<Recorded>> record(SharedCommits commits) override;
  awaitable<std::vector<StoredRollout>> active(std::optional<std::vector<Place>> places) override;
  awaitable<std::vector<Delivery>> open_deliveries(
      std::optional<std::vector<Place>> places) override;
  awaitable<std::optional<StoredRollout>> rollout(std::string id) override;
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
  awaitable<std::optional<Delivery>> delivery(std::string id) override;
  awaitable<Page<std::string>> search(RolloutSearch search, std::size_t limit,
                                      std::optional<std::string> cursor) override;
  awaitable<std::size_t> count_found(RolloutSearch search) override;
  awaitable<Page<ListedDelivery>> all_deliveries(DeliveryFilter filter, std::size_t limit,
                                                 std::optional<std::string> cursor) override;
  awaitable<std::size_t> count_deliveries(DeliveryFilter filter) override;
  awaitable<std::optional<ExplainRecord>> explain(std::string rollout,
                                                  std::optional<std::string> decision) override;
  awaitable<std::optional<std::string>> memo(std::string rollout, std::string target,
                                             std::string key) override;
  awaitable<std::optional<Idempotent>> idempotent(std::string key, SysTime now) override;
  awaitable<std::vector<StoredRollout>> latest_per_target(std::string ns, std::string service,
                                                          std::size_t limit) override;
  awaitable<void> put_freeze(FreezeRecord freeze) override;
  awaitable<std::vector<FreezeRecord>> freezes() override;
  awaitable<std::size_t> forget(SysTime ended_before, std::size_t limit) override;
  awaitable<Thinned> thin(SysTime before) override;
  void close() override;

 private:
  template <class T>
  awaitable<T> reading(awaitable<T> question);

  const net::any_io_executor executor_;
  const PgTarget target_;
  PgPool pool_;
  PgReader reader_;
  PgWriter writer_;
  bool may_come_back_ = false;
};

}  // namespace rollwatch
