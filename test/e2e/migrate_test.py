"""From SQLite to PostgreSQL with `rollwatchd --migrate-store`: the rollout that runs goes on, and nothing of the
history is missing."""

import os
import subprocess
import unittest

from database import Database
from harness import built, free_port, wait_until
from rollout_case import RolloutCase

HOLDING = {"steps": [{"weight": 5, "hold": "1h"}]}


def migrate_store(*stores, **environment):
    """(exit code, stdout, stderr)"""
    done = subprocess.run([built("ROLLWATCH_TEST_DAEMON", "rollwatchd"), "--migrate-store", *map(str, stores)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, env={**os.environ, **environment})
    return done.returncode, done.stdout, done.stderr


class Migrate(RolloutCase):
    def everything(self, daemon, rollout):
        """All that is told about a rollout that has ended."""
        told = {path: daemon.api.everything(f"{rollout}/{path}") for path in ("evaluations", "events", "deliveries")}
        return {"rollout": daemon.api.rollout(rollout), "explain": daemon.api.explain(rollout), **told}

    @staticmethod
    def rollbacks(deployer, rollout):
        return [order for order, _ in list(deployer.attempts) if order.rollout == rollout and order.kind == "rollback"]

    def test_a_daemon_moves_with_a_rollout_under_way(self):
        deployer, slack = self.deployer(), self.slack()
        database = self.place.add(Database(self.place.folder))
        file = self.place.folder / "daemon" / "rollwatch.db"
        configured = self.configuration(deployer, slack)
        daemon = self.daemon(f'[store]\nurl = "sqlite:{file}"\n{configured}').start()
        service = self.service()
        ended = daemon.api.register(**self.fields(service, orchestrator="deployer"))["id"]
        daemon.wait_for_state(ended, "promoted")
        running = daemon.api.register(headers={"Idempotency-Key": "once"}, **self.fields(
            service, target="eu-1", orchestrator="deployer", analysis=HOLDING, labels={"tier": "web"}))["id"]
        daemon.wait_for(running, lambda r: r["step"] and r["verdict"] == "passing", "to be analyzed")
        # A rollback that is decided, and that the deployer does not take yet.
        deployer.by_kind["rollback"] = "fail"
        failing = daemon.api.register(**self.fields(service, target="eu-2", orchestrator="deployer", analysis=HOLDING))["id"]
        daemon.wait_for(failing, lambda r: r["verdict"] == "passing", "to be analyzed")
        self.assertEqual(daemon.api.decide(failing, "rollback").status, 200)
        wait_until(lambda: self.rollbacks(deployer, failing), "the rollback to be tried", [daemon])
        self.assertEqual(daemon.api.call("PUT", f"/api/v1/services/default/{service}/freeze",
                                         {"by": "anna", "reason": "a holiday"}).status, 200)
        wait_until(lambda: all(delivery["state"] == "done" for delivery in daemon.api.deliveries(ended)),
                   "what people are told of the first to have arrived", [daemon])
        before = self.everything(daemon, ended)
        events = daemon.api.events(running)
        evaluations = daemon.api.evaluations(running)

        code, _, told = migrate_store(f"sqlite:{file}", database.url())
        self.assertEqual(code, 1, told)
        self.assertIn("is in use by another rollwatchd", told)
        self.assertEqual(daemon.stop(), 0)

        code, out, told = migrate_store(f"sqlite:{file}", database.url())
        self.assertEqual(code, 0, told)
        self.assertRegex(out, r"^checked \d+ rows of 13 tables: equal\n")
        self.assertIn(f"{file} is as it was", out)
        self.assertIn("checking ", told)
        code, _, told = migrate_store(f"sqlite:{file}", database.url())
        self.assertEqual(code, 1)
        self.assertIn("has rollouts already (3)", told)

        daemon.configure(f'[store]\nurl = "{database.url()}"\nlease = "2s"\n{configured}')
        daemon.start()
        self.assertEqual(self.everything(daemon, ended), before)
        self.assertEqual(daemon.api.events(running)[:len(events)], events)
        self.assertEqual(daemon.api.evaluations(running)[:len(evaluations)], evaluations)
        deployer.by_kind.clear()
        daemon.wait_for_state(failing, "rolled_back")
        self.assert_orders(daemon, deployer, failing, [("advance", 5), ("rollback", 0)])
        self.assertEqual(len(set(self.rollbacks(deployer, failing))), 1, "one order, whichever store it was in")
        # It is still the same one, frozen as it was, and it goes on where it stood.
        again = daemon.api.register(headers={"Idempotency-Key": "once"}, **self.fields(
            service, target="eu-1", orchestrator="deployer", analysis=HOLDING, labels={"tier": "web"}))
        self.assertEqual(again["id"], running)
        self.assertTrue(daemon.api.rollout(running)["freeze"])
        watched = len(evaluations)
        daemon.wait_for(running, lambda r: len(daemon.api.evaluations(running)) > watched + 2 and r["verdict"] == "passing",
                        "to be watched on")
        self.assert_no_gaps(daemon, running)
        self.assertEqual(daemon.api.decide(running, "rollback").status, 200)
        daemon.wait_for_state(running, "rolled_back")
        self.assert_orders(daemon, deployer, running, [("advance", 5), ("rollback", 0)])
        self.wait_for_slack(slack, "rolled back", service)
        sequence = [event["seq"] for event in daemon.api.events(running)]
        self.assertEqual(sequence, sorted(set(sequence)))

    def test_what_is_refused_is_told_without_a_password(self):
        folder = self.place.folder
        (folder / "rollwatch.db").write_text("no database")
        sqlite, missing = f"sqlite:{folder}/rollwatch.db", f"sqlite:{folder}/none.db"
        postgres = f"postgresql://rollwatch:geheim@127.0.0.1:{free_port()}/rollwatch"
        refusals = [
            ((postgres, sqlite), "the way back is not offered"),
            ((postgres, postgres), "pg_dump"),
            ((sqlite, missing), "TO must be a PostgreSQL database"),
            ((folder / "rollwatch.db", postgres), 'FROM must be "sqlite:"'),
            ((sqlite, "mysql://there"), 'TO must be "postgresql://"'),
            ((missing, postgres), "does not exist"),
            ((sqlite, postgres), "file is not a database"),
        ]
        for stores, reason in refusals:
            code, out, told = migrate_store(*stores)
            self.assertEqual((code, out), (1, ""), told)
            self.assertIn(reason, told)
            self.assertEqual(told.count("\n"), 1, told)
            self.assertNotIn("geheim", told)
        self.assertEqual(migrate_store(sqlite)[0], 64)
        daemon = self.daemon(f'[store]\nurl = "sqlite:{folder}/new.db"\n{self.configuration()}').start()
        self.assertEqual(daemon.stop(), 0)
        code, _, told = migrate_store(f"sqlite:{folder}/new.db", postgres)
        self.assertEqual(code, 1)
        self.assertIn("refused", told)
        self.assertNotIn("geheim", told)

    def test_a_password_comes_from_where_libpq_looks(self):
        """Debian's server of the tests trusts everybody; one user may come with a password only."""
        database = self.place.add(Database(self.place.folder))
        rules = database.folder / "data" / "pg_hba.conf"
        rules.write_text("host all careful 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        database.sql("CREATE ROLE careful LOGIN PASSWORD 'geheim'; ALTER DATABASE rollwatch OWNER TO careful")
        database.restart()
        daemon = self.daemon(f'[store]\nurl = "sqlite:{self.place.folder}/rollwatch.db"\n{self.configuration()}').start()
        self.assertEqual(daemon.stop(), 0)
        stores = (f"sqlite:{self.place.folder}/rollwatch.db", database.url().replace("rollwatch@", "careful@"))
        code, _, told = migrate_store(*stores)
        self.assertEqual(code, 1)
        self.assertIn("no password supplied", told)
        code, out, told = migrate_store(*stores, PGPASSWORD="geheim")
        self.assertEqual(code, 0, told)
        self.assertIn("checked ", out)
        self.assertNotIn("geheim", out + told)


if __name__ == "__main__":
    unittest.main()
