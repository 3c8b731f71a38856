// What the API needs from the engine and the store, and no more: handlers are tested against a fake
// of it, and EngineService is the real one. The calls mean what engine.h and store.h say; reads and
// writes throw StoreError when the store is away.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/engine/engine.h"
#include "daemon/engine/fleet_store.h"
#include "daemon/engine/store.h"

namespace rollwatch {

class RolloutService {
 public:
  virtual ~RolloutService() = default;

  virtual awaitable<RegisterResult> register_rollout(Registration registration) = 0;
  virtual awaitable<DecideResult> decide(std::string id, PersonDecided decision,
                                         std::optional<unsigned> revision) = 0;
  virtual awaitable<DecideResult> report_weight(std::string id, WeightReported report) = 0;
  virtual awaitable<DecideResult> acknowledge(std::string delivery, bool done, std::string detail,
                                              Via via) = 0;
  virtual awaitable<RedeliverResult> redeliver(std::string delivery, std::string by,
                                               std::string reason, Via via) = 0;
  virtual awaitable<LabelResult> label(std::string id, DecisionLabel label, Via via) = 0;
  virtual awaitable<FreezeRecord> freeze(FreezeRecord wanted) = 0;
  virtual awaitable<std::optional<FreezeRecord>> lift_freeze(FreezeLift lift) = 0;

  virtual awaitable<AlertsTaken> take_alerts(std::vector<ReceivedAlert> alerts,
                                             std::vector<std::string> namespaces) = 0;

  virtual FreezeView freeze_of(const std::string& ns, const std::string& service) = 0;
  // All of them, whether they are in force or were.
  virtual awaitable<std::vector<FreezeRecord>> all_freezes() = 0;
  // How many a freeze of the service, or of everything, can hold; on whichever node.
  virtual awaitable<std::size_t> count_held_by(std::string ns, std::string service) = 0;
  virtual awaitable<std::vector<StoredRollout>> latest_per_target(std::string ns,
                                                                  std::string service,
                                                                  std::size_t limit) = 0;
  virtual awaitable<std::optional<RolloutView>> find(std::string id) = 0;
  virtual awaitable<Page<RolloutView>> list(ListFilter filter, std::size_t limit,
                                            std::optional<std::string> cursor) = 0;
  virtual awaitable<void> wait_for_change(std::string id, unsigned revision, Millis limit) = 0;

  virtual awaitable<Page<StoredEvaluation>> evaluations(std::string id, std::uint32_t after,
                                                        std::size_t limit) = 0;
  virtual awaitable<std::vector<StoredEvent>> events(std::string id, std::int64_t after,
                                                     std::size_t limit) = 0;
  virtual awaitable<Page<Delivery>> deliveries(std::string id, std::size_t limit,
                                               std::optional<std::string> cursor) = 0;
  virtual awaitable<std::optional<Delivery>> delivery(std::string id) = 0;
  virtual awaitable<Page<ListedDelivery>> all_deliveries(DeliveryFilter filter, std::size_t limit,
                                                         std::optional<std::string> cursor) = 0;
  virtual awaitable<std::size_t> count_deliveries(DeliveryFilter filter) = 0;
  // As list(), of what is found.
  virtual awaitable<Page<RolloutView>> search(RolloutSearch search, std::size_t limit,
                                              std::optional<std::string> cursor) = 0;
  virtual awaitable<std::size_t> count_found(RolloutSearch search) = 0;
  // The number of the last event that was recorded.
  virtual awaitable<std::int64_t> newest_event() = 0;
  virtual awaitable<std::optional<ExplainRecord>> explain(std::string id,
                                                          std::optional<std::string> decision) = 0;
  virtual awaitable<std::optional<Store::Idempotent>> idempotent(std::string key, SysTime now) = 0;
};

class EngineService : public RolloutService {
 public:
  // All must outlive it.
  EngineService(Engine& engine, Store& store, FleetStore& fleet)
      : engine_(engine), store_(store), fleet_(fleet) {}

  awaitable<RegisterResult> register_rollout(Registration registration) override;
  awaitable<DecideResult> decide(std::string id, PersonDecided decision,
                                 std::optional<unsigned> revision) override;
  awaitable<DecideResult> report_weight(std::string id, WeightReported report) override;
  awaitable<DecideResult> acknowledge(std::string delivery, bool done, std::string detail,
                                      Via via) override;
  awaitable<RedeliverResult> redeliver(std::string delivery, std::string by, std::string reason,
                                       Via via) override;
  awaitable<LabelResult> label(std::string id, DecisionLabel label, Via via) override;
  awaitable<FreezeRecord> freeze(FreezeRecord wanted) override;
  awaitable<std::optional<FreezeRecord>> lift_freeze(FreezeLift lift) override;
  awaitable<AlertsTaken> take_alerts(std::vector<ReceivedAlert> alerts,
                                     std::vector<std::string> namespaces) override;
  FreezeView freeze_of(const std::string& ns, const std::string& service) override;
  awaitable<std::vector<FreezeRecord>> all_freezes() override;
  awaitable<std::size_t> count_held_by(std::string ns, std::string service) override;
  awaitable<std::vector<StoredRollout>> latest_per_target(std::string ns, std::string service,
                                                          std::size_t limit) override;
  awaitable<std::optional<RolloutView>> find(std::string id) override;
  awaitable<Page<RolloutView>> list(ListFilter filter, std::size_t limit,
                                    std::optional<std::string> cursor) override;
  awaitable<void> wait_for_change(std::string id, unsigned revision, Millis limit) override;
  awaitable<Page<StoredEvaluation>> evaluations(std::string id, std::uint32_t after,
                                                std::size_t limit) override;
  awaitable<std::vector<StoredEvent>> events(std::string id, std::int64_t after,
                                             std::size_t limit) override;
  awaitable<Page<Delivery>> deliveries(std::string id, std::size_t limit,
                                       std::optional<std::string> cursor) override;
  awaitable<std::optional<Delivery>> delivery(std::string id) override;
  awaitable<Page<ListedDelivery>> all_deliveries(DeliveryFilter filter, std::size_t limit,
                                                 std::optional<std::string> cursor) override;
  awaitable<std::size_t> count_deliveries(DeliveryFilter filter) override;
  awaitable<Page<RolloutView>> search(RolloutSearch search, std::size_t limit,
                                      std::optional<std::string> cursor) override;
  awaitable<std::size_t> count_found(RolloutSearch search) override;
  awaitable<std::int64_t> newest_event() override;
  awaitable<std::optional<ExplainRecord>> explain(std::string id,
                                                  std::optional<std::string> decision) override;
  awaitable<std::optional<Store::Idempotent>> idempotent(std::string key, SysTime now) override;

 private:
  Engine& engine_;
  Store& store_;
  FleetStore& fleet_;
};

}  // namespace rollwatch
