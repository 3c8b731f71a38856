"""What /metrics says: accepted by promtool, and a rollout's own series go when it is over."""

import subprocess
import unittest

from harness import wait_until
from rollout_case import RolloutCase


class MetricsEndpoint(RolloutCase):
    def test_well_formed_and_forgetful(self):
        deployer = self.deployer()
        server = self.daemon(self.configuration(deployer, self.slack()).replace('hold = "1s"', 'hold = "1h"')).start()
        service = self.service()
        rollout = server.api.register(**self.fields(service, orchestrator="deployer"))["id"]
        mine = {"namespace": "default", "service": service, "rollout": rollout, "condition": "errors"}
        server.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        text = server.api.get("/metrics").text
        self.assert_accepted(text)
        for name, expected in (("value", 0.01), ("threshold", 0.05), ("verdict", 1)):
            self.assertEqual(server.metric(f"rollwatch_condition_{name}", **mine), expected, text)
        self.assertEqual(server.metric("rollwatch_rollouts", state="analyzing"), 1, text)

        self.assertEqual(server.api.decide(rollout, "promote").status, 200)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        text = server.api.get("/metrics").text
        self.assert_accepted(text)
        promised = [
            "evaluations_total", "evaluation_lateness_seconds", "query_duration_seconds", "queries_total",
            "datasource_up", "decisions_total", "deliveries_total", "delivery_latency_seconds", "outbox_pending",
            "outbox_oldest_age_seconds", "http_requests_total", "config_last_reload_successful", "rollouts",
            "store_commit_seconds", "build_info"]
        for name in promised:
            self.assertIn(f"# TYPE rollwatch_{name} ", text)
        self.assertEqual(server.metric("rollwatch_decisions_total", kind="promote", by="person"), 1)
        self.assertEqual(server.metric("rollwatch_deliveries_total", target="deployer", kind="promote", result="done"), 1)
        self.assertGreaterEqual(server.metric("rollwatch_evaluations_total", datasource="default", outcome="pass"), 2)
        wait_until(lambda: rollout not in server.api.get("/metrics").text, "the rollout's series to be gone", [server])
        self.assert_accepted(server.api.get("/metrics").text)

    def assert_accepted(self, text):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, ""), text)


if __name__ == "__main__":
    unittest.main()
