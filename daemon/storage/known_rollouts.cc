#include "daemon/storage/known_rollouts.h"

#include <algorithm>
#include <unordered_set>

namespace rollwatch {
namespace {

// A name that this program does not know is like none: the next commit writes its own.
State state_named(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(State::kSuperseded); ++i)
    if (name_of(static_cast<State>(i)) == name) return static_cast<State>(i);
  return static_cast<State>(0x7f);
}

// From "key, state, active, ended_at, folded".
KnownRollout rollout_in(const Query& row) {
  KnownRollout rollout;
  rollout.key = row.integer(0);
  rollout.state = state_named(row.view(1));
  rollout.active = row.integer(2) != 0;
  rollout.ended_at = row.optional_time(3);
  rollout.folded = row.integer(4);
  return rollout;
}

#define ROLLWATCH_KNOWN_COLUMNS                                  \
  "SELECT r.key, r.state, r.active, r.ended_at, s.folded, r.id " \
  "FROM rollouts r JOIN states s ON s.rollout = r.key "

}  // namespace

KnownRollouts::KnownRollouts(Database& db, RecentHeads& heads) : db_(db), heads_(heads) { load(); }

void KnownRollouts::load() {
  Query active(db_, ROLLWATCH_KNOWN_COLUMNS "WHERE r.active = 1 ORDER BY r.key");
  while (active.next()) insert(active.text(5), rollout_in(active));

  std::unordered_set<std::int64_t> forgotten;
  Query rows(db_, "SELECT id, rollout, number FROM recent ORDER BY id");
  while (rows.next()) {
    const std::int64_t key = rows.integer(1);
    KnownRollout* rollout = with_key(key);
    if (rollout == nullptr && !forgotten.contains(key)) {
      rollout = load_with_key(key);
      if (rollout == nullptr) forgotten.insert(key);
    }
    if (rollout == nullptr || rows.integer(0) <= rollout->folded) continue;
    if (!rollout->has_rows()) ++with_rows_;
    rollout->newest = rows.integer(0);
    ++rollout->rows;
    if (!rows.is_null(2)) rollout->last_number = static_cast<std::uint32_t>(rows.integer(2));
  }
  for (const ByKey& one : by_key_) told_.push_back({one.key, one.node->second.newest});
  heads_.set(told_);
}

KnownRollout* KnownRollouts::load_with_key(std::int64_t key) {
  Query query(db_, ROLLWATCH_KNOWN_COLUMNS "WHERE r.key = ?1");
  query.bind(key);
  return query.next() ? insert(query.text(5), rollout_in(query)) : nullptr;
}

std::vector<std::int64_t> KnownRollouts::to_fold(std::uint32_t rows) const {
  std::vector<std::int64_t> keys;
  for (const auto& [key, node] : by_key_) {
    const KnownRollout& rollout = node->second;
    if (rollout.has_rows() && (!rollout.active || rollout.rows >= rows)) keys.push_back(key);
  }
  return keys;
}

KnownRollout* KnownRollouts::find(const std::string& id) {
  if (const auto found = by_id_.find(id); found != by_id_.end())
    return found->second.gone ? nullptr : &found->second;
  Query query(db_, ROLLWATCH_KNOWN_COLUMNS "WHERE r.id = ?1");
  query.bind(id);
  return query.next() ? &add(id, rollout_in(query)) : nullptr;
}

KnownRollout* KnownRollouts::with_key(std::int64_t key) {
  const auto place = place_of(key);
  return place != by_key_.end() && place->key == key ? &place->node->second : nullptr;
}

KnownRollout& KnownRollouts::add(const std::string& id, const KnownRollout& rollout) {
  KnownRollout* added = insert(id, rollout);
  changes_.push_back({added, rollout, true});
  added->changed = true;
  return *added;
}

void KnownRollouts::changes(KnownRollout& rollout) {
  if (rollout.changed) return;
  changes_.push_back({&rollout, rollout, false});
  rollout.changed = true;
}

void KnownRollouts::committed() {
  told_.clear();
  for (const Change& change : changes_) {
    KnownRollout& now = *change.rollout;
    now.changed = false;
    if (now.gone) now.newest = RecentHead::kNone;
    const bool had_rows = !change.is_new && change.before.has_rows();
    if (now.has_rows() && !had_rows) ++with_rows_;
    if (!now.has_rows() && had_rows) --with_rows_;
    const bool is_needed = !now.gone && (now.active || now.has_rows());
    told_.push_back({now.key, is_needed ? now.newest : RecentHead::kGone});
    if (!is_needed) erase(now.key);
  }
  changes_.clear();
  heads_.set(told_);
}

void KnownRollouts::rolled_back() {
  for (const Change& change : changes_) {
    if (change.is_new) {
      erase(change.rollout->key);
    } else {
      *change.rollout = change.before;
    }
  }
  changes_.clear();
}

KnownRollout* KnownRollouts::insert(const std::string& id, const KnownRollout& rollout) {
  Node* node = &*by_id_.emplace(id, rollout).first;
  by_key_.insert(place_of(rollout.key), {rollout.key, node});
  return &node->second;
}

void KnownRollouts::erase(std::int64_t key) {
  const auto place = place_of(key);
  by_id_.erase(by_id_.find(place->node->first));
  by_key_.erase(place);
}

// A new one has the largest key so far.
std::vector<KnownRollouts::ByKey>::iterator KnownRollouts::place_of(std::int64_t key) {
  if (by_key_.empty() || by_key_.back().key < key) return by_key_.end();
  return std::lower_bound(by_key_.begin(), by_key_.end(), key,
                          [](const ByKey& one, std::int64_t wanted) { return one.key < wanted; });
}

}  // namespace rollwatch
