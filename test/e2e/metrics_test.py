"""What /metrics says: accepted by promtool, and a rollout's own series go when it is over."""

import re
import subprocess
import unittest

from harness import wait_until
from rollout_case import RolloutCase

# Every promised metric, with its labels.
PROMISED = {
    "evaluations_total": "datasource outcome", "evaluation_lateness_seconds": "",
    "evaluations_missed_total": "reason", "query_duration_seconds": "datasource", "queries_total": "datasource result",
    "datasource_up": "datasource", "decisions_total": "kind by", "deliveries_total": "target kind result",
    "delivery_latency_seconds": "", "outbox_pending": "kind", "outbox_oldest_age_seconds": "", "dead_letters": "target",
    "http_requests_total": "method route code", "config_last_reload_successful": "", "rollouts": "state",
    "rollout_info": "namespace service target rollout stable candidate policy",
    "rollout_weight": "namespace service target rollout",
    "condition_value": "namespace service rollout condition", "condition_threshold": "namespace service rollout condition",
    "condition_verdict": "namespace service rollout condition", "store_commit_seconds": "",
    "build_info": "version compiler", "labelled_decisions_total": "kind label", "http_request_duration_seconds": "route",
    "datasource_queries_in_flight": "datasource", "datasource_queries_waiting": "datasource", "config_hash": "",
    "target_last_success_timestamp_seconds": "target", "store_failures_total": "",
}


def labels_of(text, name):
    """The label names of a metric's series, the buckets' own apart."""
    rows = re.findall(rf"^rollwatch_{name}(?:_bucket|_sum|_count)?(?:{{(.*)}})? \S+$", text, re.M)
    return {frozenset(re.findall(r'(\w+)="', row)) - {"le"} for row in rows}


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
        for name, labels in PROMISED.items():
            self.assertEqual(labels_of(text, name), {frozenset(labels.split())}, name)
        for name, expected in (("value", 0.01), ("threshold", 0.05), ("verdict", 1)):
            self.assertEqual(server.metric(f"rollwatch_condition_{name}", **mine), expected, text)
        self.assertEqual(server.metric("rollwatch_rollouts", state="analyzing"), 1, text)

        self.assertEqual(server.api.decide(rollout, "promote").status, 200)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        text = server.api.get("/metrics").text
        self.assert_accepted(text)
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
