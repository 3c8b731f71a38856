#include "daemon/storage/reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "analysis/state_codec.h"
#include "daemon/storage/cursor.h"
#include "daemon/storage/documents.h"
#include "daemon/storage/reader_parts.h"
#include "daemon/storage/schema.h"

namespace rollwatch {
namespace {

// Columns that rollout_in() reads, in its order.
#define ROLLWATCH_ROLLOUT_COLUMNS                                                  \
  "SELECT r.id, r.spec, r.plan, s.state, "                                         \
  "(SELECT coalesce(max(f.fence), 0) FROM deliveries f WHERE f.rollout = r.key), " \
  "r.key, s.folded, "                                                              \
  "(SELECT m.value FROM memos m WHERE m.rollout = r.key AND m.target = '' "        \
  "AND m.name = 'label') " /* kLabelMemo */                                        \
  "FROM rollouts r JOIN states s ON s.rollout = r.key "

// The WHERE of a list, and what stands for its parameters: values never become SQL.
struct Where {
  std::string sql;
  std::vector<std::string> values;

  void add(const std::string& condition) { sql += (sql.empty() ? "WHERE " : " AND ") + condition; }
  void add(const std::string& left, const std::string& value) {
    values.push_back(value);
    add(left + "?");
  }
};

Where where(const ListFilter& filter, const std::optional<std::string>& before) {
  Where where;
  if (!filter.ns.empty()) where.add("r.namespace = ", filter.ns);
  if (!filter.service.empty()) where.add("r.service = ", filter.service);
  if (!filter.target.empty()) where.add("r.target = ", filter.target);
  if (before) where.add("r.id < ", *before);
  if (!filter.visible.empty()) {
    std::string names;
    for (const std::string& ns : filter.visible) {
      names += names.empty() ? "?" : ", ?";
      where.values.push_back(ns);
    }
    where.add("r.namespace IN (" + names + ")");
  }
  if (!filter.states.empty()) {
    std::string names;
    for (const State state : filter.states) {
      names += names.empty() ? "?" : ", ?";
      where.values.emplace_back(name_of(state));
    }
    where.add("r.state IN (" + names + ")");
    // Says the same once more, in the words of the index that holds the few active ones.
    if (std::none_of(filter.states.begin(), filter.states.end(), is_final))
      where.add("r.active = 1");
  }
  for (const auto& [name, value] : filter.labels) {
    where.values.push_back(name);
    where.values.push_back(value);
    where.add(
        "EXISTS (SELECT 1 FROM labels l WHERE l.rollout = r.key AND l.name = ? AND l.value = ?)");
  }
  return where;
}

Where where(const RolloutSearch& search, const std::optional<std::string>& before) {
  Where found = where(search.filter, before);
  if (search.text.empty()) return found;
  found.add(
      "(r.service LIKE ? ESCAPE '\\' OR r.namespace LIKE ? ESCAPE '\\'"
      " OR r.target LIKE ? ESCAPE '\\' OR r.candidate LIKE ? ESCAPE '\\')");
  found.values.insert(found.values.end(), 4, like_pattern(search.text));
  return found;
}

}  // namespace

// One more than asked for is read: it tells whether there is a next page.
std::int64_t one_more(std::size_t limit) {
  constexpr std::size_t kMost = 1'000'000;
  return static_cast<std::int64_t>(std::min(limit, kMost)) + 1;
}

// The ids in a query's fourth column whose place, in its first three, is one of these.
std::vector<std::string> ids_in(const std::vector<Place>& places, Query& query) {
  const std::set<Place> wanted(places.begin(), places.end());
  std::vector<std::string> ids;
  while (query.next())
    if (wanted.contains({query.text(0), query.text(1), query.text(2)}))
      ids.push_back(query.text(3));
  return ids;
}

std::shared_ptr<const PlanDocument> StoreReader::plan(std::int64_t key) {
  if (const auto found = plans_.find(key); found != plans_.end()) {
    if (auto held = found->second.lock()) return held;
  }
  Query query(db_, "SELECT version, analysis, sources FROM plans WHERE key = ?1");
  query.bind(key);
  if (!query.next()) throw DocumentError("analysis " + std::to_string(key) + " is missing");
  auto document = std::make_shared<PlanDocument>();
  document->version = static_cast<int>(query.integer(0));
  document->analysis = query.text(1);
  document->sources = query.text(2);
  plans_[key] = document;
  return document;
}

// Most of the time the newest row has it.
std::optional<std::string> StoreReader::recent_state(std::int64_t rollout, std::int64_t folded,
                                                     std::int64_t newest) {
  if (newest <= folded) return std::nullopt;
  Query row(db_, "SELECT rollout, previous, state FROM recent WHERE id = ?1");
  for (std::int64_t id = newest; id > folded;) {
    if (!row.again().bind(id).next() || row.integer(0) != rollout) break;
    if (!row.is_null(2)) return row.text(2);
    id = row.integer(1);
  }
  return std::nullopt;
}

StoredRollout StoreReader::rollout_in(const Query& row, std::int64_t newest) {
  const auto recent = recent_state(row.integer(5), row.integer(6), newest);
  auto state = decode_state(recent ? std::string_view(*recent) : row.view(3));
  if (!state) throw DocumentError("rollout " + row.text(0) + ": " + state.error());
  return {read_spec_document(row.view(1)), plan(row.integer(2)), std::move(*state), row.integer(4),
          row.is_null(7) ? "" : row.text(7)};
}

std::vector<StoredRollout> StoreReader::rollouts_in(Query& rows,
                                                    const std::vector<RecentHead>& heads) {
  std::vector<StoredRollout> rollouts;
  while (rows.next()) rollouts.push_back(rollout_in(rows, newest_in(heads, rows.integer(5))));
  return rollouts;
}

std::vector<StoredRollout> StoreReader::active() {
  const std::vector<RecentHead> heads = recent_.all();
  const Moment moment(db_);
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS "WHERE r.active = 1 ORDER BY r.id");
  return rollouts_in(query, heads);
}

