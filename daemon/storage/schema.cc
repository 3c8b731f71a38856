#include "daemon/storage/schema.h"

#include <array>
#include <string>

namespace rollwatch {
namespace {

// Marks the file as ours ("rlwt"), so that another program's database is never written to.
constexpr std::int64_t kApplicationId = 0x726c7774;

// Times are milliseconds since the Unix epoch. `rollout` elsewhere is rollouts.key.
//
// What is written at every slot stays apart from what is not: an evaluation is an append at the end
// of its rollout's run of rows, with no further index, and a state is a small row in a table of its
// own. Keys of rollouts and plans are never given twice (AUTOINCREMENT): rows of a forgotten
// rollout may still wait for deletion, and readers keep plans in memory by their key.
constexpr const char* kFirst = R"sql(
CREATE TABLE plans (           -- one row for all rollouts with the same merged analysis
  key      INTEGER PRIMARY KEY AUTOINCREMENT,
  hash     INTEGER NOT NULL,   -- of the three below; equal hashes are compared
  version  INTEGER NOT NULL,
  analysis TEXT NOT NULL,
  sources  TEXT NOT NULL
);
CREATE INDEX plans_by_hash ON plans (hash);

CREATE TABLE rollouts (
  key        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE,
  namespace  TEXT NOT NULL,
  service    TEXT NOT NULL,
  target     TEXT NOT NULL,
  candidate  TEXT NOT NULL,
  state      TEXT NOT NULL,    -- the name of what states.state holds
  active     INTEGER NOT NULL, -- 1 until that is a final one and nothing is watched any more
  created_at INTEGER NOT NULL,
  ended_at   INTEGER,
  plan       INTEGER NOT NULL, -- plans.key
  spec       TEXT NOT NULL     -- JSON
);
CREATE INDEX rollouts_active ON rollouts (id) WHERE active = 1;
CREATE INDEX rollouts_ended ON rollouts (ended_at) WHERE active = 0;
CREATE INDEX rollouts_by_plan ON rollouts (plan);
CREATE INDEX rollouts_by_place ON rollouts (namespace, service, target, id, candidate);

CREATE TABLE forgotten (       -- gone from rollouts, but not yet from the tables below
  rollout INTEGER PRIMARY KEY
);

CREATE TABLE labels (
  rollout INTEGER NOT NULL,
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (rollout, name)
) WITHOUT ROWID;

CREATE TABLE states (
  rollout    INTEGER PRIMARY KEY,
  revision   INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  state      BLOB NOT NULL     -- analysis/state_codec.h
);

CREATE TABLE evaluations (
  rollout      INTEGER NOT NULL,
  number       INTEGER NOT NULL,
  condition    TEXT NOT NULL,
  slot         INTEGER NOT NULL,
  last_slot    INTEGER NOT NULL,
  slots        INTEGER NOT NULL,
  evaluated_at INTEGER NOT NULL,
  outcome      INTEGER NOT NULL, -- the enumerators of analysis/outcome.h
  cause        INTEGER NOT NULL,
  value        REAL,
  rule_op      INTEGER,
  rule_limit   REAL,
  evidence     REAL,
  min_evidence REAL NOT NULL,
  series       TEXT NOT NULL,
  detail       TEXT NOT NULL,
  step         INTEGER NOT NULL,
  duration     INTEGER NOT NULL,
  PRIMARY KEY (rollout, number)
) WITHOUT ROWID;

CREATE TABLE events (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice, not even after the newest is deleted
  rollout INTEGER NOT NULL,
  at      INTEGER NOT NULL,
  data    TEXT NOT NULL        -- JSON
);
CREATE INDEX events_by_rollout ON events (rollout);

CREATE TABLE deliveries (
  key            INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  rollout        INTEGER NOT NULL,
  class          TEXT NOT NULL,    -- order, notification
  kind           TEXT NOT NULL,
  target         TEXT NOT NULL,
  number         INTEGER NOT NULL,
  weight         REAL NOT NULL,
  fence          INTEGER NOT NULL,
  state          TEXT NOT NULL,
  open           INTEGER NOT NULL, -- 1 while pending or accepted
  created_at     INTEGER NOT NULL,
  expires_at     INTEGER NOT NULL,
  accepted_until INTEGER NOT NULL,
  payload        TEXT NOT NULL
);
CREATE INDEX deliveries_by_rollout ON deliveries (rollout);
CREATE INDEX deliveries_open ON deliveries (key) WHERE open = 1;

CREATE TABLE attempts (
  delivery INTEGER NOT NULL,   -- deliveries.key
  number   INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  status   INTEGER,
  error    TEXT NOT NULL,
  duration INTEGER NOT NULL,
  answer   TEXT NOT NULL,
  PRIMARY KEY (delivery, number)
) WITHOUT ROWID;

CREATE TABLE explains (
  key      INTEGER PRIMARY KEY,
  rollout  INTEGER NOT NULL,
  decision TEXT NOT NULL UNIQUE,
  at       INTEGER NOT NULL,
  bundle   TEXT NOT NULL       -- JSON
);
CREATE INDEX explains_by_rollout ON explains (rollout);

CREATE TABLE memos (
  rollout INTEGER NOT NULL,
  target  TEXT NOT NULL,
  name    TEXT NOT NULL,
  value   TEXT NOT NULL,
  PRIMARY KEY (rollout, target, name)
) WITHOUT ROWID;

CREATE TABLE idempotency (
  name        TEXT PRIMARY KEY,
  body_sha256 TEXT NOT NULL,
  rollout     INTEGER NOT NULL,
  at          INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (at);
CREATE INDEX idempotency_by_rollout ON idempotency (rollout);

CREATE TABLE targets (         -- the last fence given for each place
  namespace TEXT NOT NULL,
  service   TEXT NOT NULL,
  target    TEXT NOT NULL,
  fence     INTEGER NOT NULL,
  PRIMARY KEY (namespace, service, target)
) WITHOUT ROWID;

CREATE TABLE freezes (         -- the one in force, or the last one, of a service; names '' for all
  namespace   TEXT NOT NULL,
  service     TEXT NOT NULL,
  made_by     TEXT NOT NULL,
  reason      TEXT NOT NULL,
  since       INTEGER NOT NULL,
  until       INTEGER,
  lifted_at   INTEGER,
  lifted_by   TEXT NOT NULL,
  lift_reason TEXT NOT NULL,
  PRIMARY KEY (namespace, service)
) WITHOUT ROWID;
)sql";

// Where the event log is whole from. What was deleted before is seen by the numbers that are
// missing: they were given one after the other.
constexpr const char* kEventHorizon = R"sql(
CREATE TABLE event_horizon (   -- one row
  deleted INTEGER NOT NULL     -- the largest number of an event that is gone; 0 if none is
);
INSERT INTO event_horizon (deleted) SELECT coalesce(max(gone.seq), 0) FROM (
  SELECT e.seq - 1 AS seq FROM events e JOIN rollouts r ON r.key = e.rollout
    WHERE NOT EXISTS (SELECT 1 FROM events p JOIN rollouts q ON q.key = p.rollout
                      WHERE p.seq = e.seq - 1)
  UNION ALL
  SELECT s.seq FROM sqlite_sequence s
    WHERE s.name = 'events' AND NOT EXISTS (SELECT 1 FROM events p JOIN rollouts q
                                            ON q.key = p.rollout WHERE p.seq = s.seq)
) gone;
)sql";

// What is written at every slot is appended to one table (recent_log.h).
constexpr const char* kRecent = R"sql(
CREATE TABLE recent (
  id           INTEGER PRIMARY KEY, -- grows, and is never given twice
  rollout      INTEGER NOT NULL,
  previous     INTEGER NOT NULL,    -- its row before this one; 0 if that is not here any more
  number       INTEGER,             -- of an evaluation, with its columns; NULL: only a state
  condition    TEXT,
  slot         INTEGER,
  last_slot    INTEGER,
  slots        INTEGER,
  evaluated_at INTEGER,
  outcome      INTEGER,
  cause        INTEGER,
  value        REAL,
  rule_op      INTEGER,
  rule_limit   REAL,
  evidence     REAL,
  min_evidence REAL,
  series       TEXT,
  detail       TEXT,
  step         INTEGER,
  duration     INTEGER,
  revision     INTEGER,             -- of the state after it, if it is the last of its commit
  updated_at   INTEGER,
  state        BLOB
);
CREATE TABLE recent_trimmed (id INTEGER NOT NULL); -- rows up to this one were deleted
INSERT INTO recent_trimmed VALUES (0);
-- What is in recent up to this row is in evaluations, and the state here is not older.
ALTER TABLE states ADD COLUMN folded INTEGER NOT NULL DEFAULT 0;

-- Everything, wherever it is: for whoever looks with another program, and for a transfer.
CREATE VIEW all_evaluations AS
SELECT rollout, number, condition, slot, last_slot, slots, evaluated_at, outcome, cause, value,
  rule_op, rule_limit, evidence, min_evidence, series, detail, step, duration
FROM evaluations
UNION ALL
SELECT r.rollout, r.number, r.condition, r.slot, r.last_slot, r.slots, r.evaluated_at, r.outcome,
  r.cause, r.value, r.rule_op, r.rule_limit, r.evidence, r.min_evidence, r.series, r.detail, r.step,
  r.duration
FROM recent r CROSS JOIN states s ON s.rollout = r.rollout
WHERE r.id > s.folded AND r.number IS NOT NULL;
CREATE VIEW latest_states AS
SELECT s.rollout, coalesce(r.revision, s.revision) AS revision,
  coalesce(r.updated_at, s.updated_at) AS updated_at, coalesce(r.state, s.state) AS state
FROM states s
LEFT JOIN (SELECT rollout, max(id) AS id FROM recent WHERE state IS NOT NULL GROUP BY rollout) n
  ON n.rollout = s.rollout AND n.id > s.folded
LEFT JOIN recent r ON r.id = n.id;
)sql";

