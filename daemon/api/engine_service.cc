#include "daemon/api/rollout_service.h"

namespace rollwatch {

awaitable<RegisterResult> EngineService::register_rollout(Registration registration) {
  return engine_.register_rollout(std::move(registration));
}
awaitable<DecideResult> EngineService::decide(std::string id, PersonDecided decision,
                                              std::optional<unsigned> revision) {
  return engine_.decide(std::move(id), std::move(decision), revision);
}
awaitable<DecideResult> EngineService::report_weight(std::string id, WeightReported report) {
  return engine_.report_weight(std::move(id), std::move(report));
}
awaitable<DecideResult> EngineService::acknowledge(std::string delivery, bool done,
                                                   std::string detail, Via via) {
  return engine_.acknowledge(std::move(delivery), done, std::move(detail), std::move(via));
}
awaitable<RedeliverResult> EngineService::redeliver(std::string delivery, std::string by,
                                                    std::string reason, Via via) {
  return engine_.redeliver(std::move(delivery), std::move(by), std::move(reason), std::move(via));
}
awaitable<LabelResult> EngineService::label(std::string id, DecisionLabel label, Via via) {
  return engine_.label(std::move(id), std::move(label), std::move(via));
}
awaitable<FreezeRecord> EngineService::freeze(FreezeRecord wanted) {
  return engine_.freeze(std::move(wanted));
}
awaitable<std::optional<FreezeRecord>> EngineService::lift_freeze(FreezeLift lift) {
  return engine_.lift_freeze(std::move(lift));
}
awaitable<AlertsTaken> EngineService::take_alerts(std::vector<ReceivedAlert> alerts,
                                                  std::vector<std::string> namespaces) {
  return engine_.take_alerts(std::move(alerts), std::move(namespaces));
}
FreezeView EngineService::freeze_of(const std::string& ns, const std::string& service) {
  return engine_.freeze_of(ns, service);
}
awaitable<std::vector<FreezeRecord>> EngineService::all_freezes() { return store_.freezes(); }
awaitable<std::size_t> EngineService::count_held_by(std::string ns, std::string service) {
  ListFilter filter;
  filter.states = {State::kWaiting, State::kAnalyzing, State::kPaused, State::kPromoting,
                   State::kSoaking};
  filter.ns = std::move(ns);
  filter.service = std::move(service);
  return store_.count(std::move(filter));
}
awaitable<std::vector<StoredRollout>> EngineService::latest_per_target(std::string ns,
                                                                       std::string service,
                                                                       std::size_t limit) {
  return store_.latest_per_target(std::move(ns), std::move(service), limit);
}
awaitable<std::optional<RolloutView>> EngineService::find(std::string id) {
  return engine_.find(std::move(id));
}
awaitable<Page<RolloutView>> EngineService::list(ListFilter filter, std::size_t limit,
                                                 std::optional<std::string> cursor) {
  return engine_.list(std::move(filter), limit, std::move(cursor));
}
awaitable<void> EngineService::wait_for_change(std::string id, unsigned revision, Millis limit) {
  return engine_.wait_for_change(std::move(id), revision, limit);
}
awaitable<Page<StoredEvaluation>> EngineService::evaluations(std::string id, std::uint32_t after,
                                                             std::size_t limit) {
  return store_.evaluations(std::move(id), after, limit);
}
awaitable<std::vector<StoredEvent>> EngineService::events(std::string id, std::int64_t after,
                                                          std::size_t limit) {
  return store_.events(std::move(id), after, limit);
}
awaitable<Page<Delivery>> EngineService::deliveries(std::string id, std::size_t limit,
                                                    std::optional<std::string> cursor) {
  return store_.deliveries(std::move(id), limit, std::move(cursor));
}
awaitable<std::optional<Delivery>> EngineService::delivery(std::string id) {
  return store_.delivery(std::move(id));
}
awaitable<Page<ListedDelivery>> EngineService::all_deliveries(DeliveryFilter filter,
                                                              std::size_t limit,
                                                              std::optional<std::string> cursor) {
  return fleet_.all_deliveries(std::move(filter), limit, std::move(cursor));
}
awaitable<std::size_t> EngineService::count_deliveries(DeliveryFilter filter) {
  return fleet_.count_deliveries(std::move(filter));
}
awaitable<Page<RolloutView>> EngineService::search(RolloutSearch search, std::size_t limit,
                                                   std::optional<std::string> cursor) {
  Page<std::string> ids = co_await fleet_.search(std::move(search), limit, std::move(cursor));
  Page<RolloutView> page;
  page.items = co_await engine_.find_all(std::move(ids.items));
  page.next_cursor = std::move(ids.next_cursor);
  co_return page;
}
awaitable<std::size_t> EngineService::count_found(RolloutSearch search) {
  return fleet_.count_found(std::move(search));
}
awaitable<std::int64_t> EngineService::newest_event() {
  const EventStretch stretch = co_await store_.event_stretch(0, 0);
  co_return stretch.newest;
}
awaitable<std::optional<ExplainRecord>> EngineService::explain(
    std::string id, std::optional<std::string> decision) {
  return store_.explain(std::move(id), std::move(decision));
}
awaitable<std::optional<Store::Idempotent>> EngineService::idempotent(std::string key,
                                                                      SysTime now) {
  return store_.idempotent(std::move(key), now);
}

}  // namespace rollwatch
