"""A candidate held against stable, on real servers: found when it is worse, promoted early when it is not, and not blamed
for what both have, nor for restarts, new pods and lost scrapes."""

import threading
import time
import unittest

from harness import wait_until
from metrics_server import Prometheus, VictoriaMetrics
from rollout_case import RolloutCase

POLICY = '''
[policy.compared]
steps = [ { weight = 10, hold = "1h" }, { weight = 100 } ]
interval = "1s"

[[policy.compared.condition]]
name = "errors"
compare = "rate"
events = 'e2e_requests_total{service="{{service}}",version="{{version}}"}'
bad_events = 'e2e_requests_total{service="{{service}}",version="{{version}}",code="500"}'
warmup = "1s"
early_promote = EARLY

[policy.latency]
steps = [ { weight = 10, hold = "1h" }, { weight = 100 } ]
interval = "1s"

[[policy.latency.condition]]
name = "latency"
compare = "histogram"
buckets = 'e2e_latency_seconds_bucket{service="{{service}}",version="{{version}}"}'
warmup = "1s"
'''
TICK = 0.25
# Of each pod in a tick, and how many of a hundred are bad.
REQUESTS, USUAL = 40, 2


class Traffic:
    """Pods that count requests; what is bad comes as evenly as it can."""

    def __init__(self, exposition, service):
        self.exposition, self.service = exposition, service
        self.pods = {}  # pod: [version, good, bad, owed]
        self.bad = {"1.0": USUAL, "1.1": USUAL}
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        for number in range(10):
            self.add("1.0", f"stable-{number}")
        self.thread.start()

    def add(self, version, pod):
        with self.lock:
            self.pods[pod] = [version, 0, 0, 0]

    def restart(self, pod):
        with self.lock:
            self.pods[pod][1:3] = [0, 0]

    def run(self):
        while not self.over.wait(TICK):
            with self.lock:
                for pod, counts in self.pods.items():
                    version = counts[0]
                    counts[3] += REQUESTS * self.bad[version] / 100
                    bad = int(counts[3])
                    counts[3] -= bad
                    counts[1] += REQUESTS - bad
                    counts[2] += bad
                    self.export(pod, version, counts[1], counts[2])

    def export(self, pod, version, good, bad):
        for code, value in (("200", good), ("500", bad)):
            self.exposition.set("e2e_requests_total", value, service=self.service, version=version, pod=pod, code=code)

    def close(self):
        self.over.set()
        self.thread.join()


class Latencies(Traffic):
    """The same requests in histograms: what is bad takes 0.7 s, all else 50 ms. The candidate's library has one boundary more."""

    BOUNDS = {"1.0": ("0.1", "0.5", "+Inf"), "1.1": ("0.1", "0.25", "0.5", "+Inf")}

    def export(self, pod, version, good, bad):
        for bound in self.BOUNDS[version]:
            self.exposition.set("e2e_latency_seconds_bucket", good + (bad if bound == "+Inf" else 0), service=self.service,
                                version=version, pod=pod, le=bound)


