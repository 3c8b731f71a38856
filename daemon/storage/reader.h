// What the store is asked, as SQL on a connection that only reads. Plain functions of the database;
// the meaning of each is said at the port (daemon/engine/store.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/engine/fleet_store.h"
#include "daemon/engine/store.h"
#include "daemon/storage/recent_heads.h"
#include "daemon/storage/sqlite.h"

namespace rollwatch {

// Used by the reading thread alone. All of one answer is of one moment. Throws SqliteError, or
// DocumentError for a row that makes no sense.
class StoreReader {
 public:
  StoreReader(Database& db, const RecentHeads& recent) : db_(db), recent_(recent) {}

  std::vector<StoredRollout> active();
  std::vector<StoredRollout> active_in(const std::vector<Place>& places);
  std::vector<Delivery> open_deliveries();
  std::vector<Delivery> open_deliveries_in(const std::vector<Place>& places);
  std::optional<StoredRollout> rollout(const std::string& id);
  // `before`: only those whose id is smaller.
  Page<StoredRollout> list(const ListFilter& filter, std::size_t limit,
                           const std::optional<std::string>& before);
  std::size_t count(const ListFilter& filter);
  std::optional<StoredRollout> latest(const std::string& ns, const std::string& service,
                                      const std::string& target, const std::string& candidate);
  Page<StoredEvaluation> evaluations(const std::string& rollout, std::uint32_t after,
                                     std::size_t limit);
  std::vector<StoredEvent> events(const std::optional<std::string>& rollout, std::int64_t after,
                                  std::size_t limit);
  EventStretch event_stretch(std::int64_t after, std::size_t limit);
  Page<Delivery> deliveries(const std::string& rollout, std::size_t limit, std::int64_t after);
  std::optional<Delivery> delivery(const std::string& id);
  Page<std::string> search(const RolloutSearch& search, std::size_t limit,
                           const std::optional<std::string>& before);
  std::size_t count_found(const RolloutSearch& search);
  // `before`: only those whose key is smaller.
  Page<ListedDelivery> all_deliveries(const DeliveryFilter& filter, std::size_t limit,
                                      std::optional<std::int64_t> before);
  std::size_t count_deliveries(const DeliveryFilter& filter);
  std::optional<ExplainRecord> explain(const std::string& rollout,
                                       const std::optional<std::string>& decision);
  std::vector<StoredRollout> latest_per_target(const std::string& ns, const std::string& service,
                                               std::size_t limit);
  std::vector<FreezeRecord> freezes();
  std::optional<std::string> memo(const std::string& rollout, const std::string& target,
                                  const std::string& key);
  std::optional<Store::Idempotent> idempotent(const std::string& key, SysTime now);

 private:
  // The row of a rollout, with its newest state in `recent` if it has one there.
  StoredRollout rollout_in(const Query& row, std::int64_t newest);
  std::vector<StoredRollout> rollouts_in(Query& rows, const std::vector<RecentHead>& heads);
  std::optional<StoredRollout> rollout_of(const std::string& id,
                                          const std::vector<RecentHead>& heads);
  std::optional<std::string> recent_state(std::int64_t rollout, std::int64_t folded,
                                          std::int64_t newest);
  std::vector<StoredEvaluation> recent_evaluations(std::int64_t rollout, std::int64_t folded,
                                                   std::int64_t newest, std::uint32_t after);
  std::optional<std::int64_t> key_of(const std::string& id);
  std::optional<Delivery> delivery_of(const std::string& id);
  Delivery delivery_in(const Query& row);
  std::shared_ptr<const PlanDocument> plan(std::int64_t key);

  Database& db_;
  const RecentHeads& recent_;
  // Documents somebody still holds: equal ones are one in memory too.
  std::unordered_map<std::int64_t, std::weak_ptr<const PlanDocument>> plans_;
};

}  // namespace rollwatch
