// Freezes: recorded first, then told to every rollout they hold. What a rollout's state says about
// it is held against the records after every step, so that a restart or a store that was away in
// between leaves nobody unfrozen, or frozen for good.
#include "daemon/engine/engine_impl.h"
#include "daemon/net/fail_point.h"

namespace rollwatch {
namespace {

// One that has ended, or is rolling back, is out of a freeze's reach.
bool can_be_held(const RolloutState& s) {
  return !is_final(s.state) && s.state != State::kRollingBack;
}

bool concerns(const std::string& ns, const std::string& service, const RolloutSpec& spec) {
  return service.empty() || (spec.ns == ns && spec.service == service);
}

}  // namespace

FreezeChanged Engine::Impl::freeze_on(const Entry& entry) const {
  return freezes_.on(entry.spec.ns, entry.spec.service, clock_.wall());
}

// A freeze that its state does not know of yet goes before whatever else happens to it.
std::optional<FreezeChanged> Engine::Impl::freeze_due(const Entry& entry) const {
  if (!can_be_held(entry.state) || entry.state.freeze) return std::nullopt;
  FreezeChanged freeze = freeze_on(entry);
  if (!freeze.text) return std::nullopt;
  return freeze;
}

void Engine::Impl::keep_freeze(const EntryPtr& entry) {
  if (!can_be_held(entry->state) || !entry->tenure->is_settled()) return;
  FreezeChanged wanted = freeze_on(*entry);
  const auto& is = entry->state.freeze;
  if (wanted.text == (is ? std::optional(is->text) : std::nullopt)) return;
  put(entry, Work{std::move(wanted)});
}

// Tells these rollouts what holds them now, and resumes when all have recorded it. False: the store
// refused some, which are told again when it is back.
awaitable<bool> Engine::Impl::tell_freeze(std::vector<EntryPtr> entries, FreezeChanged said) {
  std::vector<std::pair<EntryPtr, std::shared_ptr<Promise<WorkResult>>>> all;
  for (const EntryPtr& entry : entries) {
    if (!can_be_held(entry->state)) continue;
    FreezeChanged change = freeze_on(*entry);
    if (!change.text) {
      change.by = said.by;
      change.reason = said.reason;
    }
    change.via = said.via;
    auto done = std::make_shared<Promise<WorkResult>>(executor_);
    Work work{std::move(change)};
    work.done = [done](const WorkResult& result) { done->set(result); };
    put(entry, std::move(work));
    all.emplace_back(entry, std::move(done));
  }
  bool recorded = true;
  for (const auto& [entry, done] : all) {
    const WorkResult result = co_await done->get();
    // One that is gone is told where it is now.
    recorded = recorded && (result.end != WorkEnd::kStoreAway || entry->tenure->over);
  }
  co_return recorded;
}

std::vector<EntryPtr> Engine::Impl::held_by(const std::string& ns,
                                            const std::string& service) const {
  std::vector<EntryPtr> entries;
  for (const EntryPtr& entry : active_)
    if (concerns(ns, service, entry->spec)) entries.push_back(entry);
  // In the order of their ids, so that a run is the same every time.
  std::sort(entries.begin(), entries.end(),
            [](const EntryPtr& a, const EntryPtr& b) { return a->spec.id < b->spec.id; });
  return entries;
}

// What another node has put there is put by nobody else here meanwhile, and told in its words.
// False: it is known here, and the store refused to record it with some rollouts, which are told
// again when it is back.
awaitable<bool> Engine::Impl::read_freezes() {
  const std::shared_ptr<void> turn = co_await take_turn("freezes");
  const std::vector<FreezeRecord> freezes = co_await store_.freezes();
  bool recorded = true;
  for (const FreezeRecord& freeze : freezes) {
    if (freezes_.find(freeze.ns, freeze.service) == freeze) continue;
    freezes_.set(freeze);
    FreezeChanged said;
    said.by = freeze.lifted_at ? freeze.lifted_by : freeze.by;
    said.reason = freeze.lifted_at ? freeze.lift_reason : freeze.reason;
    said.via = freeze.lifted_at ? freeze.lifted_via : freeze.via;
    const bool all = co_await tell_freeze(held_by(freeze.ns, freeze.service), std::move(said));
    recorded = recorded && all;
  }
  watch_freezes();
  co_return recorded;
}

awaitable<void> Engine::Impl::freezes_changed() {
  const bool recorded = co_await read_freezes();
  if (!recorded) throw StoreError(store_trouble_.value_or("a commit was refused"));
}

awaitable<FreezeRecord> Engine::Impl::freeze(FreezeRecord wanted) {
  check_started();
  const std::shared_ptr<void> turn = co_await take_turn("freezes");
  const SysTime now = clock_.wall();
  const auto before = freezes_.in_force(wanted.ns, wanted.service, now);
  wanted.since = before ? before->since : now;
  const Via via = wanted.via;
  // Said again, it stays as it was said first.
  if (before) wanted.via = before->via;
  if (wanted != before) {
    wanted.via = via;
    co_await record_freeze(wanted);
  }
  FreezeChanged said;
  said.by = wanted.by;
  said.reason = wanted.reason;
  said.via = via;
  const bool recorded = co_await tell_freeze(held_by(wanted.ns, wanted.service), std::move(said));
  // It is in force; some rollouts have not recorded it yet.
  if (!recorded)
    throw StoreError(store_trouble_.value_or("a commit was refused"), StoreError::Effect::kUnknown);
  co_return wanted;
}

awaitable<std::optional<FreezeRecord>> Engine::Impl::lift_freeze(FreezeLift lift) {
  check_started();
  const std::shared_ptr<void> turn = co_await take_turn("freezes");
  const SysTime now = clock_.wall();
  auto freeze = freezes_.in_force(lift.ns, lift.service, now);
  if (!freeze) co_return std::nullopt;
  freeze->lifted_at = now;
  freeze->lifted_by = lift.by;
  freeze->lift_reason = lift.reason;
  freeze->lifted_via = lift.via;
  co_await record_freeze(*freeze);
  // It is lifted, and stays so: what the store refuses now is told again when it is back.
  FreezeChanged said;
  said.by = lift.by;
  said.reason = lift.reason;
  said.via = lift.via;
  co_await tell_freeze(held_by(lift.ns, lift.service), std::move(said));
  co_return freeze;
}

awaitable<void> Engine::Impl::record_freeze(FreezeRecord freeze) {
  co_await store_.put_freeze(freeze);
  fail_point("after_freeze_commit");
  freezes_.set(freeze);
  if (hooks_.freeze) hooks_.freeze(freeze);
  watch_freezes();
}

// Freezes that are to end by themselves do so at their moment (wake()).
void Engine::Impl::watch_freezes() {
  freeze_ends_at_ = freezes_.next_end(clock_.wall());
  if (freeze_ends_at_) arm();
}

void Engine::Impl::end_freezes(SysTime now) {
  if (!freeze_ends_at_ || *freeze_ends_at_ > now) return;
  freeze_ends_at_ = freezes_.next_end(now);
  for (const EntryPtr& entry : held_by("", "")) keep_freeze(entry);
}

FreezeView Engine::Impl::freeze_of(const std::string& ns, const std::string& service) const {
  check_started();
  const SysTime now = clock_.wall();
  FreezeView view;
  view.latest = freezes_.find(ns, service);
  view.in_force = view.latest && holds(*view.latest, now);
  if (!service.empty())
    view.text = freezes_.on(ns, service, now).text;
  else if (view.in_force)
    view.text = sentence_of(*view.latest);
  return view;
}

std::size_t Engine::Impl::freezes_in_force() const { return freezes_.count(clock_.wall()); }

}  // namespace rollwatch
