"""A good version is promoted, a bad one rolled back and explained; the command line and Slack say so."""

import hashlib
import html
import json
import re
import subprocess
import unittest
import urllib.parse
import urllib.request

from programs import finish
from rollout_case import RolloutCase

STEPS = [("advance", 5), ("advance", 25), ("promote", 100)]


class Release(RolloutCase):
    def setUp(self):
        self.receiver = self.deployer()
        self.people = self.slack()
        self.server = self.daemon(self.configuration(self.receiver, self.people)).start()
        self.api = self.server.api

    def start(self, service, *more):
        """`rollwatch start --wait` in the background."""
        return self.cli(self.server).begin("start", "--service", service, "--stable", "1.0", "--candidate", "1.1",
                                           "--policy", "quick", "--orchestrator", "deployer", "--wait", *more)

    def started(self, err):
        """The id that `start --wait` told."""
        return re.search(r"registered (ro_\w+):", err).group(1)

    def test_promoted(self):
        service = self.service()
        code, out, err = finish(self.start(service, "--labels", "tier=web", "--links", "change=https://example.net/1"))
        self.assertEqual(code, 0, out + err)
        rollout = self.started(err)
        self.assertIn("promoted", out)
        self.assertIn("step 2 of 2", err, "progress in plain lines")
        self.assertNotIn("\x1b", out + err, "nothing is drawn in a pipe")

        deliveries = self.assert_orders(self.server, self.receiver, rollout, STEPS)
        self.assertEqual({delivery["state"] for delivery in deliveries.values()}, {"done"})
        self.assertEqual([len(delivery["attempts"]) for delivery in deliveries.values()], [1, 1, 1])
        body = self.receiver.bodies[self.receiver.effects_of(rollout)[0].id]
        self.assertEqual(body["type"], "rollout.advance")
        self.assertEqual(body["data"]["order"]["attempt"], 1)
        told = body["data"]["rollout"]
        self.assertEqual([told[key] for key in ("service", "stable", "candidate", "state", "step", "labels")],
                         [service, "1.0", "1.1", "analyzing", 0, {"tier": "web"}])

        view = self.api.rollout(rollout)
        self.assertEqual((view["state"], view["verdict"], view["weight"]), ("promoted", "passed", 100))
        self.assertIsNotNone(view["ended_at"])
        self.assertEqual(view["fence"], self.receiver.effects_of(rollout)[-1].fence)
        verdict = self.api.get(f"/api/v1/rollouts/{rollout}/verdict?wait=60s").json
        self.assertEqual((verdict["final"], verdict["pass"], verdict["fail"], verdict["status"], verdict["percent"]),
                         (True, True, False, "SUCCEEDED", 100))
        for name, evaluations in self.assert_no_gaps(self.server, rollout).items():
            for step in (0, 1):
                passes = [e for e in evaluations if e["step"] == step and e["outcome"] == "pass"]
                self.assertGreaterEqual(len(passes), 2, f"{name} in step {step}: min_passes")

        events = self.api.events(rollout)
        types = [event["type"] for event in events]
        self.assertEqual([t for t in types if t in ("registered", "started", "step_began", "decided", "promoted")],
                         ["registered", "started", "decided", "step_began", "decided", "step_began", "decided", "promoted"])
        numbers = [event["seq"] for event in events]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.wait_for_slack(self.people, service, "1.1", "started")
        self.wait_for_slack(self.people, service, "1.1", "promoted")

    def test_rolled_back_and_explained(self):
        service = self.service(errors=0.2)
        code, out, err = finish(self.start(service))
        self.assertEqual(code, 2, out + err)
        self.assertIn("errors 0.2 > 0.05, 3 of the last 3", out + err)
        rollout = self.started(err)

        deliveries = self.assert_orders(self.server, self.receiver, rollout, [("advance", 5), ("rollback", 0)])
        reason = self.receiver.bodies[self.receiver.effects_of(rollout)[1].id]["data"]["reason"]
        self.assertEqual((reason["condition"], reason["value"], reason["rule"], reason["by"]),
                         ("errors", 0.2, "> 0.05", "engine"))
        self.assertIn("0.2 > 0.05", reason["summary"])
        verdict = self.api.get(f"/api/v1/rollouts/{rollout}/verdict").json
        self.assertEqual((verdict["state"], verdict["pass"], verdict["fail"], verdict["status"]),
                         ("rolled_back", False, True, "TERMINAL"))
        self.assert_no_gaps(self.server, rollout)

        bundle = self.api.explain(rollout)
        self.assertEqual((bundle["decision"]["kind"], bundle["decision"]["by"]), ("rollback", "engine"))
        self.assertEqual(bundle["condition"], "errors")
        evaluation = bundle["evaluation"]
        self.assertEqual(evaluation["query"], f'max(e2e_errors{{service="{service}",version="1.1"}})')
        self.assertEqual((evaluation["value"], evaluation["rule"], evaluation["datasource"]), (0.2, "> 0.05", "default"))
        self.assertIn("0.2 > 0.05 is true", evaluation["arithmetic"])
        self.assertIn("3 failing of the last 3", evaluation["arithmetic"])
        raw = json.loads(evaluation["response"])
        self.assertEqual(raw["data"]["result"][0]["value"][1], "0.2")
        self.assertEqual(hashlib.sha256(evaluation["response"].encode()).hexdigest(), evaluation["response_sha256"])
        self.assertEqual([slot["outcome"] for slot in bundle["window"]], ["fail"] * 3)
        self.assertEqual([slot["value"] for slot in bundle["window"]], [0.2] * 3)
        self.assertEqual([(s["name"], s["value"]) for s in bundle["siblings"]], [("latency", 0.1)])
        rollback = [delivery for delivery in deliveries.values() if delivery["kind"] == "rollback"]
        self.assertIn(rollback[0]["id"], [delivery["id"] for delivery in bundle["deliveries"]])

        # The curl line is what it says: a shell that runs it gets the same value for the same time.
        again = subprocess.run(["sh", "-c", evaluation["curl"]], capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(json.loads(again.stdout)["data"]["result"], raw["data"]["result"])

        # And the graph opens, with the query and the moment in it.
        graph = urllib.parse.urlparse(evaluation["graph_url"])
        shown = urllib.parse.parse_qs(graph.query)
        self.assertEqual(shown["g0.expr"], [evaluation["query"]])
        with urllib.request.urlopen(evaluation["graph_url"], timeout=60) as page:
            self.assertEqual((page.status, page.headers.get_content_type()), (200, "text/html"))

        # The first decision is still explained, and the command line tells the same.
        first = next(event for event in self.api.events(rollout) if event["type"] == "decided")["data"]["decision"]
        self.assertEqual(self.api.explain(rollout, first)["decision"]["kind"], "advance")
        code, out, _ = self.cli(self.server).run("explain", rollout, "--output", "json")
        self.assertEqual((code, json.loads(out)), (0, bundle))
        code, out, _ = self.cli(self.server).run("explain", rollout)
        self.assertEqual(code, 0)
        for part in ("rollback by engine", evaluation["query"], "0.2 > 0.05 is true", "curl -sG", "latency"):
            self.assertIn(part, out)

        self.wait_for_slack(self.people, service, "rolling back", "0.2 > 0.05")
        self.wait_for_slack(self.people, service, "rolled back")
        message = next(m for m in self.people.messages if "rolling back" in m["text"] and service in m["text"])
        self.assertIn("0.2 (> 0.05)", html.unescape(json.dumps(message)), "value and limit")

    def test_waits_for_a_person(self):
        self.server.configure(self.configuration(self.receiver, self.people) + "on_fail = 'pause'\n")
        self.server.reload()
        service = self.service(latency=0.9)
        code, out, err = finish(self.start(service))
        self.assertEqual(code, 3, out + err)
        self.assertIn("rollwatch resume", err, "what a person can do")
        rollout = self.started(err)
        view = self.api.rollout(rollout)
        self.assertEqual((view["state"], view["question"]["kind"]), ("paused", "condition_failed"))
        self.wait_for_slack(self.people, service, "paused", "0.9 > 0.5")
        code, out, err = self.cli(self.server).run("rollback", rollout, "--yes", "--reason", "too slow")
        self.assertEqual(code, 0, out + err)
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "rolled_back")

    def test_without_an_orchestrator_it_is_asked_not_told(self):
        service = self.service()
        rollout = self.api.register(**self.fields(service))["id"]
        for weight in (5, 25):
            answer = self.api.call("POST", f"/api/v1/rollouts/{rollout}/progress", {"weight": weight})
            self.assertEqual(answer.status, 200, answer)
            self.server.wait_for(rollout, lambda r: r["step"]["weight"] == weight and r["verdict"] in ("passing", "passed"),
                                 f"to pass at {weight} %")
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "promoted")
        self.assertEqual(self.receiver.effects, [])


if __name__ == "__main__":
    unittest.main()