// How far the evaluations of a rollout were thinned (thinning.h).
constexpr const char* kThinning = R"sql(
ALTER TABLE rollouts ADD COLUMN thinned INTEGER NOT NULL DEFAULT 0; -- the number of the last one
ALTER TABLE rollouts ADD COLUMN thin_from INTEGER DEFAULT 0; -- later ones were not; NULL: all were
CREATE INDEX rollouts_to_thin ON rollouts (thin_from) WHERE thin_from IS NOT NULL;
)sql";

// By what means a person froze a service, and lifted that.
constexpr const char* kFreezeVia = R"sql(
ALTER TABLE freezes ADD COLUMN token TEXT NOT NULL DEFAULT '';
ALTER TABLE freezes ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE freezes ADD COLUMN lifted_token TEXT NOT NULL DEFAULT '';
ALTER TABLE freezes ADD COLUMN lifted_address TEXT NOT NULL DEFAULT '';
)sql";

// What could not be delivered is looked for among everything that was.
constexpr const char* kFailedDeliveries = R"sql(
CREATE INDEX deliveries_failed ON deliveries (key) WHERE state IN ('dead', 'refused');
)sql";

constexpr std::array kMigrations{Migration{1, kFirst},     Migration{2, kEventHorizon},
                                 Migration{3, kRecent},    Migration{4, kThinning},
                                 Migration{5, kFreezeVia}, Migration{6, kFailedDeliveries}};

}  // namespace

