// The text of the first schema. Times are milliseconds since the Unix epoch by the nodes' clocks,
// but for what is of type timestamptz: that is by the database's.
//
// What is written at every slot stays apart from what is not, as in the SQLite store. Text that
// decides an order is compared byte by byte (COLLATE "C").
#pragma once

namespace rollwatch {

inline constexpr const char* kPgFirst = R"sql(
-- Whoever is a member of the system. A number is never given again.
CREATE TABLE nodes (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL,
  program    text NOT NULL,
  joined_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  expires_at timestamptz NOT NULL,
  session    bigint NOT NULL DEFAULT 0,  -- of its writing connection
  pid        integer NOT NULL DEFAULT 0, -- the server's process for it …
  started_at timestamptz,                -- … and since when, so that no other is ended for it
  commits    bigint NOT NULL DEFAULT 0,  -- the number of its latest transaction
  event_base bigint NOT NULL DEFAULT 0   -- the number before the first of the latest events
) WITH (fillfactor = 50);

CREATE TABLE places (
  key       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  namespace text COLLATE "C" NOT NULL,
  service   text COLLATE "C" NOT NULL,
  target    text COLLATE "C" NOT NULL,
  fence     bigint NOT NULL DEFAULT 0,   -- the last number given here, to an order or an owner
  owner     bigint,                      -- nodes.number; free if there is no such node
  epoch     bigint NOT NULL DEFAULT 0,   -- the number its owner was given
  UNIQUE (namespace, service, target)
) WITH (fillfactor = 70);
CREATE INDEX places_by_owner ON places (owner);

CREATE TABLE plans (           -- one row for all rollouts with the same merged analysis
  key      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  digest   bytea NOT NULL UNIQUE,
  version  integer NOT NULL,
  analysis text NOT NULL,
  sources  text NOT NULL
);

CREATE TABLE rollouts (
  key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id         text COLLATE "C" NOT NULL UNIQUE,
  place      bigint NOT NULL REFERENCES places,
  namespace  text COLLATE "C" NOT NULL,
  service    text COLLATE "C" NOT NULL,
  target     text COLLATE "C" NOT NULL,
  candidate  text COLLATE "C" NOT NULL,
  state      text NOT NULL,    -- the name of what states.state holds
  active     boolean NOT NULL, -- until that is a final one and nothing is watched any more
  created_at bigint NOT NULL,
  ended_at   bigint,
  plan       bigint NOT NULL REFERENCES plans,
  spec       text NOT NULL     -- JSON
);
CREATE INDEX rollouts_active ON rollouts (id) WHERE active;
CREATE INDEX rollouts_active_by_place ON rollouts (place) WHERE active;
CREATE INDEX rollouts_ended ON rollouts (ended_at, key) WHERE NOT active;
CREATE INDEX rollouts_by_plan ON rollouts (plan);
CREATE INDEX rollouts_by_place ON rollouts (namespace, service, target, id, candidate);

CREATE TABLE labels (
  rollout bigint NOT NULL,
  name    text COLLATE "C" NOT NULL,
  value   text NOT NULL,
  PRIMARY KEY (rollout, name)
);

CREATE TABLE states (
  rollout    bigint PRIMARY KEY,
  revision   bigint NOT NULL,
  updated_at bigint NOT NULL,
  state      bytea NOT NULL    -- analysis/state_codec.h
) WITH (fillfactor = 50);

CREATE TABLE evaluations (
  rollout      bigint NOT NULL,
  number       bigint NOT NULL,
  condition    text NOT NULL,
  slot         bigint NOT NULL,
  last_slot    bigint NOT NULL,
  slots        bigint NOT NULL,
  evaluated_at bigint NOT NULL,
  outcome      smallint NOT NULL, -- the enumerators of analysis/outcome.h
  cause        smallint NOT NULL,
  value        double precision,
  rule_op      smallint,
  rule_limit   double precision,
  evidence     double precision,
  min_evidence double precision NOT NULL,
  series       text NOT NULL,
  detail       text NOT NULL,
  step         integer NOT NULL,
  duration     bigint NOT NULL,
  PRIMARY KEY (rollout, number)
);

CREATE TABLE event_counter (last bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO event_counter VALUES (0);
CREATE TABLE events (
  seq     bigint PRIMARY KEY,
  rollout bigint NOT NULL,
  at      bigint NOT NULL,
  data    text NOT NULL        -- JSON
);
CREATE INDEX events_by_rollout ON events (rollout, seq);

CREATE TABLE deliveries (
  key            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id             text COLLATE "C" NOT NULL UNIQUE,
  rollout        bigint NOT NULL,
  class          text NOT NULL,
  kind           text NOT NULL,
  target         text NOT NULL,
  number         bigint NOT NULL,
  weight         double precision NOT NULL,
  fence          bigint NOT NULL,
  state          text NOT NULL,
  open           boolean NOT NULL,
  created_at     bigint NOT NULL,
  expires_at     bigint NOT NULL,
  accepted_until bigint NOT NULL,
  payload        text NOT NULL
);
CREATE INDEX deliveries_by_rollout ON deliveries (rollout, key);
CREATE INDEX deliveries_open ON deliveries (rollout) WHERE open;

CREATE TABLE attempts (
  delivery bigint NOT NULL,
  number   bigint NOT NULL,
  at       bigint NOT NULL,
  status   integer,
  error    text NOT NULL,
  duration bigint NOT NULL,
  answer   text NOT NULL,
  PRIMARY KEY (delivery, number)
);

CREATE TABLE explains (
  key      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  rollout  bigint NOT NULL,
  decision text COLLATE "C" NOT NULL UNIQUE,
  at       bigint NOT NULL,
  bundle   text NOT NULL       -- JSON
);
CREATE INDEX explains_by_rollout ON explains (rollout, key);

CREATE TABLE memos (           -- rollout 0: of no rollout
  rollout bigint NOT NULL,
  target  text COLLATE "C" NOT NULL,
  name    text COLLATE "C" NOT NULL,
  value   text NOT NULL,
  PRIMARY KEY (rollout, target, name)
);

CREATE TABLE idempotency (
  name        text COLLATE "C" PRIMARY KEY,
  body_sha256 text NOT NULL,
  rollout     bigint NOT NULL,
  at          bigint NOT NULL
);
CREATE INDEX idempotency_by_age ON idempotency (at);
CREATE INDEX idempotency_by_rollout ON idempotency (rollout);

CREATE TABLE freezes (         -- the one in force, or the last one, of a service; names '' for all
  namespace   text COLLATE "C" NOT NULL,
  service     text COLLATE "C" NOT NULL,
  made_by     text NOT NULL,
  reason      text NOT NULL,
  since       bigint NOT NULL,
  until       bigint,
  lifted_at   bigint,
  lifted_by   text NOT NULL,
  lift_reason text NOT NULL,
  PRIMARY KEY (namespace, service)
);

-- Calls that one node answers for another. Not logged: what a crash takes is asked again.
CREATE UNLOGGED TABLE calls (
  number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  asker      bigint NOT NULL,  -- nodes.number
  owner      bigint NOT NULL,  -- nodes.number
  request    text NOT NULL,    -- JSON
  answer     text,             -- JSON
  taken      boolean NOT NULL DEFAULT false,
  made_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX calls_waiting ON calls (owner, number) WHERE NOT taken;

-- The first statement of every write. It holds the node's row until the transaction ends, and
-- refuses it if the node, its session or its right to one of the places is gone.
CREATE FUNCTION rollwatch_begin(me bigint, my_session bigint, my_commit bigint,
                                ids text[], epochs bigint[],
                                new_ns text[], new_service text[], new_target text[],
                                new_epochs bigint[]) RETURNS void LANGUAGE plpgsql AS $begin$
DECLARE
  wrong text;
BEGIN
  UPDATE nodes SET commits = my_commit WHERE number = me AND session = my_session;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'this node is no longer a member of the system' USING ERRCODE = 'RW001';
  END IF;
  SELECT w.id INTO wrong FROM unnest(ids) AS w(id)
    WHERE NOT EXISTS (SELECT 1 FROM rollouts r WHERE r.id = w.id) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no rollout %', wrong USING ERRCODE = 'RW002';
  END IF;
  SELECT concat_ws(' ', r.namespace, r.service, r.target) INTO wrong
    FROM unnest(ids, epochs) AS w(id, epoch)
    JOIN rollouts r ON r.id = w.id JOIN places p ON p.key = r.place
    WHERE p.owner IS DISTINCT FROM me OR p.epoch <> w.epoch LIMIT 1;
  IF NOT FOUND THEN
    SELECT concat_ws(' ', w.ns, w.service, w.target) INTO wrong
      FROM unnest(new_ns, new_service, new_target, new_epochs) AS w(ns, service, target, epoch)
      LEFT JOIN places p
        ON p.namespace = w.ns AND p.service = w.service AND p.target = w.target
      WHERE p.owner IS DISTINCT FROM me OR p.epoch IS DISTINCT FROM w.epoch LIMIT 1;
  END IF;
  IF FOUND THEN
    RAISE EXCEPTION 'another node has taken over %', wrong USING ERRCODE = 'RW001';
  END IF;
END $begin$;

-- Ends a session that may hold a transaction which neither goes on nor ends: its client is cut off.
CREATE FUNCTION rollwatch_end_session(its_pid integer, its_start timestamptz) RETURNS void
LANGUAGE sql AS $end$
  SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a
    WHERE a.pid = its_pid AND a.backend_start = its_start AND a.pid <> pg_backend_pid();
$end$;

-- The next writing session of a node: whatever the one before has not committed by now, it never
-- will. Nothing, if the node is no member.
CREATE FUNCTION rollwatch_session(me bigint)
RETURNS TABLE (session bigint, commits bigint, event_base bigint) LANGUAGE plpgsql AS $session$
BEGIN
  PERFORM rollwatch_end_session(n.pid, n.started_at) FROM nodes n WHERE n.number = me;
  RETURN QUERY UPDATE nodes n SET session = n.session + 1, pid = pg_backend_pid(),
    started_at = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid())
    WHERE n.number = me RETURNING n.session, n.commits, n.event_base;
END $session$;

-- Takes those off the list who have not renewed in time, with the sessions that are left of them.
CREATE FUNCTION rollwatch_sweep() RETURNS SETOF text LANGUAGE plpgsql AS $sweep$
BEGIN
  PERFORM rollwatch_end_session(n.pid, n.started_at) FROM nodes n
    WHERE n.expires_at < clock_timestamp();
  RETURN QUERY DELETE FROM nodes n WHERE n.expires_at < clock_timestamp() RETURNING n.name;
END $sweep$;

-- Makes a statement that changed nothing an error.
CREATE FUNCTION rollwatch_changed(changed bigint, state text, otherwise text) RETURNS void
LANGUAGE plpgsql AS $changed$
BEGIN
  IF changed = 0 THEN
    RAISE EXCEPTION '%', otherwise USING ERRCODE = state;
  END IF;
END $changed$;

-- Deletes one rollout that ended before that moment, with all that belongs to it; false if it is not
-- there any more, or may not go.
CREATE FUNCTION rollwatch_forget(which bigint, ended_before bigint) RETURNS boolean
LANGUAGE plpgsql AS $forget$
DECLARE
  its_plan bigint;
BEGIN
  SELECT r.plan INTO its_plan FROM rollouts r
    WHERE r.key = which AND NOT r.active AND r.ended_at < ended_before
    AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.rollout = r.key AND d.open)
    FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM evaluations WHERE rollout = which;
  DELETE FROM events WHERE rollout = which;
  DELETE FROM explains WHERE rollout = which;
  DELETE FROM attempts a USING deliveries d WHERE d.rollout = which AND a.delivery = d.key;
  DELETE FROM deliveries WHERE rollout = which;
  DELETE FROM labels WHERE rollout = which;
  DELETE FROM memos WHERE rollout = which;
  DELETE FROM states WHERE rollout = which;
  DELETE FROM idempotency WHERE rollout = which;
  DELETE FROM rollouts WHERE key = which;
  BEGIN
    DELETE FROM plans
      WHERE key = its_plan AND NOT EXISTS (SELECT 1 FROM rollouts r WHERE r.plan = its_plan);
  EXCEPTION WHEN foreign_key_violation THEN
    NULL;  -- a rollout that is being registered took it up
  END;
  RETURN true;
END $forget$;
)sql";

