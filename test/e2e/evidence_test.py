"""No evidence, no promotion; and a sick metrics server pauses a release, it never rolls one back."""

import unittest

from metrics_server import Prometheus
from programs import finish
from rollout_case import RolloutCase

IGNORING = '''
[policy.ignoring]
steps = [ { weight = 5, hold = "1s" }, { weight = 100 } ]
interval = "500ms"
[[policy.ignoring.condition]]
name = "errors"
query = 'e2e_errors{service="{{service}}",version="{{candidate}}"} > 0.05'
on_no_data = "ignore"
'''


class Evidence(RolloutCase):
    def count(self, view, condition, outcome):
        return next(c["counts"][outcome] for c in view["conditions"] if c["name"] == condition)

    def test_an_outage_of_the_metrics_server_pauses_and_its_return_resumes(self):
        own = self.place.add(Prometheus(self.place.folder, self.exposition))
        deployer, slack = self.deployer(), self.slack()
        server = self.daemon(self.configuration(deployer, slack, prometheus=own).replace('hold = "1s"', 'hold = "4s"')).start()
        service = self.service()
        own.wait_for(f'e2e_latency{{service="{service}"}}', 0.1)
        rollout = server.api.register(**self.fields(service, orchestrator="deployer"))["id"]
        waiting = self.cli(server).begin("wait", rollout)
        server.wait_for(rollout, lambda r: self.count(r, "errors", "pass") > 0, "to have passed once")
        own.stop()
        paused = server.wait_for_state(rollout, "paused")
        self.assertEqual((paused["question"]["kind"], paused["question"]["lifts_itself"]), ("no_answers", True))
        self.assertEqual(paused["verdict"], "unknown")
        self.assertEqual(server.metric("rollwatch_datasource_up", datasource="default"), 0)
        server.wait_for(rollout, lambda r: self.count(r, "latency", "error") >= 10, "to go on asking")
        self.assertEqual(server.api.rollout(rollout)["state"], "paused")
        self.wait_for_slack(slack, "datasource default gives no answers", f"{service} 1.1 waits for it")
        self.assertIsNone(waiting.poll(), "nobody is asked, so `wait` goes on")

        self.assertTrue(own.start())
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        code, out, err = finish(waiting)
        self.assertEqual(code, 0, out + err)
        self.assertEqual(server.metric("rollwatch_datasource_up", datasource="default"), 1)
        self.wait_for_slack(slack, "datasource default answers again", "goes on by itself")
        resumed = [e["data"] for e in server.api.events(rollout) if e["type"] == "resumed"]
        self.assertEqual([event["by"] for event in resumed], ["engine"])
        kinds = [order.kind for order in deployer.effects_of(rollout)]
        self.assertNotIn("rollback", kinds)
        self.assertEqual([kind for kind in kinds if kind in ("advance", "promote")], ["advance", "advance", "promote"])
        for evaluations in self.assert_no_gaps(server, rollout).values():
            self.assertTrue({"pass", "error"} <= {e["outcome"] for e in evaluations})

    def test_no_data_never_promotes(self):
        deployer = self.deployer()
        server = self.daemon(self.configuration(deployer)).start()
        rows = [
            ("no series", {"errors": None}, "no_series"),
            ("not a number", {"errors": float("nan")}, "not_a_number"),
            ("a division by zero", {"errors": float("inf")}, "infinite"),
        ]
        started = {}
        for name, values, cause in rows:
            service = self.service(**{**values, "errors": None})
            if values["errors"] is not None:
                self.exposition.set("e2e_errors", values["errors"], service=service, version="1.1")
                self.place_nothing_until_scraped(service)
            started[name] = (server.api.register(**self.fields(service, orchestrator="deployer"))["id"], cause)
        for name, (rollout, cause) in started.items():
            with self.subTest(name):
                paused = server.wait_for_state(rollout, "paused")
                self.assertEqual(paused["question"]["kind"], "no_answers")
                after = self.count(paused, "errors", "no_data")
                view = server.wait_for(rollout, lambda r: self.count(r, "errors", "no_data") >= after + 6, "to go on asking")
                self.assertEqual(view["state"], "paused")
                self.assertEqual(view["step"]["index"], 0)
                verdict = server.api.get(f"/api/v1/rollouts/{rollout}/verdict").json
                self.assertEqual((verdict["pass"], verdict["fail"], verdict["final"]), (False, False, False))
                causes = {e["cause"] for e in server.api.evaluations(rollout) if e["condition"] == "errors"}
                self.assertEqual(causes, {cause})
                self.assertEqual([o.kind for o in deployer.effects_of(rollout)], ["advance", "pause"])

    def place_nothing_until_scraped(self, service):
        # NaN and infinity compare to themselves or not: that there is a sample is what counts.
        self.prometheus.wait_for(f'count(e2e_errors{{service="{service}"}})', 1)

    def test_ignored_no_data_never_promotes_by_itself(self):
        deployer = self.deployer()
        server = self.daemon(self.configuration(deployer, policy=IGNORING)).start()
        service = self.service(errors=None)
        rollout = server.api.register(**self.fields(service, orchestrator="deployer", policy="ignoring"))["id"]
        view = server.wait_for(rollout, lambda r: self.count(r, "errors", "no_data") >= 8, "to have asked for long")
        self.assertEqual((view["state"], view["step"]["index"]), ("analyzing", 0))
        self.assertEqual([(o.kind, o.weight) for o in deployer.effects_of(rollout)], [("advance", 5)])
        # The first real answers send it on.
        self.exposition.set("e2e_errors", 0.0, service=service, version="1.1")
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")


if __name__ == "__main__":
    unittest.main()
