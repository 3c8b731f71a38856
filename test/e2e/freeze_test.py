"""A freeze holds everything where it is, through a kill -9 and back, and rollbacks go out all the same."""

import json
import os
import signal
import unittest

from harness import wait_until
from rollout_case import RolloutCase

GOOD = [("advance", 5), ("advance", 25), ("promote", 100)]


class Freeze(RolloutCase):
    def setUp(self):
        self.receiver = self.deployer()
        self.server = self.daemon(self.configuration(self.receiver)).start()
        self.line = self.cli(self.server)

    def register(self, service, **more):
        return self.server.api.register(**self.fields(service, orchestrator="deployer", **more))["id"]

    def freeze(self, *arguments):
        """rollwatch freeze …: its answer."""
        code, out, err = self.line.run("freeze", *arguments, "--by", "ana", "--output", "json")
        self.assertEqual(code, 0, out + err)
        return json.loads(out)

    def record(self, service):
        return self.server.api.get(f"/api/v1/services/default/{service}")

    def test_a_service_is_held_through_a_kill_and_goes_on_when_it_is_lifted(self):
        service = self.service()
        self.assertEqual(self.record(service).status, 404)
        answer = self.freeze(f"default/{service}", "--reason", "stocktaking")
        self.assertEqual((answer["in_force"], answer["until"], answer["active_rollouts"]), (True, None, 0))
        record = self.record(service).json
        self.assertEqual((record["frozen"], record["freeze"]["reason"]), ("frozen by ana: stocktaking", "stocktaking"))

        rollout = self.register(service)
        other = self.register(self.service())
        view = self.server.api.rollout(rollout)
        self.assertEqual((view["state"], view["reason"], view["freeze"]),
                         ("waiting", "frozen by ana: stocktaking", "frozen by ana: stocktaking"))
        code, out, err = self.line.run("status", rollout)
        self.assertEqual(code, 0, err)
        self.assertIn("frozen by ana: stocktaking", out)
        self.assertEqual(self.server.wait_for_end_of(other)["state"], "promoted", "others go their way")

        self.server.kill9()
        self.server.start()
        self.assertEqual(self.server.api.rollout(rollout)["state"], "waiting")
        self.assertEqual(self.receiver.attempts_of(rollout), [])
        self.assertEqual(self.server.metric("rollwatch_freezes"), 1)
        code, out, err = self.line.run("freeze", service, "--lift", "--reason", "counted", "--by", "ben")
        self.assertEqual(code, 0, err)
        self.assertIn("by ben: counted", out)
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "promoted")
        self.assert_orders(self.server, self.receiver, rollout, GOOD)
        told = [(e["type"], e["data"]["by"], e["data"]["reason"]) for e in self.server.api.events(rollout)
                if e["type"] in ("frozen", "thawed")]
        self.assertEqual(told, [("frozen", "ana", "stocktaking"), ("thawed", "ben", "counted")])
        record = self.record(service).json
        self.assertEqual((record["frozen"], record["freeze"], record["last_freeze"]["lifted_by"]), (None, None, "ben"))
        self.assertEqual([(r["id"], r["state"]) for r in record["rollouts"]], [(rollout, "promoted")])
        self.assertEqual(self.line.run("freeze", service, "--lift")[0], 1, "it is not frozen")
        self.assertEqual(self.server.metric("rollwatch_freezes"), 0)

    def test_an_order_that_is_out_is_taken_back_and_given_again(self):
        self.receiver.by_kind["advance"] = "fail"
        rollout = self.register(self.service())
        wait_until(lambda: self.receiver.attempts_of(rollout), "an attempt", [self.server])
        answer = self.freeze("--all", "--reason", "holidays", "--for", "1h")
        self.assertEqual(answer["active_rollouts"], 1)
        self.assertEqual([o["state"] for o in self.server.api.orders(rollout)], ["withdrawn"])
        self.assertEqual(self.server.metric("rollwatch_decisions_total", kind="freeze", by="person"), 1)
        self.server.kill9()
        self.receiver.by_kind.clear()
        tried = len(self.receiver.attempts_of(rollout))
        self.server.start()
        self.assertEqual(self.server.api.rollout(rollout)["freeze"], "everything is frozen by ana: holidays")
        self.assertEqual(self.server.api.decide(rollout, "promote").status, 409)
        self.freeze("--all", "--lift")
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "promoted")
        self.assert_orders(self.server, self.receiver, rollout, GOOD)
        orders = self.server.api.orders(rollout)
        self.assertEqual([o["state"] for o in orders], ["withdrawn", "done", "done", "done"])
        self.assertGreater(orders[1]["fence"], orders[0]["fence"])
        self.assertEqual([order.id for order, _ in self.receiver.attempts_of(rollout)[tried:]],
                         [o["id"] for o in orders[1:]], "nothing went out while it was frozen")

    def test_it_ends_by_itself(self):
        service = self.service()
        rollout = None
        answer = self.freeze(service, "--reason", "a moment", "--for", "8s")
        self.assertIsNotNone(answer["until"])
        rollout = self.register(service)
        self.assertEqual(self.server.api.rollout(rollout)["state"], "waiting")
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "promoted")
        self.assertEqual(self.server.api.get(f"/api/v1/services/default/{service}/freeze").status, 404)

    def test_a_bad_version_is_rolled_back_under_it(self):
        service = self.service()
        rollout = self.register(service, analysis={"steps": [{"weight": 5, "hold": "1h"}]})
        self.server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.freeze("--all", "--reason", "holidays")
        self.exposition.set("e2e_errors", 0.5, service=service, version="1.1")
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "rolled_back")
        self.assert_orders(self.server, self.receiver, rollout, [("advance", 5), ("rollback", 0)])

    def test_killed_between_the_freeze_and_its_rollouts(self):
        if os.environ.get("ROLLWATCH_TEST_FAIL_POINTS", "ON") != "ON":
            self.skipTest("this build has no fail points")
        self.server.stop()
        self.server.start(ROLLWATCH_FAIL_POINT="after_freeze_commit")
        self.receiver.by_kind["advance"] = "fail"
        rollout = self.register(self.service())
        wait_until(lambda: self.receiver.attempts_of(rollout), "an attempt", [self.server])
        self.server.expected_dead = True
        code, out, err = self.line.run("freeze", "--all", "--reason", "holidays", "--by", "ana")
        self.assertEqual(code, 1, "it died before it answered")
        self.assertEqual(self.server.wait_for_end(), -signal.SIGKILL)
        self.receiver.by_kind.clear()
        tried = len(self.receiver.attempts_of(rollout))
        self.server.start()
        self.assertEqual(self.server.api.rollout(rollout)["freeze"], "everything is frozen by ana: holidays")
        self.assertEqual([o["state"] for o in self.server.api.orders(rollout)], ["withdrawn"])
        self.assertEqual(len(self.receiver.attempts_of(rollout)), tried, "the open order was taken back before it went out")
        self.freeze("--all", "--lift")
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "promoted")

    def test_a_step_is_extended(self):
        rollout = self.register(self.service(), analysis={"steps": [{"weight": 5, "hold": "4s"}]})
        self.server.wait_for(rollout, lambda r: r["step"], "to have begun")
        code, out, err = self.line.run("extend", rollout, "--for", "1h", "--reason", "slow start", "--by", "ana")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(self.line.run("extend", rollout)[0], 64, "by how much?")
        self.server.wait_for(rollout, lambda r: r["conditions"][0]["counts"]["pass"] >= 14, "to have passed for long")
        view = self.server.api.rollout(rollout)
        self.assertEqual((view["state"], view["step"]["index"]), ("analyzing", 0))
        extended = [e["data"] for e in self.server.api.events(rollout) if e["type"] == "extended"]
        self.assertEqual([(e["by"], e["reason"]) for e in extended], [("ana", "slow start")])
        self.assertIn("1h longer", extended[0]["summary"])
        self.assertEqual(self.server.metric("rollwatch_decisions_total", kind="extend", by="person"), 1)


if __name__ == "__main__":
    unittest.main()
