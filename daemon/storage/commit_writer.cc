#include "daemon/storage/commit_writer.h"

#include <optional>
#include <string>
#include <string_view>

#include "analysis/state_codec.h"
#include "daemon/storage/documents.h"
#include "daemon/storage/schema.h"

namespace rollwatch {
namespace {

using Bytes = Query::Bytes;

// FNV-1a. Only finds candidates: equal hashes are compared in full.
std::int64_t hash_of(const PlanDocument& plan) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::string_view part :
       {std::string_view(plan.analysis), std::string_view(plan.sources)}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return static_cast<std::int64_t>(hash);
}

std::int64_t intern_plan(Database& db, const PlanDocument& plan) {
  const std::int64_t hash = hash_of(plan);
  Query found(db,
              "SELECT key FROM plans"
              " WHERE hash = ?1 AND version = ?2 AND analysis = ?3 AND sources = ?4");
  found.bind(hash, plan.version, plan.analysis, plan.sources);
  if (found.next()) return found.integer(0);
  Query insert(db,
               "INSERT INTO plans (hash, version, analysis, sources) VALUES (?1, ?2, ?3, ?4)"
               " RETURNING key");
  insert.bind(hash, plan.version, plan.analysis, plan.sources);
  insert.next();
  const std::int64_t key = insert.integer(0);
  insert.run();
  return key;
}

KnownRollout& insert_rollout(Database& db, RecentLog& recent, const StoredRollout& rollout,
                             const RolloutState& state) {
  const RolloutSpec& spec = rollout.spec;
  const std::int64_t plan = intern_plan(db, rollout.document ? *rollout.document : PlanDocument{});
  const std::string document = spec_document(spec);
  Query insert(db,
               "INSERT INTO rollouts (id, namespace, service, target, candidate, state, active,"
               " created_at, ended_at, plan, spec, thin_from)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?8) RETURNING key");
  insert.bind(spec.id, spec.ns, spec.service, spec.target, spec.candidate, name_of(state.state),
              !is_over(state), spec.created_at, state.ended_at, plan, document);
  insert.next();
  KnownRollout known;
  known.key = insert.integer(0);
  known.state = state.state;
  known.active = !is_over(state);
  known.ended_at = state.ended_at;
  insert.run();

  for (const auto& [name, value] : spec.labels) {
    Query(db, "INSERT INTO labels (rollout, name, value) VALUES (?1, ?2, ?3)")
        .bind(known.key, name, value)
        .run();
  }
  const std::string blob = encode_state(state);
  Query(db, "INSERT INTO states (rollout, revision, updated_at, state) VALUES (?1, ?2, ?3, ?4)")
      .bind(known.key, state.revision, state.updated_at, Bytes{blob})
      .run();
  return recent.known().add(spec.id, known);
}

KnownRollout& find_rollout(RecentLog& recent, const std::string& id) {
  KnownRollout* found = recent.known().find(id);
  if (found == nullptr) throw Refused("there is no rollout " + id);
  return *found;
}

// Most steps leave the rollout where it is, and then nothing of its row or indexes is touched.
void move_rollout(Database& db, RecentLog& recent, KnownRollout& rollout,
                  const RolloutState& state) {
  const bool active = !is_over(state);
  if (rollout.state == state.state && rollout.active == active &&
      rollout.ended_at == state.ended_at)
    return;
  Query(db,
        "UPDATE rollouts SET state = ?2, active = ?3, ended_at = ?4,"
        " thin_from = coalesce(thin_from, ?5) WHERE key = ?1")
      .bind(rollout.key, name_of(state.state), active, state.ended_at, state.updated_at)
      .run();
  recent.known().changes(rollout);
  rollout.state = state.state;
  rollout.active = active;
  rollout.ended_at = state.ended_at;
}

std::int64_t insert_event(Database& db, std::int64_t rollout, const Event& event) {
  const std::string document = event_document(event);
  Query insert(db, "INSERT INTO events (rollout, at, data) VALUES (?1, ?2, ?3) RETURNING seq");
  insert.bind(rollout, event.at, document);
  insert.next();
  const std::int64_t seq = insert.integer(0);
  insert.run();
  return seq;
}

// Larger than every fence this place has seen, and not behind the wall clock, so that fences still
// grow after the database was lost or put back from a copy.
std::int64_t next_fence(Database& db, std::int64_t rollout, SysTime created_at) {
  Query next(db,
             "INSERT INTO targets (namespace, service, target, fence)"
             " SELECT namespace, service, target, ?2 FROM rollouts WHERE key = ?1"
             " ON CONFLICT DO UPDATE SET fence = max(fence + 1, excluded.fence) RETURNING fence");
  next.bind(rollout, created_at);
  next.next();
  const std::int64_t fence = next.integer(0);
  next.run();
  return fence;
}

void insert_attempt(Database& db, std::int64_t delivery, const Attempt& attempt) {
  Query(db,
        "INSERT INTO attempts (delivery, number, at, status, error, duration, answer) VALUES (?1,"
        " (SELECT coalesce(max(number), 0) + 1 FROM attempts WHERE delivery = ?1),"
        " ?2, ?3, ?4, ?5, ?6)")
      .bind(delivery, attempt.at, attempt.status, attempt.error, attempt.duration, attempt.answer)
      .run();
}

std::int64_t insert_delivery(Database& db, std::int64_t rollout, const Delivery& delivery) {
  const bool order = delivery.cls == DeliveryClass::kOrder;
  const std::int64_t fence = order ? next_fence(db, rollout, delivery.created_at) : 0;
  Query insert(
      db,
      "INSERT INTO deliveries (id, rollout, class, kind, target, number, weight, fence, state,"
      " open, created_at, expires_at, accepted_until, payload)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) RETURNING key");
  insert.bind(delivery.id, rollout, name_of(delivery.cls), delivery.kind, delivery.target,
              std::int64_t{delivery.number}, delivery.weight, fence, name_of(delivery.state),
              is_open(delivery.state), delivery.created_at, delivery.expires_at,
              delivery.accepted_until, delivery.payload);
  insert.next();
  const std::int64_t key = insert.integer(0);
  insert.run();
  for (const Attempt& attempt : delivery.attempts) insert_attempt(db, key, attempt);
  return fence;
}

void update_delivery(Database& db, const DeliveryUpdate& update) {
  Query change(db,
               "UPDATE deliveries SET state = ?2, open = ?3, accepted_until = ?4,"
               " expires_at = coalesce(?5, expires_at) WHERE id = ?1 RETURNING key");
  change.bind(update.id, name_of(update.state), is_open(update.state), update.accepted_until,
              update.expires_at);
  if (!change.next()) throw Refused("there is no delivery " + update.id);
  const std::int64_t key = change.integer(0);
  change.run();
  if (update.attempt) insert_attempt(db, key, *update.attempt);
}

void insert_idempotency(Database& db, std::int64_t rollout, const IdempotencyRecord& record) {
  Query(db, "DELETE FROM idempotency WHERE at <= ?1").bind(record.at - kIdempotencyLife).run();
  Query(db, "INSERT INTO idempotency (name, body_sha256, rollout, at) VALUES (?1, ?2, ?3, ?4)")
      .bind(record.key, record.body_sha256, rollout, record.at)
      .run();
}

// What people were told is decided by one node at a time: in the light of what is there now.
void check_memo(Database& db, const Memo& memo) {
  Query found(db, "SELECT value FROM memos WHERE rollout = ?1 AND target = ?2 AND name = ?3");
  found.bind(kNoRollout, memo.target, memo.key);
  const std::string there = found.next() ? found.text(0) : std::string();
  if (there != memo.before) throw Outdated("the shared memo " + memo.key + " has changed");
}

KnownRollout& open_rollout(Database& db, RecentLog& recent, const Commit& commit) {
  if (!commit.insert) return find_rollout(recent, commit.rollout);
  if (!commit.state) throw Refused("rollout " + commit.rollout + " is registered without a state");
  return insert_rollout(db, recent, *commit.insert, *commit.state);
}

}  // namespace

