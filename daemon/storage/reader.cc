#include "daemon/storage/reader.h"

#include <algorithm>
#include <set>
#include <utility>

#include "analysis/state_codec.h"
#include "daemon/storage/cursor.h"
#include "daemon/storage/documents.h"
#include "daemon/storage/evaluation_codes.h"
#include "daemon/storage/schema.h"

namespace rollwatch {
namespace {

// Columns that rollout_in() and delivery_in() read, in their order.
#define ROLLWATCH_ROLLOUT_COLUMNS                                                 \
  "SELECT r.id, r.spec, r.plan, s.state, "                                        \
  "(SELECT coalesce(max(f.fence), 0) FROM deliveries f WHERE f.rollout = r.key) " \
  "FROM rollouts r JOIN states s ON s.rollout = r.key "
#define ROLLWATCH_DELIVERY_COLUMNS                                                              \
  "SELECT d.key, d.id, d.class, d.kind, r.id, d.target, d.number, d.weight, d.fence, d.state, " \
  "d.created_at, d.expires_at, d.accepted_until, d.payload "                                    \
  "FROM deliveries d JOIN rollouts r ON r.key = d.rollout "

// One more than asked for is read: it tells whether there is a next page.
std::int64_t one_more(std::size_t limit) {
  constexpr std::size_t kMost = 1'000'000;
  return static_cast<std::int64_t>(std::min(limit, kMost)) + 1;
}

StoredEvaluation evaluation_in(const Query& row) {
  StoredEvaluation evaluation;
  evaluation.number = static_cast<std::uint32_t>(row.integer(0));
  evaluation.condition = row.text(1);
  evaluation.slot = row.time(2);
  evaluation.last_slot = row.time(3);
  evaluation.slots = static_cast<std::uint32_t>(row.integer(4));
  evaluation.evaluated_at = row.time(5);
  Judgement& judgement = evaluation.judgement;
  judgement.outcome = read_outcome(row.integer(6));
  judgement.cause = read_cause(row.integer(7));
  judgement.value = row.optional_real(8);
  if (!row.is_null(9)) {
    judgement.rule = Comparison{read_comparison(row.integer(9)), row.real(10)};
  }
  judgement.evidence = row.optional_real(11);
  judgement.min_evidence = row.real(12);
  judgement.series = row.text(13);
  judgement.detail = row.text(14);
  evaluation.step = static_cast<int>(row.integer(15));
  evaluation.duration = Millis(row.integer(16));
  return evaluation;
}

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

// The ids in a query's fourth column whose place, in its first three, is one of these.
std::vector<std::string> ids_in(const std::vector<Place>& places, Query& query) {
  const std::set<Place> wanted(places.begin(), places.end());
  std::vector<std::string> ids;
  while (query.next())
    if (wanted.contains({query.text(0), query.text(1), query.text(2)}))
      ids.push_back(query.text(3));
  return ids;
}

}  // namespace

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

StoredRollout StoreReader::rollout_in(const Query& row) {
  auto state = decode_state(row.view(3));
  if (!state) throw DocumentError("rollout " + row.text(0) + ": " + state.error());
  return {read_spec_document(row.view(1)), plan(row.integer(2)), std::move(*state), row.integer(4)};
}

std::vector<StoredRollout> StoreReader::active() {
  std::vector<StoredRollout> rollouts;
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS "WHERE r.active = 1 ORDER BY r.id");
  while (query.next()) rollouts.push_back(rollout_in(query));
  return rollouts;
}

// Only what is active is looked at, however long the history of a place, and only what is asked for
// is read whole.
std::vector<StoredRollout> StoreReader::active_in(const std::vector<Place>& places) {
  Query query(db_,
              "SELECT r.namespace, r.service, r.target, r.id FROM rollouts r WHERE r.active = 1"
              " ORDER BY r.id");
  std::vector<StoredRollout> rollouts;
  for (const std::string& id : ids_in(places, query))
    if (auto found = rollout(id)) rollouts.push_back(std::move(*found));
  return rollouts;
}

std::optional<StoredRollout> StoreReader::rollout(const std::string& id) {
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS "WHERE r.id = ?1");
  query.bind(id);
  if (!query.next()) return std::nullopt;
  return rollout_in(query);
}

Page<StoredRollout> StoreReader::list(const ListFilter& filter, std::size_t limit,
                                      const std::optional<std::string>& before) {
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
    page.items.push_back(rollout_in(query));
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

std::optional<StoredRollout> StoreReader::latest(const std::string& ns, const std::string& service,
                                                 const std::string& target,
                                                 const std::string& candidate) {
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS
              "WHERE r.namespace = ?1 AND r.service = ?2 AND r.target = ?3 AND r.candidate = ?4 "
              "ORDER BY r.id DESC LIMIT 1");
  query.bind(ns, service, target, candidate);
  if (!query.next()) return std::nullopt;
  return rollout_in(query);
}