// Where the event log is whole from. A trigger, so that programs which do not know of it keep it
// right. What was deleted before is seen by the numbers that are missing, after the trigger has
// waited for whoever is deleting.
inline constexpr const char* kPgEventHorizon = R"sql(
CREATE TABLE event_horizon (   -- one row
  deleted bigint NOT NULL      -- the largest number of an event that is gone; 0 if none is
) WITH (fillfactor = 10);

CREATE FUNCTION rollwatch_events_deleted() RETURNS trigger LANGUAGE plpgsql AS $deleted$
DECLARE
  largest bigint;
BEGIN
  SELECT max(g.seq) INTO largest FROM gone g;
  UPDATE event_horizon h SET deleted = largest WHERE h.deleted < largest;
  RETURN NULL;
END $deleted$;
CREATE TRIGGER events_deleted AFTER DELETE ON events REFERENCING OLD TABLE AS gone
  FOR EACH STATEMENT EXECUTE FUNCTION rollwatch_events_deleted();

INSERT INTO event_horizon (deleted) SELECT coalesce(max(missing.seq), 0) FROM (
  SELECT e.seq - 1 AS seq FROM events e
    WHERE NOT EXISTS (SELECT 1 FROM events p WHERE p.seq = e.seq - 1)
  UNION ALL
  SELECT c.last FROM event_counter c
    WHERE NOT EXISTS (SELECT 1 FROM events p WHERE p.seq = c.last)
) missing;
)sql";