// Only what is active is looked at, however long the history of a place, and only what is asked for
// is read whole.
std::vector<StoredRollout> StoreReader::active_in(const std::vector<Place>& places) {
  const std::vector<RecentHead> heads = recent_.all();
  const Moment moment(db_);
  Query query(db_,
              "SELECT r.namespace, r.service, r.target, r.id FROM rollouts r WHERE r.active = 1"
              " ORDER BY r.id");
  std::vector<StoredRollout> rollouts;
  for (const std::string& id : ids_in(places, query))
    if (auto found = rollout_of(id, heads)) rollouts.push_back(std::move(*found));
  return rollouts;
}

std::optional<StoredRollout> StoreReader::rollout_of(const std::string& id,
                                                     const std::vector<RecentHead>& heads) {
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS "WHERE r.id = ?1");
  query.bind(id);
  if (!query.next()) return std::nullopt;
  return rollout_in(query, newest_in(heads, query.integer(5)));
}

std::optional<std::int64_t> StoreReader::key_of(const std::string& id) {
  Query query(db_, "SELECT key FROM rollouts WHERE id = ?1");
  query.bind(id);
  if (!query.next()) return std::nullopt;
  return query.integer(0);
}

// An id that is forgotten and registered again between the two questions has another key: its only
// row then is the one of the registration, as at that moment.
std::optional<StoredRollout> StoreReader::rollout(const std::string& id) {
  const auto key = key_of(id);
  if (!key) return std::nullopt;
  const std::int64_t newest = recent_.newest(*key);
  const Moment moment(db_);
  return rollout_of(id, {{*key, newest}});
}

