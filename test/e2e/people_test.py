"""People decide through the command line, and its exit codes say what came of it."""

import json
import signal
import unittest

from harness import wait_until
from programs import finish
from rollout_case import RolloutCase


class People(RolloutCase):
    def setUp(self):
        self.receiver = self.deployer()
        # Long steps: nothing goes on but at a person's word.
        self.server = self.daemon(self.configuration(self.receiver).replace('hold = "1s"', 'hold = "1h"')).start()
        self.line = self.cli(self.server)

    def begin(self, **more):
        rollout = self.server.api.register(**self.fields(self.service(), orchestrator="deployer", **more))["id"]
        self.server.wait_for(rollout, lambda r: r["step"], "to have begun")
        return rollout

    def decide(self, verb, rollout, *more):
        return self.line.run(verb, rollout, "--reason", f"because of {verb}", "--by", "anna", *more)

    def test_each_decision(self):
        rollout = self.begin()
        waiting = self.line.begin("wait", rollout)
        rows = [
            (("pause",), "paused"),
            (("resume",), "analyzing"),
            (("advance",), "analyzing"),
            (("promote", "--yes"), "promoting"),
        ]
        for (verb, *more), state in rows:
            with self.subTest(verb):
                code, out, err = self.decide(verb, rollout, *more)
                self.assertEqual(code, 0, out + err)
                self.assertIn(rollout, out)
                if verb == "pause":
                    self.assertEqual(finish(waiting)[0], 3, "it waits for a person")
                    question = self.server.api.rollout(rollout)["question"]
                    self.assertEqual(question["kind"], "person_paused")
                if verb == "advance":
                    self.server.wait_for(rollout, lambda r: r["step"]["index"] == 1, "to be in the second step")
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "promoted")
        self.assertEqual(self.line.run("wait", rollout)[0], 0)
        said = [(e["data"]["kind"], e["data"]["by"], e["data"].get("reason"))
                for e in self.server.api.events(rollout) if e["type"] == "decided" and e["data"]["by"] != "engine"]
        self.assertEqual(said, [(verb, "anna", f"because of {verb}") for verb in ("pause", "resume", "advance", "promote")])
        self.assertEqual([o.kind for o in self.receiver.effects_of(rollout) if o.kind in ("advance", "promote")],
                         ["advance", "advance", "promote"])

    def test_rollback_and_cancel(self):
        rows = [("rollback", "rolled_back", 2), ("cancel", "cancelled", 4)]
        for verb, state, code_of_wait in rows:
            with self.subTest(verb):
                rollout = self.begin()
                code, out, err = self.decide(verb, rollout, "--yes")
                self.assertEqual(code, 0, out + err)
                view = self.server.wait_for_end_of(rollout)
                self.assertEqual(view["state"], state)
                self.assertIn(f"because of {verb}", view["reason"])
                self.assertEqual(self.line.run("wait", rollout)[0], code_of_wait)
                self.assertEqual(self.server.api.explain(rollout)["decision"]["by"], "anna")
                code, out, err = self.decide("resume", rollout)
                self.assertEqual(code, 1, "it has ended")
                self.assertIn(state, err)
        self.assertEqual(self.server.api.rollout(rollout)["weight"], 5, "cancel leaves the traffic and says where")
        self.assertIn("5 %", view["reason"])

    def test_while_rolling_back_nothing_else_counts(self):
        self.receiver.by_kind["rollback"] = "accept"
        rollout = self.begin()
        self.assertEqual(self.decide("rollback", rollout, "--yes")[0], 0)
        for verb in ("resume", "pause", "advance", "promote", "cancel", "rollback"):
            with self.subTest(verb):
                more = ["--yes"] if verb in ("promote", "cancel", "rollback") else []
                code, out, err = self.decide(verb, rollout, *more)
                self.assertEqual(code, 1, out + err)
                self.assertIn("rolling back", err)
        wait_until(lambda: self.server.api.orders(rollout)[-1]["state"] == "accepted", "the rollback to be accepted")
        order = self.server.api.orders(rollout)[-1]
        self.assertEqual(order["kind"], "rollback")
        self.assertEqual(self.server.api.call("POST", f"/api/v1/deliveries/{order['id']}/ack", {"status": "done"}).status, 200)
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "rolled_back")

    def test_approvals(self):
        service = self.service()
        analysis = {"approve": "both", "steps": [{"weight": 5, "hold": "1s"}]}
        rollout = self.server.api.register(**self.fields(service, orchestrator="deployer", analysis=analysis))["id"]
        first = self.server.api.rollout(rollout)
        self.assertEqual((first["state"], first["question"]["kind"]), ("waiting", "approve_start"))
        self.assertEqual(self.receiver.attempts_of(rollout), [])
        code, out, err = self.decide("resume", rollout, "--question", first["question"]["id"])
        self.assertEqual(code, 0, out + err)
        second = self.server.wait_for_state(rollout, "paused")
        self.assertEqual(second["question"]["kind"], "approve_promote")
        code, out, err = self.decide("resume", rollout, "--question", first["question"]["id"])
        self.assertEqual(code, 1, "that question is no longer open")
        code, out, err = self.decide("resume", rollout, "--question", second["question"]["id"])
        self.assertEqual(code, 0, out + err)
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "promoted")

    def test_exit_codes_that_are_nobodys_decision(self):
        rollout = self.begin()
        rows = [
            ("usage", ["statsu", rollout], 64),
            ("no such rollout", ["status", "ro_none"], 1),
            ("nobody listens", ["status", rollout, "--server", "http://127.0.0.1:1"], 1),
            ("time is up", ["wait", rollout, "--timeout", "1s"], 124),
            ("an unknown policy", ["start", "--service", "x", "--candidate", "2", "--policy", "quik"], 1),
        ]
        for name, arguments, expected in rows:
            with self.subTest(name):
                code, out, err = self.line.run(*arguments)
                self.assertEqual(code, expected, out + err)
                self.assertTrue(err, "it says why")
        self.assertIn("quick", err, "the nearest policy is named")

        waiting = self.line.begin("wait", rollout)
        self.assertTrue(waiting.stderr.readline(), "it has begun to follow")
        waiting.send_signal(signal.SIGINT)
        code, out, err = finish(waiting)
        self.assertEqual(code, 130, out + err)
        self.assertEqual(self.server.api.rollout(rollout)["state"], "analyzing", "the rollout goes on")

    def test_reading(self):
        rollout = self.begin(labels={"tier": "web"})
        code, out, err = self.line.run("list", "--state", "active", "--label", "tier=web", "--output", "json")
        self.assertEqual((code, [item["id"] for item in json.loads(out)["items"]]), (0, [rollout]), err)
        code, out, err = self.line.run("list", "--label", "tier=db", "--output", "json")
        self.assertEqual((code, json.loads(out)["items"]), (0, []), err)
        code, out, err = self.line.run("status", rollout)
        self.assertEqual(code, 0, err)
        for part in (rollout, "analyzing", "errors", "latency", "step"):
            self.assertIn(part, out)
        self.server.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        code, out, err = self.line.run("history", rollout, "--output", "jsonl")
        self.assertEqual(code, 0, err)
        kinds = {json.loads(line)["kind"] for line in out.splitlines()}
        self.assertEqual(kinds, {"evaluation", "event"})


if __name__ == "__main__":
    unittest.main()
