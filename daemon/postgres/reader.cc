#include "daemon/postgres/reader.h"

#include <algorithm>
#include <utility>

#include "analysis/state_codec.h"
#include "daemon/storage/cursor.h"
#include "daemon/storage/documents.h"
#include "daemon/storage/evaluation_codes.h"
#include "daemon/storage/lifetimes.h"

namespace rollwatch {
namespace {

// Columns that rollouts_in() and deliveries_in() read, in their order.
#define ROLLWATCH_ROLLOUT_COLUMNS                                                  \
  "SELECT r.id, r.spec, r.plan, s.state, "                                         \
  "(SELECT coalesce(max(f.fence), 0) FROM deliveries f WHERE f.rollout = r.key), " \
  "(SELECT m.value FROM memos m WHERE m.rollout = r.key AND m.target = '' "        \
  "AND m.name = 'label') " /* kLabelMemo */                                        \
  "FROM rollouts r JOIN states s ON s.rollout = r.key "
#define ROLLWATCH_DELIVERY_COLUMNS                                                              \
  "SELECT d.key, d.id, d.class, d.kind, r.id, d.target, d.number, d.weight, d.fence, d.state, " \
  "d.created_at, d.expires_at, d.accepted_until, d.payload "                                    \
  "FROM deliveries d JOIN rollouts r ON r.key = d.rollout "
#define ROLLWATCH_THESE_PLACES                                                       \
  "JOIN unnest($1::text[], $2::text[], $3::text[]) AS w(namespace, service, target)" \
  " ON w.namespace = r.namespace AND w.service = r.service AND w.target = r.target "

constexpr std::string_view kActive = ROLLWATCH_ROLLOUT_COLUMNS "WHERE r.active ORDER BY r.id";
constexpr std::string_view kActiveThere =
    ROLLWATCH_ROLLOUT_COLUMNS ROLLWATCH_THESE_PLACES "WHERE r.active ORDER BY r.id";
constexpr std::string_view kOpen = ROLLWATCH_DELIVERY_COLUMNS "WHERE d.open ORDER BY d.key";
constexpr std::string_view kOpenThere =
    ROLLWATCH_DELIVERY_COLUMNS ROLLWATCH_THESE_PLACES "WHERE d.open ORDER BY d.key";
constexpr std::string_view kRollout = ROLLWATCH_ROLLOUT_COLUMNS "WHERE r.id = $1";
constexpr std::string_view kLatest = ROLLWATCH_ROLLOUT_COLUMNS
    "WHERE r.namespace = $1 AND r.service = $2 AND r.target = $3 AND r.candidate = $4 "
    "ORDER BY r.id DESC LIMIT 1";
constexpr std::string_view kLatestPerTarget = ROLLWATCH_ROLLOUT_COLUMNS
    "WHERE r.id IN (SELECT max(l.id) FROM rollouts l WHERE l.namespace = $1 "
    "AND l.service = $2 GROUP BY l.target) ORDER BY r.id DESC LIMIT $3::bigint";
constexpr std::string_view kPlans =
    "SELECT key, version, analysis, sources FROM plans WHERE key = ANY($1::bigint[])";
constexpr std::string_view kFreezes =
    "SELECT namespace, service, made_by, reason, since, until, lifted_at, lifted_by, lift_reason,"
    " token, address, lifted_token, lifted_address FROM freezes ORDER BY namespace, service";
constexpr std::string_view kEvaluations =
    "SELECT number, condition, slot, last_slot, slots, evaluated_at, outcome, cause, value,"
    " rule_op, rule_limit, evidence, min_evidence, series, detail, step, duration"
    " FROM evaluations WHERE rollout = (SELECT key FROM rollouts WHERE id = $1)"
    " AND number > $2::bigint ORDER BY number LIMIT $3::bigint";
constexpr std::string_view kEventsOfOne =
    "SELECT e.seq, r.id, e.data FROM events e JOIN rollouts r ON r.key = e.rollout"
    " WHERE e.rollout = (SELECT key FROM rollouts WHERE id = $3) AND e.seq > $1::bigint"
    " ORDER BY e.seq LIMIT $2::bigint";
constexpr std::string_view kEventsOfAll =
    "SELECT e.seq, r.id, e.data FROM (SELECT * FROM events WHERE seq > $1::bigint ORDER BY seq"
    " LIMIT $2::bigint) e JOIN rollouts r ON r.key = e.rollout ORDER BY e.seq";
// One statement, so that all of it is seen from one moment; at least one row.
constexpr std::string_view kEventStretch =
    "SELECT c.last, h.deleted, e.seq, r.id, r.namespace, r.service, e.data"
    " FROM event_counter c CROSS JOIN event_horizon h LEFT JOIN (SELECT * FROM events WHERE"
    " seq > $1::bigint ORDER BY seq LIMIT $2::bigint) e ON true"
    " LEFT JOIN rollouts r ON r.key = e.rollout ORDER BY e.seq";
constexpr std::string_view kAttempts =
    "SELECT delivery, at, status, error, duration, answer FROM attempts"
    " WHERE delivery = ANY($1::bigint[]) ORDER BY delivery, number";
constexpr std::string_view kDeliveries = ROLLWATCH_DELIVERY_COLUMNS
    "WHERE d.rollout = (SELECT key FROM rollouts WHERE id = $1) AND d.key > $2::bigint "
    "ORDER BY d.key LIMIT $3::bigint";
constexpr std::string_view kDelivery = ROLLWATCH_DELIVERY_COLUMNS "WHERE d.id = $1";
constexpr std::string_view kExplain =
    "SELECT decision, at, bundle FROM explains"
    " WHERE rollout = (SELECT key FROM rollouts WHERE id = $1)"
    " AND ($2::text IS NULL OR decision = $2) ORDER BY key DESC LIMIT 1";
constexpr std::string_view kMemo =
    "SELECT value FROM memos WHERE rollout ="
    " CASE WHEN $1 = '' THEN 0 ELSE (SELECT key FROM rollouts WHERE id = $1) END"
    " AND target = $2 AND name = $3";
constexpr std::string_view kIdempotent =
    "SELECT r.id, i.body_sha256 FROM idempotency i JOIN rollouts r ON r.key = i.rollout"
    " WHERE i.name = $1 AND i.at > $2::bigint";

// One more than asked for is read: it tells whether there is a next page.
std::int64_t one_more(std::size_t limit) {
  constexpr std::size_t kMost = 1'000'000;
  return static_cast<std::int64_t>(std::min(limit, kMost)) + 1;
}

StoredEvaluation evaluation_in(const PgRows& rows, int row) {
  StoredEvaluation evaluation;
  evaluation.number = static_cast<std::uint32_t>(rows.integer(row, 0));
  evaluation.condition = rows.text(row, 1);
  evaluation.slot = rows.time(row, 2);
  evaluation.last_slot = rows.time(row, 3);
  evaluation.slots = static_cast<std::uint32_t>(rows.integer(row, 4));
  evaluation.evaluated_at = rows.time(row, 5);
  Judgement& judgement = evaluation.judgement;
  judgement.outcome = read_outcome(rows.integer(row, 6));
  judgement.cause = read_cause(rows.integer(row, 7));
  judgement.value = rows.optional_real(row, 8);
  if (!rows.is_null(row, 9))
    judgement.rule = Comparison{read_comparison(rows.integer(row, 9)), rows.real(row, 10)};
  judgement.evidence = rows.optional_real(row, 11);
  judgement.min_evidence = rows.real(row, 12);
  judgement.series = rows.text(row, 13);
  judgement.detail = rows.text(row, 14);
  evaluation.step = static_cast<int>(rows.integer(row, 15));
  evaluation.duration = Millis(rows.integer(row, 16));
  return evaluation;
}

PgStatement list_statement(const ListFilter& filter, const std::optional<std::string>& before,
                           std::int64_t limit) {
  PgStatement statement;
  const std::string where = pg_where_of(filter, before, statement);
  statement.once =
      ROLLWATCH_ROLLOUT_COLUMNS + where + " ORDER BY r.id DESC LIMIT " + std::to_string(limit);
  return statement;
}

PgStatement of_places(std::string_view sql, const std::vector<Place>& places) {
  PgArray ns, services, targets;
  for (const Place& place : places) {
    ns.add(place.ns);
    services.add(place.service);
    targets.add(place.target);
  }
  return pg(sql, ns, services, targets);
}

}  // namespace

awaitable<std::vector<StoredRollout>> PgReader::rollouts_in(PgRows rows) {
  std::map<std::int64_t, std::shared_ptr<const PlanDocument>> plans;
  PgArray missing;
  for (int row = 0; row < rows.size(); ++row) {
    const std::int64_t key = rows.integer(row, 2);
    if (plans.contains(key)) continue;
    const auto found = plans_.find(key);
    auto held = found == plans_.end() ? nullptr : found->second.lock();
    if (!held) missing.add(key);
    plans.emplace(key, std::move(held));
  }
  if (!missing.empty()) {
    PgStatement statement = pg(kPlans, missing);
    const PgRows found = co_await pool_.ask(std::move(statement));
    for (int row = 0; row < found.size(); ++row) {
      auto document = std::make_shared<PlanDocument>();
      document->version = static_cast<int>(found.integer(row, 1));
      document->analysis = found.text(row, 2);
      document->sources = found.text(row, 3);
      std::shared_ptr<const PlanDocument>& plan = plans[found.integer(row, 0)];
      // Read by somebody else meanwhile: that one.
      auto& known = plans_[found.integer(row, 0)];
      plan = known.lock();
      if (!plan) known = plan = std::move(document);
    }
  }
  std::vector<StoredRollout> rollouts;
  for (int row = 0; row < rows.size(); ++row) {
    auto state = decode_state(rows.bytes(row, 3));
    if (!state) throw DocumentError("rollout " + rows.text(row, 0) + ": " + state.error());
    const auto& plan = plans[rows.integer(row, 2)];
    if (!plan)
      throw DocumentError("analysis " + std::to_string(rows.integer(row, 2)) + " is missing");
    rollouts.push_back({read_spec_document(rows.view(row, 1)), plan, std::move(*state),
                        rows.integer(row, 4), rows.is_null(row, 5) ? "" : rows.text(row, 5)});
  }
  co_return rollouts;
}

awaitable<std::optional<StoredRollout>> PgReader::one_in(PgRows rows) {
  std::vector<StoredRollout> rollouts = co_await rollouts_in(std::move(rows));
  if (rollouts.empty()) co_return std::nullopt;
  co_return std::move(rollouts.front());
}

awaitable<std::vector<Delivery>> PgReader::deliveries_in(PgRows rows) {
  std::vector<Delivery> deliveries;
  std::map<std::int64_t, std::size_t> by_key;
  PgArray keys;
  for (int row = 0; row < rows.size(); ++row) {
    by_key[rows.integer(row, 0)] = deliveries.size();
    keys.add(rows.integer(row, 0));
    Delivery& delivery = deliveries.emplace_back();
    delivery.id = rows.text(row, 1);
    delivery.cls = read_delivery_class(rows.view(row, 2));
    delivery.kind = rows.text(row, 3);
    delivery.rollout = rows.text(row, 4);
    delivery.target = rows.text(row, 5);
    delivery.number = static_cast<unsigned>(rows.integer(row, 6));
    delivery.weight = rows.real(row, 7);
    delivery.fence = rows.integer(row, 8);
    delivery.state = read_delivery_state(rows.view(row, 9));
    delivery.created_at = rows.time(row, 10);
    delivery.expires_at = rows.time(row, 11);
    delivery.accepted_until = rows.time(row, 12);
    delivery.payload = rows.text(row, 13);
  }
  if (deliveries.empty()) co_return deliveries;
  PgStatement statement = pg(kAttempts, keys);
  const PgRows attempts = co_await pool_.ask(std::move(statement));
  for (int row = 0; row < attempts.size(); ++row) {
    Attempt& attempt = deliveries[by_key.at(attempts.integer(row, 0))].attempts.emplace_back();
    attempt.at = attempts.time(row, 1);
    if (!attempts.is_null(row, 2)) attempt.status = static_cast<int>(attempts.integer(row, 2));
    attempt.error = attempts.text(row, 3);
    attempt.duration = Millis(attempts.integer(row, 4));
    attempt.answer = attempts.text(row, 5);
  }
  co_return deliveries;
}

awaitable<std::vector<StoredRollout>> PgReader::active(std::optional<std::vector<Place>> places) {
  PgStatement statement = places ? of_places(kActiveThere, *places) : pg(kActive);
  PgRows rows = co_await pool_.ask(std::move(statement));
  co_return co_await rollouts_in(std::move(rows));
}

awaitable<std::vector<Delivery>> PgReader::open_deliveries(
    std::optional<std::vector<Place>> places) {
  PgStatement statement = places ? of_places(kOpenThere, *places) : pg(kOpen);
  PgRows rows = co_await pool_.ask(std::move(statement));
  co_return co_await deliveries_in(std::move(rows));
}

awaitable<std::optional<StoredRollout>> PgReader::rollout(std::string id) {
  PgStatement statement = pg(kRollout, id);
  PgRows rows = co_await pool_.ask(std::move(statement));
  co_return co_await one_in(std::move(rows));
}

awaitable<Page<StoredRollout>> PgReader::list(ListFilter filter, std::size_t limit,
                                              std::optional<std::string> before) {
  PgStatement statement = list_statement(filter, before, one_more(limit));
  PgRows rows = co_await pool_.ask(std::move(statement));
  Page<StoredRollout> page;
  page.items = co_await rollouts_in(std::move(rows));
  if (page.items.size() > limit) {
    page.items.resize(limit);
    if (limit > 0) page.next_cursor = list_cursor(page.items.back().spec.id);
  }
  co_return page;
}

awaitable<std::size_t> PgReader::count(ListFilter filter) {
  PgStatement statement;
  const std::string where = pg_where_of(filter, std::nullopt, statement);
  statement.once = "SELECT count(*) FROM rollouts r " + where;
  const PgRows rows = co_await pool_.ask(std::move(statement));
  co_return static_cast<std::size_t>(rows.integer(0, 0));
}

awaitable<std::optional<StoredRollout>> PgReader::latest(std::string ns, std::string service,
                                                         std::string target,
                                                         std::string candidate) {
  PgStatement statement = pg(kLatest, ns, service, target, candidate);
  PgRows rows = co_await pool_.ask(std::move(statement));
  co_return co_await one_in(std::move(rows));
}

awaitable<std::vector<StoredRollout>> PgReader::latest_per_target(std::string ns,
                                                                  std::string service,
                                                                  std::size_t limit) {
  PgStatement statement = pg(kLatestPerTarget, ns, service, one_more(limit) - 1);
  PgRows rows = co_await pool_.ask(std::move(statement));
  co_return co_await rollouts_in(std::move(rows));
}

awaitable<Page<StoredEvaluation>> PgReader::evaluations(std::string rollout, std::uint32_t after,
                                                        std::size_t limit) {
  PgStatement statement = pg(kEvaluations, rollout, after, one_more(limit));
  const PgRows rows = co_await pool_.ask(std::move(statement));
  Page<StoredEvaluation> page;
  for (int row = 0; row < rows.size(); ++row) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next_cursor = std::to_string(page.items.back().number);
      break;
    }
    page.items.push_back(evaluation_in(rows, row));
  }
  co_return page;
}