// How far the evaluations of a rollout were thinned (daemon/storage/thinning.h). What a node that
// does not know of it registers is thinned all the same.
inline constexpr const char* kPgThinning = R"sql(
ALTER TABLE rollouts
  ADD COLUMN thinned bigint NOT NULL DEFAULT 0, -- the number of the last one
  ADD COLUMN thin_from bigint DEFAULT 0;        -- later ones were not; NULL: all were
CREATE INDEX rollouts_to_thin ON rollouts (thin_from) WHERE thin_from IS NOT NULL;
)sql";

// By what means a person froze a service, and lifted that.
inline constexpr const char* kPgFreezeVia = R"sql(
ALTER TABLE freezes
  ADD COLUMN token text NOT NULL DEFAULT '',
  ADD COLUMN address text NOT NULL DEFAULT '',
  ADD COLUMN lifted_token text NOT NULL DEFAULT '',
  ADD COLUMN lifted_address text NOT NULL DEFAULT '';
)sql";

// What could not be delivered is looked for among everything that was.
inline constexpr const char* kPgFailedDeliveries = R"sql(
CREATE INDEX deliveries_failed ON deliveries (key) WHERE state IN ('dead', 'refused');
CREATE INDEX deliveries_open_by_key ON deliveries (key) WHERE open;
)sql";

// Nothing of the tables: states may have format 2 now (a rollout that compares), which programs
// from before cannot read. They step aside.
inline constexpr const char* kPgComparingStates = "";

}  // namespace rollwatch