std::span<const Migration> sqlite_migrations() { return kMigrations; }

void check_schema(Database& db, std::span<const Migration> steps) {
  if (db.integer("PRAGMA application_id") != kApplicationId &&
      db.integer("SELECT count(*) FROM sqlite_schema") > 0) {
    throw SchemaError(
        "is the SQLite database of another program; name a file of its own in store.url");
  }
  const int newest = steps.empty() ? 0 : steps.back().version;
  const std::int64_t found = db.integer("PRAGMA user_version");
  if (found > newest) {
    throw SchemaError("was written by a newer rollwatchd (schema " + std::to_string(found) +
                      ", this one knows " + std::to_string(newest) +
                      "); start that version, or go back to a copy made before the upgrade");
  }
}

void migrate(Database& db, std::span<const Migration> steps) {
  check_schema(db, steps);
  const std::int64_t found = db.integer("PRAGMA user_version");
  for (const Migration& step : steps) {
    if (step.version <= found) continue;
    db.execute("BEGIN IMMEDIATE");
    try {
      db.execute(step.sql);
      db.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
      db.execute("PRAGMA user_version = " + std::to_string(step.version));
      db.execute("COMMIT");
    } catch (const SqliteError&) {
      if (db.in_transaction()) db.execute("ROLLBACK");
      throw;
    }
  }
}

}  // namespace rollwatch