Page<StoredRollout> StoreReader::list(const ListFilter& filter, std::size_t limit,
                                      const std::optional<std::string>& before) {
  const std::vector<RecentHead> heads = recent_.all();
  const Moment moment(db_);
  const Where conditions = where(filter, before);
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS + conditions.sql + " ORDER BY r.id DESC LIMIT ?",
              Query::Reuse::kOnce);
  query.bind();
  for (const std::string& value : conditions.values) query.add(value);
  query.add(one_more(limit));

  Page<StoredRollout> page;
  while (query.next()) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next_cursor = list_cursor(page.items.back().spec.id);
      break;
    }
    page.items.push_back(rollout_in(query, newest_in(heads, query.integer(5))));
  }
  return page;
}

std::size_t StoreReader::count(const ListFilter& filter) {
  const Where conditions = where(filter, std::nullopt);
  Query query(db_, "SELECT count(*) FROM rollouts r " + conditions.sql, Query::Reuse::kOnce);
  query.bind();
  for (const std::string& value : conditions.values) query.add(value);
  query.next();
  return static_cast<std::size_t>(query.integer(0));
}

Page<std::string> StoreReader::search(const RolloutSearch& search, std::size_t limit,
                                      const std::optional<std::string>& before) {
  const Where conditions = where(search, before);
  Query query(db_, "SELECT r.id FROM rollouts r " + conditions.sql + " ORDER BY r.id DESC LIMIT ?",
              Query::Reuse::kOnce);
  query.bind();
  for (const std::string& value : conditions.values) query.add(value);
  query.add(one_more(limit));
  Page<std::string> page;
  while (query.next()) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next_cursor = list_cursor(page.items.back());
      break;
    }
    page.items.push_back(query.text(0));
  }
  return page;
}

std::size_t StoreReader::count_found(const RolloutSearch& search) {
  const Where conditions = where(search, std::nullopt);
  Query query(db_, "SELECT count(*) FROM rollouts r " + conditions.sql, Query::Reuse::kOnce);
  query.bind();
  for (const std::string& value : conditions.values) query.add(value);
  query.next();
  return static_cast<std::size_t>(query.integer(0));
}

std::optional<StoredRollout> StoreReader::latest(const std::string& ns, const std::string& service,
                                                 const std::string& target,
                                                 const std::string& candidate) {
  const std::vector<RecentHead> heads = recent_.all();
  const Moment moment(db_);
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS
              "WHERE r.namespace = ?1 AND r.service = ?2 AND r.target = ?3 AND r.candidate = ?4 "
              "ORDER BY r.id DESC LIMIT 1");
  query.bind(ns, service, target, candidate);
  if (!query.next()) return std::nullopt;
  return rollout_in(query, newest_in(heads, query.integer(5)));
}

std::vector<StoredRollout> StoreReader::latest_per_target(const std::string& ns,
                                                          const std::string& service,
                                                          std::size_t limit) {
  const std::vector<RecentHead> heads = recent_.all();
  const Moment moment(db_);
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS
              "WHERE r.id IN (SELECT max(l.id) FROM rollouts l WHERE l.namespace = ?1 "
              "AND l.service = ?2 GROUP BY l.target) ORDER BY r.id DESC LIMIT ?3");
  query.bind(ns, service, one_more(limit) - 1);
  return rollouts_in(query, heads);
}

std::vector<FreezeRecord> StoreReader::freezes() {
  Query query(db_,
              "SELECT namespace, service, made_by, reason, since, until, lifted_at, lifted_by,"
              " lift_reason, token, address, lifted_token, lifted_address FROM freezes"
              " ORDER BY namespace, service");
  const auto time = [&query](int column) {
    return query.is_null(column) ? std::nullopt : std::optional(query.time(column));
  };
  std::vector<FreezeRecord> freezes;
  while (query.next())
    freezes.push_back({query.text(0),
                       query.text(1),
                       query.text(2),
                       query.text(3),
                       query.time(4),
                       time(5),
                       time(6),
                       query.text(7),
                       query.text(8),
                       {query.text(9), query.text(10)},
                       {query.text(11), query.text(12)}});
  return freezes;
}

}  // namespace rollwatch
