// Alerts that somebody else's rules raise: each is told to the active rollouts it matches, and is
// taken when they have recorded it.
#include <algorithm>

#include "analysis/alerts.h"
#include "daemon/engine/engine_impl.h"

namespace rollwatch {

awaitable<AlertsTaken> Engine::take_alerts(std::vector<ReceivedAlert> alerts,
                                           std::vector<std::string> namespaces) {
  return impl_->take_alerts(std::move(alerts), std::move(namespaces));
}

awaitable<AlertsTaken> Engine::Impl::take_alerts(std::vector<ReceivedAlert> alerts,
                                                 std::vector<std::string> namespaces) {
  check_started();
  AlertsTaken taken;
  std::vector<std::shared_ptr<Promise<WorkResult>>> all;
  for (const EntryPtr& entry : held_by("", "")) {
    if (is_final(entry->state.state)) continue;
    if (!namespaces.empty() && std::ranges::find(namespaces, entry->spec.ns) == namespaces.end())
      continue;
    const auto wanted = alert_labels(*entry->plan, entry->spec);
    if (!wanted) continue;
    for (const ReceivedAlert& alert : alerts) {
      if (!alert_matches(*wanted, alert.labels)) continue;
      auto done = std::make_shared<Promise<WorkResult>>(executor_);
      Work work{alert.change};
      work.done = [done](const WorkResult& result) { done->set(result); };
      put(entry, std::move(work));
      all.push_back(std::move(done));
    }
  }
  bool away = false, uncertain = false;
  for (const auto& done : all) {
    const WorkResult result = co_await done->get();
    ++taken.matched;
    if (result.end == WorkEnd::kRecorded) ++taken.recorded;
    away = away || result.end == WorkEnd::kStoreAway;
    uncertain = uncertain || result.effect == StoreError::Effect::kUnknown;
  }
  if (away)
    throw StoreError(
        store_trouble_.value_or("a commit was refused"),
        uncertain || taken.recorded > 0 ? StoreError::Effect::kUnknown : StoreError::Effect::kNone);
  co_return taken;
}

}  // namespace rollwatch