awaitable<std::vector<StoredEvent>> PgReader::events(std::optional<std::string> rollout,
                                                     std::int64_t after, std::size_t limit) {
  PgStatement statement = pg(rollout ? kEventsOfOne : kEventsOfAll, after, one_more(limit) - 1);
  if (rollout) statement.add(*rollout);
  const PgRows rows = co_await pool_.ask(std::move(statement));
  std::vector<StoredEvent> events;
  for (int row = 0; row < rows.size(); ++row) {
    StoredEvent& event = events.emplace_back();
    event.seq = rows.integer(row, 0);
    event.rollout = rows.text(row, 1);
    event.event = read_event_document(rows.view(row, 2));
  }
  co_return events;
}

awaitable<EventStretch> PgReader::event_stretch(std::int64_t after, std::size_t limit) {
  const std::int64_t most = one_more(limit) - 1;
  PgStatement statement = pg(kEventStretch, after, most);
  const PgRows rows = co_await pool_.ask(std::move(statement));
  EventStretch stretch;
  stretch.newest = rows.integer(0, 0);
  stretch.deleted = rows.integer(0, 1);
  stretch.up_to = after;
  for (int row = 0; row < rows.size() && !rows.is_null(row, 2); ++row) {
    stretch.up_to = rows.integer(row, 2);
    if (rows.is_null(row, 3)) continue;
    StoredEvent event{stretch.up_to, rows.text(row, 3), read_event_document(rows.view(row, 6))};
    stretch.items.push_back({std::move(event), rows.text(row, 4), rows.text(row, 5)});
  }
  const bool all = rows.is_null(0, 2) || rows.size() < most;
  if (all && limit > 0) stretch.up_to = std::max(after, stretch.newest);
  co_return stretch;
}