Recorded write_commit(Database& db, RecentLog& recent, const Commit& commit) {
  Recorded recorded;
  KnownRollout& known = open_rollout(db, recent, commit);
  const std::int64_t rollout = known.key;
  const RolloutState* state = commit.state && !commit.insert ? &*commit.state : nullptr;
  if (state != nullptr) move_rollout(db, recent, known, *state);
  if (state != nullptr || !commit.evaluations.empty())
    recent.append(known, commit.evaluations, state);
  for (const Event& event : commit.events) {
    recorded.event_seqs.push_back(insert_event(db, rollout, event));
  }
  for (const Delivery& delivery : commit.deliveries) {
    recorded.fences.push_back(insert_delivery(db, rollout, delivery));
  }
  for (const DeliveryUpdate& update : commit.delivery_updates) update_delivery(db, update);
  for (const ExplainRecord& explain : commit.explains) {
    Query(db, "INSERT INTO explains (rollout, decision, at, bundle) VALUES (?1, ?2, ?3, ?4)")
        .bind(rollout, explain.decision, explain.at, explain.bundle)
        .run();
  }
  for (const Memo& memo : commit.memos) {
    if (memo.is_shared) check_memo(db, memo);
    Query(db,
          "INSERT INTO memos (rollout, target, name, value) VALUES (?1, ?2, ?3, ?4)"
          " ON CONFLICT DO UPDATE SET value = excluded.value")
        .bind(memo.is_shared ? kNoRollout : rollout, memo.target, memo.key, memo.value)
        .run();
  }
  if (commit.idempotency) insert_idempotency(db, rollout, *commit.idempotency);
  return recorded;
}

void write_freeze(Database& db, const FreezeRecord& freeze) {
  Query(db,
        "INSERT OR REPLACE INTO freezes (namespace, service, made_by, reason, since, until,"
        " lifted_at, lifted_by, lift_reason, token, address, lifted_token, lifted_address)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)")
      .bind(freeze.ns, freeze.service, freeze.by, freeze.reason, freeze.since, freeze.until,
            freeze.lifted_at, freeze.lifted_by, freeze.lift_reason, freeze.via.token,
            freeze.via.address, freeze.lifted_via.token, freeze.lifted_via.address)
      .run();
}

}  // namespace rollwatch
