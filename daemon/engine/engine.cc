#include "daemon/engine/engine.h"

#include <algorithm>
#include <utility>

#include "daemon/engine/engine_impl.h"
#include "daemon/engine/labels.h"

namespace rollwatch {
namespace {

DecideResult result_of(const WorkResult& work, std::optional<RolloutView> view) {
  switch (work.end) {
    case WorkEnd::kRefused:
      return {DecideEnd::kConflict, work.why, std::move(view)};
    case WorkEnd::kStale:
    case WorkEnd::kEnded:
      return {DecideEnd::kConflict, "the rollout has ended", std::move(view)};
    case WorkEnd::kChanged:
      return {DecideEnd::kChanged, "", std::move(view)};
    case WorkEnd::kStoreAway:
      throw work.error();
    default:
      return {DecideEnd::kDone, "", std::move(view)};
  }
}

}  // namespace

// ---- Loading and looking up
// ----------------------------------------------------------------------

EntryPtr Engine::Impl::add(StoredRollout stored, const TenurePtr& tenure,
                           std::shared_ptr<const Plan> plan) {
  auto entry = std::make_shared<Entry>();
  entry->tenure = tenure;
  entry->spec = std::move(stored.spec);
  entry->state = std::move(stored.state);
  auto found = pinned_.find(stored.document->analysis);
  if (found == pinned_.end()) {
    try {
      if (!plan) plan = rules_.decode_plan(*stored.document);
    } catch (const std::exception& error) {
      throw StoreError("the analysis of rollout " + entry->spec.id +
                       " cannot be read: " + error.what());
    }
    const std::string_view key = stored.document->analysis;
    found = pinned_.emplace(key, Pinned{stored.document, std::move(plan)}).first;
  }
  Pinned& pinned = found->second;
  ++pinned.users;
  entry->document =
      pinned.document->sources == stored.document->sources ? pinned.document : stored.document;
  entry->plan = plan_for(entry->spec, pinned.plan);
  if (entry->plan->conditions.size() != entry->state.conditions.size())
    throw StoreError("rollout " + entry->spec.id +
                     " cannot be read: its state does not fit its analysis");
  entry->fence = stored.fence;
  entry->label = std::move(stored.label);
  entry->asking.resize(entry->plan->conditions.size());
  active_.insert(entry);
  tenure->entries.push_back(entry);
  return entry;
}

void Engine::Impl::unpin(const PlanDocument& document) {
  const auto found = pinned_.find(document.analysis);
  if (found != pinned_.end() && --found->second.users == 0) pinned_.erase(found);
}

EntryPtr Engine::Impl::look_up(const std::string& id) const {
  const auto found = active_.find(id);
  return found == active_.end() ? nullptr : *found;
}

std::shared_ptr<const Plan> Engine::Impl::read_plan(const StoredRollout& stored) const {
  const auto found = pinned_.find(stored.document->analysis);
  if (found != pinned_.end()) return found->second.plan;
  try {
    return rules_.decode_plan(*stored.document);
  } catch (const std::exception& error) {
    throw Unreadable("the analysis of rollout " + stored.spec.id +
                     " cannot be read: " + error.what());
  }
}

RolloutView Engine::Impl::stored_view(StoredRollout stored,
                                      std::shared_ptr<const Plan> plan) const {
  plan = plan_for(stored.spec, std::move(plan));
  if (plan->conditions.size() != stored.state.conditions.size())
    throw Unreadable("rollout " + stored.spec.id +
                     " cannot be read: its state does not fit its analysis");
  RolloutView view =
      view_of(stored.spec, stored.document, std::move(plan), stored.state, stored.fence, source_);
  view.label = read_label(stored.label);
  return view;
}

// Requests come in as soon as the daemon listens. Before it knows what is active it takes nothing
// on: a new rollout would not supersede the one before it, and a decision would not find its
// rollout.
void Engine::Impl::check_started() const {
  if (!started_) throw StoreError("rollwatchd has not read its store yet");
}

awaitable<std::optional<RolloutView>> Engine::Impl::find(std::string id) {
  if (const EntryPtr entry = look_up(id)) co_return entry->view(source_);
  auto stored = co_await store_.rollout(id);
  if (!stored) co_return std::nullopt;
  auto plan = read_plan(*stored);
  co_return stored_view(std::move(*stored), std::move(plan));
}

awaitable<std::vector<RolloutView>> Engine::Impl::find_all(std::vector<std::string> ids) {
  std::vector<RolloutView> found;
  for (const std::string& id : ids) {
    try {
      if (auto view = co_await find(id)) found.push_back(*std::move(view));
    } catch (const Unreadable& error) {
      if (hooks_.left_out) hooks_.left_out(error.what());
    }
  }
  co_return found;
}

awaitable<Page<RolloutView>> Engine::Impl::list(ListFilter filter, std::size_t limit,
                                                std::optional<std::string> cursor) {
  Page<StoredRollout> stored = co_await store_.list(std::move(filter), limit, std::move(cursor));
  Page<RolloutView> page;
  std::map<std::shared_ptr<const PlanDocument>, std::shared_ptr<const Plan>>
      plans;  // each is read once
  for (StoredRollout& rollout : stored.items) {
    try {
      auto& plan = plans[rollout.document];
      if (!plan) plan = read_plan(rollout);
      page.items.push_back(stored_view(std::move(rollout), plan));
    } catch (const Unreadable& error) {
      if (hooks_.left_out) hooks_.left_out(error.what());
    }
  }
  page.next_cursor = std::move(stored.next_cursor);
  co_return page;
}

std::vector<RolloutView> Engine::Impl::active() const {
  std::vector<RolloutView> views;
  for (const EntryPtr& entry : active_) views.push_back(entry->view(source_));
  return views;
}

void Engine::Impl::for_each_active(const Look& look) const {
  for (const EntryPtr& entry : active_) look(entry->spec, *entry->plan, entry->state);
}

awaitable<void> Engine::Impl::stop() {
  stopping_ = true;
  start_flush();
  for (const auto& [id, waiters] : std::exchange(change_waiters_, {}))
    for (const auto& waiter : waiters) waiter->set(Woken::kChanged);
  while (flushing_ || !batch_.empty()) {
    auto idle = std::make_shared<Promise<bool>>(executor_);
    idle_waiters_.push_back(idle);
    co_await idle->get();
  }
}

// ---- Callers
// -------------------------------------------------------------------------------------

awaitable<WorkResult> Engine::Impl::put_and_wait(EntryPtr entry, Work work) {
  auto done = std::make_shared<Promise<WorkResult>>(executor_);
  work.done = [done](const WorkResult& result) { done->set(result); };
  put(entry, std::move(work));
  co_return co_await done->get();
}

awaitable<DecideResult> Engine::Impl::put(std::string id, Work work) {
  check_started();
  const EntryPtr entry = co_await reach(id);
  if (!entry) {
    auto stored = co_await find(id);
    if (!stored) co_return DecideResult{DecideEnd::kNotFound, "", std::nullopt};
    const Transition refused =
        advance({stored->spec, *stored->plan}, stored->state, work.input, clock_.wall());
    const std::string why =
        refused.refusal.value_or("it is " + std::string(name_of(stored->state.state)) + " already");
    co_return DecideResult{DecideEnd::kConflict, why, std::move(stored)};
  }
  const WorkResult result = co_await put_and_wait(entry, std::move(work));
  co_return result_of(result, entry->view(source_));
}

// ---- The face
// ------------------------------------------------------------------------------------

Engine::Engine(net::any_io_executor executor, Clock& clock, MetricsSource& source, Store& store,
               Leases& leases, EngineRules rules, EngineHooks hooks)
    : impl_(std::make_shared<Impl>(std::move(executor), clock, source, store, leases,
                                   std::move(rules), std::move(hooks))) {}
Engine::~Engine() = default;

awaitable<void> Engine::load() { return impl_->load(); }
awaitable<void> Engine::take_over(std::optional<std::vector<Lease>> leases) {
  return impl_->take_over(std::move(leases));
}
void Engine::watch(const std::optional<std::vector<Place>>& places, Cause missed) {
  impl_->watch(places, missed);
}
awaitable<void> Engine::give_up(std::vector<Place> places) {
  return impl_->give_up(std::move(places));
}
void Engine::lose(const std::vector<Place>& places) { impl_->lose(places); }
awaitable<void> Engine::stop() { return impl_->stop(); }
awaitable<RegisterResult> Engine::register_rollout(Registration registration) {
  return impl_->register_rollout(std::move(registration));
}
awaitable<DecideResult> Engine::decide(std::string id, PersonDecided decision,
                                       std::optional<unsigned> revision) {
  Work work;
  work.input = std::move(decision);
  work.revision = revision;
  return impl_->put(std::move(id), std::move(work));
}
awaitable<DecideResult> Engine::report_weight(std::string id, WeightReported report) {
  Work work;
  work.input = std::move(report);
  return impl_->put(std::move(id), std::move(work));
}
awaitable<DecideResult> Engine::acknowledge(std::string delivery, bool done, std::string detail,
                                            Via via) {
  return impl_->acknowledge(std::move(delivery), done, std::move(detail), std::move(via));
}
awaitable<FreezeRecord> Engine::freeze(FreezeRecord wanted) {
  return impl_->freeze(std::move(wanted));
}
awaitable<std::optional<FreezeRecord>> Engine::lift_freeze(FreezeLift lift) {
  return impl_->lift_freeze(std::move(lift));
}
FreezeView Engine::freeze_of(const std::string& ns, const std::string& service) const {
  return impl_->freeze_of(ns, service);
}
std::size_t Engine::freezes_in_force() const { return impl_->freezes_in_force(); }
awaitable<void> Engine::freezes_changed() { return impl_->freezes_changed(); }
awaitable<std::optional<RolloutView>> Engine::find(std::string id) {
  return impl_->find(std::move(id));
}
awaitable<std::vector<RolloutView>> Engine::find_all(std::vector<std::string> ids) {
  return impl_->find_all(std::move(ids));
}
awaitable<Page<RolloutView>> Engine::list(ListFilter filter, std::size_t limit,
                                          std::optional<std::string> cursor) {
  return impl_->list(std::move(filter), limit, std::move(cursor));
}
awaitable<void> Engine::wait_for_change(std::string id, unsigned revision, Millis limit) {
  return impl_->wait_for_change(std::move(id), revision, limit);
}
void Engine::changed_elsewhere(const std::string& rollout) { impl_->changed_elsewhere(rollout); }
std::vector<RolloutView> Engine::active() const { return impl_->active(); }
void Engine::for_each_active(const Look& look) const { impl_->for_each_active(look); }
void Engine::delays_changed() { impl_->schedule_all(); }
std::optional<std::string> Engine::store_trouble() const { return impl_->store_trouble(); }
awaitable<DeliveryState> Engine::order_attempted(Lease lease, std::string rollout,
                                                 std::string delivery, SendResult result) {
  return impl_->order_attempted(std::move(lease), std::move(rollout), std::move(delivery),
                                std::move(result));
}
awaitable<RedeliverResult> Engine::redeliver(std::string delivery, std::string by,
                                             std::string reason, Via via) {
  return impl_->redeliver(std::move(delivery), std::move(by), std::move(reason), std::move(via));
}
awaitable<LabelResult> Engine::label(std::string id, DecisionLabel label, Via via) {
  return impl_->label(std::move(id), std::move(label), std::move(via));
}
awaitable<DeliveryState> Engine::order_expired(Lease lease, std::string rollout,
                                               std::string delivery, std::string why) {
  return impl_->order_expired(std::move(lease), std::move(rollout), std::move(delivery),
                              std::move(why));
}

}  // namespace rollwatch
