// What the store is asked, as SQL for PostgreSQL, and rows as values. The meaning of each question
// is said at the port (daemon/engine/store.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/engine/fleet_store.h"
#include "daemon/engine/store.h"
#include "daemon/postgres/pool.h"

namespace rollwatch {

// "WHERE …" of rollouts r, or nothing: values never become SQL, they go to the statement.
std::string pg_where_of(const ListFilter& filter, const std::optional<std::string>& before,
                        PgStatement& statement);

// Throws PgError, or DocumentError and std::out_of_range for a row that makes no sense.
class PgReader {
 public:
  explicit PgReader(PgPool& pool) : pool_(pool) {}

  awaitable<std::vector<StoredRollout>> active(std::optional<std::vector<Place>> places);
  awaitable<std::vector<Delivery>> open_deliveries(std::optional<std::vector<Place>> places);
  awaitable<std::optional<StoredRollout>> rollout(std::string id);
  // `before`: only those whose id is smaller.
  awaitable<Page<StoredRollout>> list(ListFilter filter, std::size_t limit,
                                      std::optional<std::string> before);
  awaitable<std::size_t> count(ListFilter filter);
  awaitable<std::optional<StoredRollout>> latest(std::string ns, std::string service,
                                                 std::string target, std::string candidate);
  awaitable<std::vector<StoredRollout>> latest_per_target(std::string ns, std::string service,
                                                          std::size_t limit);
  awaitable<Page<StoredEvaluation>> evaluations(std::string rollout, std::uint32_t after,
                                                std::size_t limit);
  awaitable<std::vector<StoredEvent>> events(std::optional<std::string> rollout, std::int64_t after,
                                             std::size_t limit);
  awaitable<EventStretch> event_stretch(std::int64_t after, std::size_t limit);
  awaitable<Page<Delivery>> deliveries(std::string rollout, std::size_t limit, std::int64_t after);
  awaitable<std::optional<Delivery>> delivery(std::string id);
  awaitable<Page<std::string>> search(RolloutSearch search, std::size_t limit,
                                      std::optional<std::string> before);
  awaitable<std::size_t> count_found(RolloutSearch search);
  // `before`: only those whose key is smaller.
  awaitable<Page<ListedDelivery>> all_deliveries(DeliveryFilter filter, std::size_t limit,
                                                 std::optional<std::int64_t> before);
  awaitable<std::size_t> count_deliveries(DeliveryFilter filter);
  awaitable<std::optional<ExplainRecord>> explain(std::string rollout,
                                                  std::optional<std::string> decision);
  awaitable<std::vector<FreezeRecord>> freezes();
  awaitable<std::optional<std::string>> memo(std::string rollout, std::string target,
                                             std::string key);
  awaitable<std::optional<Store::Idempotent>> idempotent(std::string key, SysTime now);

 private:
  awaitable<std::vector<StoredRollout>> rollouts_in(PgRows rows);
  awaitable<std::vector<Delivery>> deliveries_in(PgRows rows);
  awaitable<std::optional<StoredRollout>> one_in(PgRows rows);

  PgPool& pool_;
  // Documents somebody still holds: equal ones are one in memory too.
  std::unordered_map<std::int64_t, std::weak_ptr<const PlanDocument>> plans_;
};

}  // namespace rollwatch