class Stories:
    """Told once with each metrics server."""

    def release(self, early=False, kind=Traffic, policy="compared"):
        """The daemon, the traffic, and the rollout, whose candidate has two pods."""
        service = f"shop{next(self.numbers)}"
        traffic = self.place.add(kind(self.exposition, service))
        self.prometheus.wait_for(f'count(count by (pod) ({{service="{service}",version="1.0"}}))', 10)
        deployer = self.deployer()
        daemon = self.daemon(self.configuration(deployer, policy=POLICY.replace("EARLY", str(early).lower()))).start()
        rollout = daemon.api.register(**self.fields(service, policy=policy, orchestrator="deployer"))["id"]
        daemon.wait_for(rollout, lambda r: r["step"], "to have begun its step")
        for pod in ("candidate-0", "candidate-1"):
            traffic.add("1.1", pod)
        return daemon, traffic, rollout, deployer

    def comparison(self, daemon, rollout):
        report = daemon.api.get(f"/api/v1/rollouts/{rollout}/report").json
        return report["conditions"][0]["comparison"]

    def wait_for_slots(self, daemon, rollout, slots):
        wait_until(lambda: self.comparison(daemon, rollout)["slots"] >= slots,
                   lambda: f"{slots} slots to be compared: {self.comparison(daemon, rollout)}", [daemon])

    def outcomes(self, daemon, rollout):
        return [(e["outcome"], e["cause"], e["detail"]) for e in daemon.api.evaluations(rollout)]

    def test_four_times_the_errors_are_rolled_back(self):
        daemon, traffic, rollout, deployer = self.release()
        traffic.bad["1.1"] = 4 * USUAL
        ended = daemon.wait_for_end_of(rollout)
        self.assertEqual(ended["state"], "rolled_back", self.outcomes(daemon, rollout))
        self.assertRegex(ended["reason"], r"errors worse than stable: .* bad of .*, stable .* times; evidence .* of 100")
        self.assertEqual([(order.kind, order.weight) for order in deployer.effects_of(rollout)],
                         [("advance", 10), ("rollback", 0)])
        explained = daemon.api.explain(rollout)
        comparison = explained["comparison"]
        self.assertEqual((comparison["kind"], comparison["in_promise"], comparison["rejects"]), ("rate", True, True))
        self.assertLessEqual(comparison["slots"], 15, "found in a few slots")
        self.assertGreater(comparison["ratio"]["value"], 2)
        self.assertLess(comparison["ratio"]["low"], comparison["ratio"]["value"])
        self.assertGreater(comparison["evidence"], 100)
        self.assertIn("at most 0.01", explained["promise"])
        arms = explained["evaluation"]["arms"]
        self.assertEqual([(arm["version"], arm["counts"]) for arm in arms],
                         [("candidate", "all"), ("candidate", "bad_events"), ("stable", "all"), ("stable", "bad_events")])
        for arm in arms:
            self.assertIn('"status":"success"', arm["response"])
        told = [e["data"]["summary"] for e in daemon.api.events(rollout)]
        notes = [summary for summary in told if "compared with stable" in summary]
        self.assertEqual(len(notes), 1, "what it can see is told once")
        self.assertNotIn("could not be read", notes[0])

    def test_an_equal_one_is_promoted_early(self):
        daemon, _, rollout, deployer = self.release(early=True)
        ended = daemon.wait_for_end_of(rollout)
        self.assertEqual(ended["state"], "promoted", self.outcomes(daemon, rollout))
        decided = [e for e in daemon.api.events(rollout) if e["type"] == "decided"]
        self.assertIn("promoted early", decided[-1]["data"]["summary"])
        self.assertEqual(deployer.effects_of(rollout)[-1].kind, "promote")

    def test_what_both_have_and_what_happens_to_pods_is_not_blamed_on_the_candidate(self):
        daemon, traffic, rollout, _ = self.release()
        self.wait_for_slots(daemon, rollout, 4)
        for version in traffic.bad:
            traffic.bad[version] = 30
        self.wait_for_slots(daemon, rollout, 10)
        outcomes = self.outcomes(daemon, rollout)
        self.assertTrue(any("stable too" in detail for _, _, detail in outcomes), outcomes)
        for version in traffic.bad:
            traffic.bad[version] = USUAL
        # A pod of each version begins anew, one of the candidate is new, and scrapes are lost.
        traffic.restart("candidate-0")
        traffic.restart("stable-3")
        traffic.add("1.1", "candidate-new")
        self.wait_for_slots(daemon, rollout, 14)
        with self.exposition.away():
            time.sleep(3)  # longer than a few scrapes; nothing is waited for but the loss itself
        self.wait_for_slots(daemon, rollout, 20)
        comparison = self.comparison(daemon, rollout)
        self.assertFalse(comparison["rejects"] or comparison["suspicious"], comparison)
        self.assertEqual(daemon.api.rollout(rollout)["state"], "analyzing")
        self.assertNotIn("fail", {outcome for outcome, _, _ in self.outcomes(daemon, rollout)})

    def test_slowness_of_both_is_shared_though_their_boundaries_differ(self):
        daemon, traffic, rollout, _ = self.release(kind=Latencies, policy="latency")
        self.wait_for_slots(daemon, rollout, 4)
        for version in traffic.bad:
            traffic.bad[version] = 30
        self.wait_for_slots(daemon, rollout, 10)
        outcomes = self.outcomes(daemon, rollout)
        self.assertTrue(any("requests slower than" in detail and "rose in stable too" in detail for _, _, detail in outcomes),
                        outcomes)
        self.assertNotIn("fail", {outcome for outcome, _, _ in outcomes})
        comparison = self.comparison(daemon, rollout)
        self.assertIn("boundaries that not all histograms have are left out: 0.25", comparison["assumes"])
        # And then the candidate alone.
        traffic.bad["1.0"] = USUAL
        ended = daemon.wait_for_end_of(rollout)
        self.assertEqual(ended["state"], "rolled_back", self.outcomes(daemon, rollout))
        self.assertRegex(ended["reason"], r"latency worse than stable: .* slower than 0\.[15] s of .*, stable .* times")
        score = daemon.api.explain(rollout)["comparison"]["score"]
        self.assertIn(score["boundary"], (0.1, 0.5))
        self.assertGreater(score["evidence"], 10)


class ComparedByPrometheus(Stories, RolloutCase):
    metrics_server = Prometheus


class ComparedByVictoriaMetrics(Stories, RolloutCase):
    metrics_server = VictoriaMetrics


if __name__ == "__main__":
    unittest.main()
