// History: evaluations, events, deliveries and what else belongs to one rollout.
#include <algorithm>
#include <utility>

#include "daemon/storage/cursor.h"
#include "daemon/storage/documents.h"
#include "daemon/storage/evaluation_row.h"
#include "daemon/storage/reader.h"
#include "daemon/storage/reader_parts.h"
#include "daemon/storage/schema.h"

namespace rollwatch {

// Oldest first.
std::vector<StoredEvaluation> StoreReader::recent_evaluations(std::int64_t rollout,
                                                              std::int64_t folded,
                                                              std::int64_t newest,
                                                              std::uint32_t after) {
  std::vector<StoredEvaluation> found;
  if (newest <= folded) return found;
  Query row(db_, "SELECT " ROLLWATCH_EVALUATION ", rollout, previous FROM recent WHERE id = ?1");
  for (std::int64_t id = newest; id > folded;) {
    if (!row.again().bind(id).next() || row.integer(17) != rollout) break;
    if (!row.is_null(0)) {
      if (row.integer(0) <= after) break;
      found.push_back(evaluation_in(row));
    }
    id = row.integer(18);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

Page<StoredEvaluation> StoreReader::evaluations(const std::string& rollout, std::uint32_t after,
                                                std::size_t limit) {
  Page<StoredEvaluation> page;
  const auto key = key_of(rollout);
  if (!key) return page;
  const std::int64_t newest = recent_.newest(*key);
  const Moment moment(db_);
  // By the rollout's row: of one that is forgotten there may be some left.
  Query there(db_,
              "SELECT s.folded FROM rollouts r JOIN states s ON s.rollout = r.key"
              " WHERE r.key = ?1");
  there.bind(*key);
  if (!there.next()) return page;

  // What is not folded comes after all that is.
  std::vector<StoredEvaluation>& items = page.items;
  Query query(db_, "SELECT " ROLLWATCH_EVALUATION
                   " FROM evaluations WHERE rollout = ?1"
                   " AND number > ?2 ORDER BY number LIMIT ?3");
  const std::int64_t wanted = one_more(limit);
  query.bind(*key, after, wanted);
  while (query.next()) items.push_back(evaluation_in(query));
  if (items.size() <= limit) {
    for (StoredEvaluation& one : recent_evaluations(*key, there.integer(0), newest, after))
      items.push_back(std::move(one));
  }
  if (items.size() > limit) {
    items.resize(limit);
    if (limit > 0) page.next_cursor = std::to_string(items.back().number);
  }
  return page;
}

std::vector<StoredEvent> StoreReader::events(const std::optional<std::string>& rollout,
                                             std::int64_t after, std::size_t limit) {
  const Moment moment(db_);
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
  const Moment moment(db_);
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
  const Moment moment(db_);
  Query query(
      db_, ROLLWATCH_DELIVERY_COLUMNS ROLLWATCH_FROM_DELIVERIES "WHERE d.open = 1 ORDER BY d.key");
  std::vector<Delivery> deliveries;
  while (query.next()) deliveries.push_back(delivery_in(query));
  return deliveries;
}

std::vector<Delivery> StoreReader::open_deliveries_in(const std::vector<Place>& places) {
  const Moment moment(db_);
  Query query(db_,
              "SELECT r.namespace, r.service, r.target, d.id FROM deliveries d"
              " JOIN rollouts r ON r.key = d.rollout WHERE d.open = 1 ORDER BY d.key");
  std::vector<Delivery> deliveries;
  for (const std::string& id : ids_in(places, query))
    if (auto found = delivery_of(id)) deliveries.push_back(std::move(*found));
  return deliveries;
}

Page<Delivery> StoreReader::deliveries(const std::string& rollout, std::size_t limit,
                                       std::int64_t after) {
  const Moment moment(db_);
  Query query(db_, ROLLWATCH_DELIVERY_COLUMNS ROLLWATCH_FROM_DELIVERIES
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
  const Moment moment(db_);
  return delivery_of(id);
}

std::optional<Delivery> StoreReader::delivery_of(const std::string& id) {
  Query query(db_, ROLLWATCH_DELIVERY_COLUMNS ROLLWATCH_FROM_DELIVERIES "WHERE d.id = ?1");
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