std::vector<StoredRollout> StoreReader::latest_per_target(const std::string& ns,
                                                          const std::string& service,
                                                          std::size_t limit) {
  Query query(db_, ROLLWATCH_ROLLOUT_COLUMNS
              "WHERE r.id IN (SELECT max(l.id) FROM rollouts l WHERE l.namespace = ?1 "
              "AND l.service = ?2 GROUP BY l.target) ORDER BY r.id DESC LIMIT ?3");
  query.bind(ns, service, one_more(limit) - 1);
  std::vector<StoredRollout> rollouts;
  while (query.next()) rollouts.push_back(rollout_in(query));
  return rollouts;
}

std::vector<FreezeRecord> StoreReader::freezes() {
  Query query(db_,
              "SELECT namespace, service, made_by, reason, since, until, lifted_at, lifted_by,"
              " lift_reason FROM freezes ORDER BY namespace, service");
  const auto time = [&query](int column) {
    return query.is_null(column) ? std::nullopt : std::optional(query.time(column));
  };
  std::vector<FreezeRecord> freezes;
  while (query.next())
    freezes.push_back({query.text(0), query.text(1), query.text(2), query.text(3), query.time(4),
                       time(5), time(6), query.text(7), query.text(8)});
  return freezes;
}

Page<StoredEvaluation> StoreReader::evaluations(const std::string& rollout, std::uint32_t after,
                                                std::size_t limit) {
  Query query(
      db_,
      "SELECT number, condition, slot, last_slot, slots, evaluated_at, outcome, cause, value,"
      " rule_op, rule_limit, evidence, min_evidence, series, detail, step, duration"
      " FROM evaluations WHERE rollout = (SELECT key FROM rollouts WHERE id = ?1)"
      " AND number > ?2 ORDER BY number LIMIT ?3");
  query.bind(rollout, after, one_more(limit));
  Page<StoredEvaluation> page;
  while (query.next()) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next_cursor = std::to_string(page.items.back().number);
      break;
    }
    page.items.push_back(evaluation_in(query));
  }
  return page;
}

std::vector<StoredEvent> StoreReader::events(const std::optional<std::string>& rollout,
                                             std::int64_t after, std::size_t limit) {
  constexpr std::string_view kOfOne =
      "SELECT e.seq, r.id, e.data FROM events e JOIN rollouts r ON r.key = e.rollout"
      " WHERE e.rollout = (SELECT key FROM rollouts WHERE id = ?3) AND e.seq > ?1"
      " ORDER BY e.seq LIMIT ?2";
  constexpr std::string_view kOfAll =
      "SELECT e.seq, r.id, e.data FROM events e CROSS JOIN rollouts r ON r.key = e.rollout"
      " WHERE e.seq > ?1 ORDER BY e.seq LIMIT ?2";
  Query query(db_, rollout ? kOfOne : kOfAll);
  query.bind(after, one_more(limit) - 1);
  if (rollout) query.add(*rollout);
  std::vector<StoredEvent> events;
  while (query.next()) {
    StoredEvent event;
    event.seq = query.integer(0);
    event.rollout = query.text(1);
    event.event = read_event_document(query.view(2));
    events.push_back(std::move(event));
  }
  return events;
}

EventStretch StoreReader::event_stretch(std::int64_t after, std::size_t limit) {
  EventStretch stretch;
  Query reach(db_,
              "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0), deleted"
              " FROM event_horizon");
  if (!reach.next()) throw DocumentError("the event horizon is missing");
  stretch.newest = reach.integer(0);
  stretch.deleted = reach.integer(1);
  stretch.up_to = after;
  if (limit == 0) return stretch;
  Query query(db_,
              "SELECT e.seq, r.id, e.data, r.namespace, r.service FROM events e"
              " CROSS JOIN rollouts r ON r.key = e.rollout WHERE e.seq > ?1"
              " ORDER BY e.seq LIMIT ?2");
  query.bind(after, one_more(limit) - 1);
  while (query.next()) {
    StoredEvent event{query.integer(0), query.text(1), read_event_document(query.view(2))};
    stretch.items.push_back({std::move(event), query.text(3), query.text(4)});
  }
  const bool all = stretch.items.size() < limit;
  stretch.up_to = all ? std::max(after, stretch.newest) : stretch.items.back().stored.seq;
  return stretch;
}