awaitable<Page<Delivery>> PgReader::deliveries(std::string rollout, std::size_t limit,
                                               std::int64_t after) {
  PgStatement statement = pg(kDeliveries, rollout, after, one_more(limit));
  const PgRows rows = co_await pool_.ask(std::move(statement));
  Page<Delivery> page;
  page.items = co_await deliveries_in(rows);
  if (page.items.size() > limit) {
    page.items.resize(limit);
    if (limit > 0) page.next_cursor = delivery_cursor(rows.integer(static_cast<int>(limit) - 1, 0));
  }
  co_return page;
}

awaitable<std::optional<Delivery>> PgReader::delivery(std::string id) {
  PgStatement statement = pg(kDelivery, id);
  PgRows rows = co_await pool_.ask(std::move(statement));
  std::vector<Delivery> found = co_await deliveries_in(std::move(rows));
  if (found.empty()) co_return std::nullopt;
  co_return std::move(found.front());
}

awaitable<std::optional<ExplainRecord>> PgReader::explain(std::string rollout,
                                                          std::optional<std::string> decision) {
  PgStatement statement = pg(kExplain, rollout, decision);
  const PgRows rows = co_await pool_.ask(std::move(statement));
  if (rows.empty()) co_return std::nullopt;
  co_return ExplainRecord{rows.text(0, 0), rows.time(0, 1), rows.text(0, 2)};
}

