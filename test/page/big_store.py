"""A store with a long past: of one real rollout that has ended, copies; and a history of a day and more before its own.

Rows are written into the daemon's file as daemon/storage/schema.cc describes it, while no daemon has it open: what a
rollout that was registered, watched and rolled back would have left there, in seconds.
"""

import sqlite3
from contextlib import closing


def selected(db, table, alias, changed):
    """(its columns, what a SELECT makes of them): those of `changed` as given there, the others as they are."""
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    missing = set(changed) - set(names)
    if missing:
        raise AssertionError(f"{table} has no {missing}; it has {names}")
    return ", ".join(names), ", ".join(changed.get(name, f"{alias}.{name}") for name in names)


def copy_rollout(file, rollout, count):
    """`count` more that ended like it, each a minute before the other, of services of their own."""
    with closing(sqlite3.connect(file)) as db, db:
        key, spec = db.execute("SELECT key, spec FROM rollouts WHERE id = ?", (rollout,)).fetchone()
        new_id = "'ro_00' || substr(:id, 6, 14) || printf('%010d', 9999999999 - n.i)"
        service = "'service-' || printf('%04d', n.i)"
        changed_spec = f"json_set(t.spec, '$.service', {service}" + (f", '$.id', {new_id})" if f'"id":"{rollout}"' in spec else ")")
        names, values = selected(db, "rollouts", "t", {
            "key": "NULL", "id": new_id, "service": service, "spec": changed_spec,
            "created_at": "t.created_at - 60000 * n.i", "ended_at": "t.ended_at - 60000 * n.i"})
        db.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
                   f" INSERT INTO rollouts ({names}) SELECT {values} FROM rollouts t, n WHERE t.id = :id", {"id": rollout, "count": count})
        for table, changed in (("states", {"rollout": "c.key"}), ("events", {"rollout": "c.key", "seq": "NULL"})):
            names, values = selected(db, table, "t", changed)
            db.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} t, rollouts c"
                       " WHERE t.rollout = :key AND c.id LIKE 'ro_00%' ORDER BY c.key", {"key": key})


def lengthen_history(file, rollout, count, every_ms):
    """`count` evaluations before its own first one, as if it had been watched that much longer: one slot in four hundred
    failed, one in a thousand had no answer."""
    with closing(sqlite3.connect(file)) as db, db:
        key, = db.execute("SELECT key FROM rollouts WHERE id = ?", (rollout,)).fetchone()
        db.execute("UPDATE rollouts SET created_at = created_at - :all, thin_from = NULL WHERE key = :key",
                   {"all": count * every_ms, "key": key})
        for table in ("recent", "evaluations"):  # twice: each number is given to one row only, at every moment
            db.execute(f"UPDATE {table} SET number = -number - :count WHERE rollout = :key AND number > 0", {"key": key, "count": count})
            db.execute(f"UPDATE {table} SET number = -number WHERE rollout = :key AND number < 0", {"key": key})
        first, template = db.execute("SELECT min(slot), min(number) FILTER (WHERE outcome = 0) FROM evaluations WHERE rollout = ?",
                                     (key,)).fetchone()
        if template is None:
            raise AssertionError(f"{rollout} has no slot that passed")
        at = ":first - (:count - n.i) * :every"
        failed, silent = "n.i % 400 = 7", "n.i % 1000 = 13"
        names, values = selected(db, "evaluations", "t", {
            "number": "n.i + 1", "slot": at, "last_slot": at, "evaluated_at": at, "slots": "1", "step": "0",
            "outcome": f"CASE WHEN {failed} THEN 1 WHEN {silent} THEN 3 ELSE 0 END",
            "cause": f"CASE WHEN {failed} THEN 1 WHEN {silent} THEN 5 ELSE 0 END",
            "value": f"CASE WHEN {failed} THEN 0.08 WHEN {silent} THEN NULL ELSE 0.01 + (n.i % 97) / 10000.0 END"})
        db.execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < :count - 1)"
                   f" INSERT INTO evaluations ({names}) SELECT {values} FROM evaluations t, n"
                   " WHERE t.rollout = :key AND t.number = :template",
                   {"key": key, "template": template, "first": first, "count": count, "every": every_ms})
