// The store of a single node: one SQLite file, two threads of its own.
//
// The writer takes whatever batches arrived during its last commit and makes one durable
// transaction of them (group_commit.h); nobody configures a batch size, and 2,000 records cost a
// few commits. The reader answers questions on a second connection, one after another, so that a
// long page never delays a commit. Results are handed back on the io thread, where all calls are
// made. While the store is open no other process can open it (lock_file.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/fleet_store.h"
#include "daemon/engine/store.h"

namespace rollwatch {

class Database;
class RecentLog;
class StoreReader;

class SqliteStore : public Store, public FleetStore {
 public:
  // Opens the database, or creates it readable for its owner only, and brings its schema up to date
  // before it returns. Throws StoreError that names the path and says what to do. `io` must outlive
  // close().
  SqliteStore(net::any_io_executor io, std::filesystem::path path);
  ~SqliteStore() override;  // closes

  // Epochs are not looked at: there is no other node.
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

  // Durable transactions so far: how well commits are grouped.
  std::uint64_t transactions() const;

 private:
  class Threads;

  template <class T>
  awaitable<T> read(std::function<T(StoreReader&)> question);
  awaitable<std::size_t> work(std::function<std::size_t(Database&, RecentLog&)> chore);

  const net::any_io_executor io_;
  std::unique_ptr<Threads> threads_;
};

}  // namespace rollwatch