awaitable<std::vector<FreezeRecord>> PgReader::freezes() {
  PgStatement statement = pg(kFreezes);
  const PgRows rows = co_await pool_.ask(std::move(statement));
  std::vector<FreezeRecord> freezes;
  freezes.reserve(static_cast<std::size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row)
    freezes.push_back({rows.text(row, 0),
                       rows.text(row, 1),
                       rows.text(row, 2),
                       rows.text(row, 3),
                       rows.time(row, 4),
                       rows.optional_time(row, 5),
                       rows.optional_time(row, 6),
                       rows.text(row, 7),
                       rows.text(row, 8),
                       {rows.text(row, 9), rows.text(row, 10)},
                       {rows.text(row, 11), rows.text(row, 12)}});
  co_return freezes;
}

awaitable<std::optional<std::string>> PgReader::memo(std::string rollout, std::string target,
                                                     std::string key) {
  PgStatement statement = pg(kMemo, rollout, target, key);
  const PgRows rows = co_await pool_.ask(std::move(statement));
  if (rows.empty()) co_return std::nullopt;
  co_return rows.text(0, 0);
}

awaitable<std::optional<Store::Idempotent>> PgReader::idempotent(std::string key, SysTime now) {
  PgStatement statement = pg(kIdempotent, key, now - kIdempotencyLife);
  const PgRows rows = co_await pool_.ask(std::move(statement));
  if (rows.empty()) co_return std::nullopt;
  co_return Store::Idempotent{rows.text(0, 0), rows.text(0, 1)};
}

}  // namespace rollwatch
