// Several rollouts in one place: who begins and supersedes whom, who waits for whom, and what each
// has to know of the others.
#include <algorithm>
#include <utility>

#include "daemon/engine/engine_impl.h"

namespace rollwatch {
namespace {

bool any_rolls_back(const std::vector<EntryPtr>& entries) {
  return std::ranges::any_of(entries, [](const EntryPtr& e) { return is_rolling_back(e->state); });
}

}  // namespace

std::vector<EntryPtr> Engine::Impl::others_in_place(const EntryPtr& entry) const {
  std::vector<EntryPtr> others;
  for (const EntryPtr& other : entry->tenure->entries)
    if (other != entry) others.push_back(other);
  return others;
}

// Leaving `waiting` supersedes the older ones in the same place, in the same commit. Returns false
// if it has to be tried again when a neighbour's step is on disk.
bool Engine::Impl::begin(const EntryPtr& entry) {
  const SysTime now = clock_.wall();
  const std::vector<EntryPtr> others = others_in_place(entry);
  for (const EntryPtr& other : others) {
    if (!other->recording) continue;
    if (!other->waiting_for_idle) other->waiting_for_idle.emplace();
    other->waiting_for_idle->push_back(entry);
    return false;
  }
  Work work = std::move(entry->mailbox.front());
  const bool rolling_back = any_rolls_back(others);
  Recording mine;
  mine.entry = entry;
  if (auto freeze = freeze_due(*entry)) apply_work(mine, Work{std::move(*freeze)}, now);
  if (rolling_back != entry->state.waits_for_predecessor)
    apply_work(mine, Work{PredecessorRollingBack{rolling_back}}, now);
  const bool begun_before = mine.after().begun;
  if (is_outdone(entry)) {
    mine.works.push_back(std::move(work));
    mine.results.emplace_back();
  } else {
    apply_work(mine, std::move(work), now);
  }
  const bool begins = mine.after().begun && !begun_before;
  if (begins) {
    for (const EntryPtr& other : others) {
      if (other->spec.id > entry->spec.id)
        continue;  // it waits for an approval, and supersedes this one then
      Recording theirs;
      theirs.entry = other;
      apply_work(theirs, Work{SupersededBy{entry->spec.id, entry->spec.candidate}}, now);
      theirs.with_next = true;
      hand_over(std::move(theirs));
    }
    entry->beginning = true;
  }
  hand_over(std::move(mine));
  return true;
}

// Whether a Begin would change anything: it may begin, or what it waits for behind others changed.
bool Engine::Impl::wants_to_begin(const EntryPtr& entry) const {
  const bool rolling_back = any_rolls_back(others_in_place(entry));
  if (rolling_back != entry->state.waits_for_predecessor) return true;
  return !rolling_back && may_begin(entry->fixed(), entry->state) && !is_outdone(entry);
}

// A newer one that may begin as well does, and takes its place.
bool Engine::Impl::is_outdone(const EntryPtr& entry) const {
  const auto others = others_in_place(entry);
  return std::any_of(others.begin(), others.end(), [&entry](const EntryPtr& other) {
    return other->spec.id > entry->spec.id && may_begin(other->fixed(), other->state);
  });
}

// It stands before nobody any more, though what failed may be watched for a while yet.
void Engine::Impl::free_place(const EntryPtr& entry) {
  if (entry->place_is_free) return;
  entry->place_is_free = true;
  for (const EntryPtr& other : others_in_place(entry))
    if (other->state.state == State::kWaiting && !other->recording) after_step(other);
  tell_neighbours(entry);
}

// Whether a newer rollout waits in the same place is part of each older one's state.
void Engine::Impl::tell_neighbours(const EntryPtr& entry) {
  const std::vector<EntryPtr>& here = entry->tenure->entries;
  for (const EntryPtr& older : here) {
    const bool waits = std::ranges::any_of(here, [&older](const EntryPtr& newer) {
      return !newer->state.begun && newer->state.state != State::kRollingBack &&
             !is_final(newer->state.state) && newer->spec.id > older->spec.id;
    });
    const bool moves = older->state.begun && older->state.state != State::kRollingBack &&
                       !is_final(older->state.state);
    if (moves && older->state.newer_waits != waits) put(older, Work{NewerWaits{waits}});
    supersede_failed(older);
  }
}

// A later order in its place is the answer to a rollback that failed. One that began has said so in
// the commit it began with; one that goes back without having begun gives an order all the same.
void Engine::Impl::supersede_failed(const EntryPtr& entry) {
  if (!awaits_somebody(entry->state)) return;
  for (const EntryPtr& newer : others_in_place(entry)) {
    if (newer->spec.id < entry->spec.id) continue;
    if (!newer->state.begun && newer->state.orders_given == 0) continue;
    return put(entry, Work{SupersededBy{newer->spec.id, newer->spec.candidate}});
  }
}

// What the entry does not know yet of the older ones in its place. One whose beginning is on its
// way to the disk counts.
std::optional<OlderActive> Engine::Impl::older_due(const EntryPtr& entry) const {
  if (entry->state.begun || is_final(entry->state.state)) return std::nullopt;
  const auto others = others_in_place(entry);
  const bool active = std::ranges::any_of(others, [&entry](const EntryPtr& other) {
    if (other->spec.id > entry->spec.id) return false;
    const RolloutState& s = other->state;
    return is_rolling_back(s) || (!is_final(s.state) && (s.begun || other->beginning));
  });
  if (active == entry->state.older_active) return std::nullopt;
  return OlderActive{active};
}

}  // namespace rollwatch