Delivery StoreReader::delivery_in(const Query& row) {
  Delivery delivery;
  delivery.id = row.text(1);
  delivery.cls = read_delivery_class(row.view(2));
  delivery.kind = row.text(3);
  delivery.rollout = row.text(4);
  delivery.target = row.text(5);
  delivery.number = static_cast<unsigned>(row.integer(6));
  delivery.weight = row.real(7);
  delivery.fence = row.integer(8);
  delivery.state = read_delivery_state(row.view(9));
  delivery.created_at = row.time(10);
  delivery.expires_at = row.time(11);
  delivery.accepted_until = row.time(12);
  delivery.payload = row.text(13);

  Query attempts(db_,
                 "SELECT at, status, error, duration, answer FROM attempts"
                 " WHERE delivery = ?1 ORDER BY number");
  attempts.bind(row.integer(0));
  while (attempts.next()) {
    Attempt attempt;
    attempt.at = attempts.time(0);
    if (!attempts.is_null(1)) attempt.status = static_cast<int>(attempts.integer(1));
    attempt.error = attempts.text(2);
    attempt.duration = Millis(attempts.integer(3));
    attempt.answer = attempts.text(4);
    delivery.attempts.push_back(std::move(attempt));
  }
  return delivery;
}

std::vector<Delivery> StoreReader::open_deliveries() {
  Query query(db_, ROLLWATCH_DELIVERY_COLUMNS "WHERE d.open = 1 ORDER BY d.key");
  std::vector<Delivery> deliveries;
  while (query.next()) deliveries.push_back(delivery_in(query));
  return deliveries;
}

std::vector<Delivery> StoreReader::open_deliveries_in(const std::vector<Place>& places) {
  Query query(db_,
              "SELECT r.namespace, r.service, r.target, d.id FROM deliveries d"
              " JOIN rollouts r ON r.key = d.rollout WHERE d.open = 1 ORDER BY d.key");
  std::vector<Delivery> deliveries;
  for (const std::string& id : ids_in(places, query))
    if (auto found = delivery(id)) deliveries.push_back(std::move(*found));
  return deliveries;
}

Page<Delivery> StoreReader::deliveries(const std::string& rollout, std::size_t limit,
                                       std::int64_t after) {
  Query query(db_, ROLLWATCH_DELIVERY_COLUMNS
              "WHERE d.rollout = (SELECT key FROM rollouts WHERE id = ?1) AND d.key > ?2 "
              "ORDER BY d.key LIMIT ?3");
  query.bind(rollout, after, one_more(limit));
  Page<Delivery> page;
  std::int64_t last_key = 0;
  while (query.next()) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next_cursor = delivery_cursor(last_key);
      break;
    }
    last_key = query.integer(0);
    page.items.push_back(delivery_in(query));
  }
  return page;
}

std::optional<Delivery> StoreReader::delivery(const std::string& id) {
  Query query(db_, ROLLWATCH_DELIVERY_COLUMNS "WHERE d.id = ?1");
  query.bind(id);
  if (!query.next()) return std::nullopt;
  return delivery_in(query);
}

std::optional<ExplainRecord> StoreReader::explain(const std::string& rollout,
                                                  const std::optional<std::string>& decision) {
  Query query(db_,
              "SELECT decision, at, bundle FROM explains"
              " WHERE rollout = (SELECT key FROM rollouts WHERE id = ?1)"
              " AND (?2 IS NULL OR decision = ?2) ORDER BY key DESC LIMIT 1");
  query.bind(rollout, decision);
  if (!query.next()) return std::nullopt;
  ExplainRecord record;
  record.decision = query.text(0);
  record.at = query.time(1);
  record.bundle = query.text(2);
  return record;
}

std::optional<std::string> StoreReader::memo(const std::string& rollout, const std::string& target,
                                             const std::string& key) {
  Query query(db_,
              "SELECT value FROM memos WHERE rollout ="
              " CASE ?1 WHEN '' THEN ?4 ELSE (SELECT key FROM rollouts WHERE id = ?1) END"
              " AND target = ?2 AND name = ?3");
  query.bind(rollout, target, key, kNoRollout);
  if (!query.next()) return std::nullopt;
  return query.text(0);
}

std::optional<Store::Idempotent> StoreReader::idempotent(const std::string& key, SysTime now) {
  Query query(db_,
              "SELECT r.id, i.body_sha256 FROM idempotency i JOIN rollouts r ON r.key = i.rollout"
              " WHERE i.name = ?1 AND i.at > ?2");
  query.bind(key, now - kIdempotencyLife);
  if (!query.next()) return std::nullopt;
  return Store::Idempotent{query.text(0), query.text(1)};
}

}  // namespace rollwatch
