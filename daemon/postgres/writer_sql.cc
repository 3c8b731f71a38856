#include "daemon/postgres/writer_sql.h"

#include <openssl/evp.h>

#include <array>
#include <stdexcept>

#include "analysis/state_codec.h"
#include "daemon/storage/documents.h"
#include "daemon/storage/lifetimes.h"

namespace rollwatch {
namespace {

constexpr std::size_t kEvaluationColumns = 18;
constexpr std::size_t kEventColumns = 3;

constexpr std::string_view kBeginWrite =
    "SELECT rollwatch_begin($1, $2, $3, $4::text[], $5::bigint[], $6::text[], $7::text[],"
    " $8::text[], $9::bigint[])";

constexpr std::string_view kInsertPlan =
    "INSERT INTO plans (digest, version, analysis, sources)"
    " VALUES ($1::bytea, $2::integer, $3, $4)"
    // Locks it, too: nobody deletes it as unused before the rollout is there.
    " ON CONFLICT (digest) DO UPDATE SET version = excluded.version";
constexpr std::string_view kInsertRollout =
    "INSERT INTO rollouts (id, place, namespace, service, target, candidate, state, active,"
    " created_at, ended_at, plan, spec, thin_from)"
    " SELECT $1, (SELECT key FROM places WHERE namespace = $2 AND service = $3 AND target = $4),"
    " $2, $3, $4, $5, $6, $7::boolean, $8::bigint, $9::bigint,"
    " (SELECT key FROM plans WHERE digest = $10::bytea), $11, $8::bigint";
constexpr std::string_view kInsertLabels =
    "INSERT INTO labels (rollout, name, value) SELECT r.key, l.name, l.value"
    " FROM rollouts r, unnest($2::text[], $3::text[]) AS l(name, value) WHERE r.id = $1";

constexpr std::string_view kPutStates =
    "INSERT INTO states (rollout, revision, updated_at, state)"
    " SELECT r.key, s.revision, s.updated_at, s.state FROM unnest($1::text[], $2::bigint[],"
    " $3::bigint[], $4::bytea[]) AS s(id, revision, updated_at, state)"
    " JOIN rollouts r ON r.id = s.id"
    " ON CONFLICT (rollout) DO UPDATE SET revision = excluded.revision,"
    " updated_at = excluded.updated_at, state = excluded.state";
// Most steps leave the rollout where it is, and then nothing of its row or indexes is touched.
constexpr std::string_view kMoveRollouts =
    "UPDATE rollouts r SET state = s.state, active = s.active, ended_at = s.ended_at,"
    " thin_from = coalesce(r.thin_from, s.updated_at)"
    " FROM unnest($1::text[], $2::text[], $3::boolean[], $4::bigint[], $5::bigint[])"
    " AS s(id, state, active, ended_at, updated_at) WHERE r.id = s.id AND"
    " (r.state <> s.state OR r.active <> s.active OR r.ended_at IS DISTINCT FROM s.ended_at)";

constexpr std::string_view kInsertEvaluations =
    "INSERT INTO evaluations (rollout, number, condition, slot, last_slot, slots, evaluated_at,"
    " outcome, cause, value, rule_op, rule_limit, evidence, min_evidence, series, detail, step,"
    " duration)"
    " SELECT r.key, e.number, e.condition, e.slot, e.last_slot, e.slots, e.evaluated_at, e.outcome,"
    " e.cause, e.value, e.rule_op, e.rule_limit, e.evidence, e.min_evidence, e.series, e.detail,"
    " e.step, e.duration FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[],"
    " $5::bigint[], $6::bigint[], $7::bigint[], $8::smallint[], $9::smallint[],"
    " $10::double precision[], $11::smallint[], $12::double precision[], $13::double precision[],"
    " $14::double precision[], $15::text[], $16::text[], $17::integer[], $18::bigint[])"
    " AS e(id, number, condition, slot, last_slot, slots, evaluated_at, outcome, cause, value,"
    " rule_op, rule_limit, evidence, min_evidence, series, detail, step, duration)"
    " JOIN rollouts r ON r.id = e.id";

// Larger than every fence this place has seen, and not behind the wall clock, so that fences still
// grow after the database was lost or put back from a copy.
constexpr std::string_view kInsertOrder =
    "WITH f AS (UPDATE places p SET fence = greatest(p.fence + 1, $10::bigint) FROM rollouts r"
    " WHERE r.id = $2 AND p.key = r.place RETURNING p.fence AS fence, r.key AS rollout)"
    " INSERT INTO deliveries (id, rollout, class, kind, target, number, weight, fence, state, open,"
    " created_at, expires_at, accepted_until, payload)"
    " SELECT $1, f.rollout, $3, $4, $5, $6::bigint, $7::double precision, f.fence, $8, $9::boolean,"
    " $10::bigint, $11::bigint, $12::bigint, $13 FROM f RETURNING fence";
constexpr std::string_view kInsertNotification =
    "INSERT INTO deliveries (id, rollout, class, kind, target, number, weight, fence, state, open,"
    " created_at, expires_at, accepted_until, payload)"
    " SELECT $1, r.key, $3, $4, $5, $6::bigint, $7::double precision, 0, $8, $9::boolean,"
    " $10::bigint, $11::bigint, $12::bigint, $13 FROM rollouts r WHERE r.id = $2";
constexpr std::string_view kInsertAttempt =
    "INSERT INTO attempts (delivery, number, at, status, error, duration, answer)"
    " SELECT d.key, (SELECT coalesce(max(a.number), 0) + 1 FROM attempts a WHERE a.delivery = "
    "d.key),"
    " $2::bigint, $3::integer, $4, $5::bigint, $6 FROM deliveries d WHERE d.id = $1";
constexpr std::string_view kUpdateDelivery =
    "WITH u AS (UPDATE deliveries SET state = $2, open = $3::boolean, accepted_until = $4::bigint,"
    " expires_at = coalesce($5::bigint, expires_at) WHERE id = $1 RETURNING 1)"
    " SELECT rollwatch_changed((SELECT count(*) FROM u), 'RW002', 'there is no delivery ' || $1)";

constexpr std::string_view kInsertExplain =
    "INSERT INTO explains (rollout, decision, at, bundle)"
    " SELECT r.key, $2, $3::bigint, $4 FROM rollouts r WHERE r.id = $1";
constexpr std::string_view kPutMemo =
    "INSERT INTO memos (rollout, target, name, value)"
    " SELECT r.key, $2, $3, $4 FROM rollouts r WHERE r.id = $1"
    " ON CONFLICT (rollout, target, name) DO UPDATE SET value = excluded.value";
constexpr std::string_view kPutSharedMemo =
    "WITH m AS (INSERT INTO memos AS m (rollout, target, name, value)"
    " SELECT 0, $1, $2, $3 WHERE $4 = ''"
    " OR EXISTS (SELECT 1 FROM memos o WHERE o.rollout = 0 AND o.target = $1 AND o.name = $2)"
    " ON CONFLICT (rollout, target, name) DO UPDATE SET value = excluded.value"
    " WHERE m.value = $4 RETURNING 1)"
    " SELECT rollwatch_changed((SELECT count(*) FROM m), 'RW003',"
    " 'another node has changed what was told meanwhile')";

constexpr std::string_view kForgetKeys =
    "DELETE FROM idempotency WHERE name IN (SELECT name FROM idempotency WHERE at <= $1::bigint"
    " LIMIT 100 FOR UPDATE SKIP LOCKED)";
constexpr std::string_view kInsertKey =
    "INSERT INTO idempotency AS i (name, body_sha256, rollout, at)"
    " SELECT $1, $2, r.key, $4::bigint FROM rollouts r WHERE r.id = $3";

// The last statement that waits for anybody: numbers are given in the order of the commits.
constexpr std::string_view kInsertEvents =
    "WITH c AS (UPDATE event_counter SET last = last + $4::bigint RETURNING last - $4::bigint AS"
    " base), n AS (UPDATE nodes SET event_base = (SELECT base FROM c) WHERE number = $5::bigint),"
    " i AS (INSERT INTO events (seq, rollout, at, data) SELECT c.base + e.number, r.key, e.at,"
    " e.data FROM c, unnest($1::text[], $2::bigint[], $3::text[]) WITH ORDINALITY"
    " AS e(id, at, data, number) JOIN rollouts r ON r.id = e.id)"
    " SELECT base FROM c";
constexpr std::string_view kNotify = "SELECT pg_notify('rollwatch', $1)";

}  // namespace

std::string plan_digest(const PlanDocument& plan) {
  const std::string text =
      std::to_string(plan.version) + '\n' + plan.analysis + '\n' + plan.sources;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("SHA-256 is not available");
  return {reinterpret_cast<const char*>(digest.data()), length};
}

PgGroup::PgGroup(const std::vector<const Batch*>& batches, PgWriteAs as)
    : evaluations_(kEvaluationColumns), events_(kEventColumns) {
  statements_.emplace_back();  // the first one, made when all others are known
  for (const Batch* batch : batches) {
    given_.emplace_back();
    for (const Commit& commit : *batch) add_commit(commit);
  }
  add_tables();
  add_begin(as);
  add_events(as);
  add_notification();
}

void PgGroup::add_commit(const Commit& commit) {
  Given& given = given_.back().emplace_back();
  if (commit.insert) {
    add_insert(commit);
  } else if (!is_new_.contains(commit.rollout)) {
    epochs_[commit.rollout] = commit.epoch;
  }
  if (commit.state) states_[commit.rollout] = &commit;
  for (const StoredEvaluation& evaluation : commit.evaluations)
    add_evaluation(commit.rollout, evaluation);
  given.events = commit.events.size();
  for (const Event& event : commit.events) {
    events_[0].add(commit.rollout);
    events_[1].add(event.at);
    events_[2].add(event_document(event));
    ++event_count_;
  }
  if (!commit.events.empty()) moved_.push_back(commit.rollout);
  for (const Delivery& delivery : commit.deliveries) add_delivery(commit.rollout, delivery, given);
  for (const DeliveryUpdate& update : commit.delivery_updates) add_update(update);
  for (const ExplainRecord& explain : commit.explains)
    add(kInsertExplain, commit.rollout, explain.decision, explain.at, explain.bundle);
  for (const Memo& memo : commit.memos) add_memo(commit.rollout, memo);
  if (commit.idempotency) add_idempotency(commit.rollout, *commit.idempotency);
}

void PgGroup::add_insert(const Commit& commit) {
  const RolloutSpec& spec = commit.insert->spec;
  const PlanDocument plan = commit.insert->document ? *commit.insert->document : PlanDocument{};
  const std::string digest = plan_digest(plan);
  new_places_[{spec.ns, spec.service, spec.target}] = commit.epoch;
  is_new_[spec.id] = true;
  add(kInsertPlan, PgBytes{digest}, plan.version, plan.analysis, plan.sources);
  const RolloutState& state = *commit.state;
  add(kInsertRollout, spec.id, spec.ns, spec.service, spec.target, spec.candidate,
      name_of(state.state), !is_over(state), spec.created_at, state.ended_at, PgBytes{digest},
      spec_document(spec));
  if (spec.labels.empty()) return;
  PgArray names, values;
  for (const auto& [name, value] : spec.labels) {
    names.add(name);
    values.add(value);
  }
  add(kInsertLabels, spec.id, names, values);
}

void PgGroup::add_evaluation(const std::string& rollout, const StoredEvaluation& evaluation) {
  const Judgement& judgement = evaluation.judgement;
  std::optional<int> rule_op;
  std::optional<double> rule_limit;
  if (judgement.rule) {
    rule_op = static_cast<int>(judgement.rule->op);
    rule_limit = judgement.rule->limit;
  }
  std::size_t column = 0;
  const auto next = [&](const auto& value) { evaluations_[column++].add(value); };
  next(rollout);
  next(evaluation.number);
  next(evaluation.condition);
  next(evaluation.slot);
  next(evaluation.last_slot);
  next(evaluation.slots);
  next(evaluation.evaluated_at);
  next(static_cast<int>(judgement.outcome));
  next(static_cast<int>(judgement.cause));
  next(judgement.value);
  next(rule_op);
  next(rule_limit);
  next(judgement.evidence);
  next(judgement.min_evidence);
  next(judgement.series);
  next(judgement.detail.text());
  next(evaluation.step);
  next(evaluation.duration);
}

void PgGroup::add_delivery(const std::string& rollout, const Delivery& delivery, Given& given) {
  const bool order = delivery.cls == DeliveryClass::kOrder;
  has_new_order_ = has_new_order_ || order;
  given.deliveries.emplace_back(order ? statements_.size() : 0, order ? delivery.id : "");
  add(order ? kInsertOrder : kInsertNotification, delivery.id, rollout, name_of(delivery.cls),
      delivery.kind, delivery.target, std::int64_t{delivery.number}, delivery.weight,
      name_of(delivery.state), is_open(delivery.state), delivery.created_at, delivery.expires_at,
      delivery.accepted_until, delivery.payload);
  for (const Attempt& attempt : delivery.attempts) add_attempt(delivery.id, attempt);
}

void PgGroup::add_attempt(const std::string& delivery, const Attempt& attempt) {
  add(kInsertAttempt, delivery, attempt.at, attempt.status, attempt.error, attempt.duration,
      attempt.answer);
}

void PgGroup::add_update(const DeliveryUpdate& update) {
  add(kUpdateDelivery, update.id, name_of(update.state), is_open(update.state),
      update.accepted_until, update.expires_at);
  if (update.attempt) add_attempt(update.id, *update.attempt);
}

void PgGroup::add_memo(const std::string& rollout, const Memo& memo) {
  if (memo.is_shared) {
    add(kPutSharedMemo, memo.target, memo.key, memo.value, memo.before);
  } else {
    add(kPutMemo, rollout, memo.target, memo.key, memo.value);
  }
}

void PgGroup::add_idempotency(const std::string& rollout, const IdempotencyRecord& record) {
  add(kForgetKeys, record.at - kIdempotencyLife);
  add(kInsertKey, record.key, record.body_sha256, rollout, record.at);
}

void PgGroup::add_tables() {
  if (!states_.empty()) {
    PgArray ids, revisions, updated, states, names, active, ended;
    for (const auto& [id, commit] : states_) {
      const RolloutState& state = *commit->state;
      const std::string blob = encode_state(state);
      ids.add(id);
      revisions.add(std::int64_t{state.revision});
      updated.add(state.updated_at);
      states.add(PgBytes{blob});
      names.add(name_of(state.state));
      active.add(!is_over(state));
      ended.add(state.ended_at);
    }
    add(kPutStates, ids, revisions, updated, states);
    add(kMoveRollouts, ids, names, active, ended, updated);
  }
  if (!evaluations_[0].empty()) {
    PgStatement statement = pg(kInsertEvaluations);
    for (const PgArray& column : evaluations_) statement.add(column);
    statements_.push_back(std::move(statement));
  }
}

void PgGroup::add_begin(PgWriteAs as) {
  PgArray ids, epochs, ns, services, targets, new_epochs;
  for (const auto& [id, epoch] : epochs_) {
    ids.add(id);
    epochs.add(epoch);
  }
  for (const auto& [place, epoch] : new_places_) {
    ns.add(place.ns);
    services.add(place.service);
    targets.add(place.target);
    new_epochs.add(epoch);
  }
  statements_[0] = pg(kBeginWrite, as.node, as.session, as.commit, ids, epochs, ns, services,
                      targets, new_epochs);
}

void PgGroup::add_events(PgWriteAs as) {
  if (event_count_ == 0) return;
  event_statement_ = statements_.size();
  add(kInsertEvents, events_[0], events_[1], events_[2], static_cast<std::int64_t>(event_count_),
      as.node);
}

// A payload may have 8,000 bytes; whoever waits for one of the others looks again by itself.
void PgGroup::add_notification() {
  constexpr std::size_t kMost = 200;
  if (moved_.empty()) return;
  std::string payload = "moved";
  for (std::size_t i = 0; i < moved_.size() && i < kMost; ++i) payload += " " + moved_[i];
  add(kNotify, payload);
}

std::vector<std::string> PgGroup::orders() const {
  std::vector<std::string> ids;
  for (const auto& batch : given_)
    for (const Given& commit : batch)
      for (const auto& [statement, id] : commit.deliveries)
        if (!id.empty()) ids.push_back(id);
  return ids;
}

std::vector<std::vector<Recorded>> PgGroup::recorded(const std::vector<PgRows>& answers) const {
  std::map<std::string, std::int64_t> fences;
  for (const auto& batch : given_)
    for (const Given& commit : batch)
      for (const auto& [statement, id] : commit.deliveries)
        if (!id.empty()) fences[id] = answers.at(statement).integer(0, 0);
  return recorded(event_count_ == 0 ? 0 : answers.at(event_statement_).integer(0, 0), fences);
}

std::vector<std::vector<Recorded>> PgGroup::recorded(
    std::int64_t event_base, const std::map<std::string, std::int64_t>& fences) const {
  std::int64_t seq = event_base;
  std::vector<std::vector<Recorded>> all;
  for (const auto& batch : given_) {
    auto& of_batch = all.emplace_back();
    for (const Given& commit : batch) {
      Recorded& recorded = of_batch.emplace_back();
      for (std::size_t i = 0; i < commit.events; ++i) recorded.event_seqs.push_back(++seq);
      for (const auto& [statement, id] : commit.deliveries)
        recorded.fences.push_back(id.empty() ? 0 : fences.at(id));
    }
  }
  return all;
}

}  // namespace rollwatch
