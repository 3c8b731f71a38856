"""A candidate held against stable, on real servers: found when it is worse, promoted early when it is not, and not blamed
for what both have. That each event counts once: compare_counts_test.py."""

import threading
import unittest

from harness import side_by_side, wait_until
from metrics_server import Prometheus, VictoriaMetrics
from rollout_case import RolloutCase

POLICY = '''
[policy.errors]
steps = [ { weight = 10, hold = "1h" }, { weight = 100 } ]
interval = "1s"

[[policy.errors.condition]]
name = "errors"
compare = "rate"
events = 'e2e_requests_total{service="{{service}}",version="{{version}}"}'
bad_events = 'e2e_requests_total{service="{{service}}",version="{{version}}",code="500"}'
warmup = "1s"

[policy.mixed]
steps = [ { weight = 10, hold = "5s" }, { weight = 100 } ]
interval = "1s"
patience = "4s"

[[policy.mixed.condition]]
name = "errors"
compare = "rate"
events = 'sum by (pod) (e2e_requests_total{service="{{service}}",version="{{version}}"})'
bad_events = 'sum by (instance) (e2e_requests_total{service="{{service}}",version="{{version}}",code="500"})'
warmup = "1s"

[policy.latency]
steps = [ { weight = 10, hold = "1h" }, { weight = 100 } ]
interval = "1s"

[[policy.latency.condition]]
name = "latency"
compare = "histogram"
buckets = 'e2e_request_seconds_bucket{service="{{service}}",version="{{version}}"}'
warmup = "1s"
'''
TICK = 0.25
# Of each pod in a tick, and what is usual: the share that is bad, and that takes up to so many seconds.
REQUESTS = 40
USUAL = 0.02
QUICK = {"0.05": 0.5, "0.1": 0.3, "0.25": 0.15, "0.5": 0.05, "1": 0, "+Inf": 0}
# The library of the candidate's build has one boundary more.
ONLY_CANDIDATES = {"1.0": {}, "1.1": {"0.75": 0}}
SLOW = {"0.05": 0.1, "0.1": 0.2, "0.25": 0.3, "0.5": 0.2, "1": 0.15, "+Inf": 0.05}


class Traffic:
    """Pods that count requests; what is bad or slow comes as evenly as it can."""

    def __init__(self, exposition, service):
        self.exposition, self.service = exposition, service
        self.pods = {}  # pod: (version, {code: requests}, {le: requests that took about as long})
        self.bad = {"1.0": USUAL, "1.1": USUAL}
        self.takes = {"1.0": QUICK, "1.1": QUICK}
        self.lock = threading.Lock()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        for number in range(10):
            self.add("1.0", f"stable-{number}")
        self.thread.start()

    def add(self, version, pod):
        with self.lock:
            self.pods[pod] = (version, dict.fromkeys(("200", "500"), 0.0), dict.fromkeys(QUICK, 0.0))

    def run(self):
        while not self.over.wait(TICK):
            with self.lock:
                for version, codes, seconds in self.pods.values():
                    codes["500"] += REQUESTS * self.bad[version]
                    codes["200"] += REQUESTS * (1 - self.bad[version])
                    for bound, share in self.takes[version].items():
                        seconds[bound] += REQUESTS * share
                self.show()

    def show(self):
        requests, buckets = [], []
        for pod, (version, codes, seconds) in self.pods.items():
            own = {"version": version, "pod": pod}
            requests += [({**own, "code": code}, int(count)) for code, count in codes.items()]
            below = 0.0
            for bound, count in sorted({**seconds, **ONLY_CANDIDATES[version]}.items(), key=lambda bucket: float(bucket[0])):
                below += count
                buckets.append(({**own, "le": bound}, int(below + 1e-6)))
        self.exposition.replace("e2e_requests_total", requests, service=self.service)
        self.exposition.replace("e2e_request_seconds_bucket", buckets, service=self.service)

    def close(self):
        self.over.set()
        self.thread.join()


class Stories:
    """Told side by side, once with each metrics server."""

    def test_stories(self):
        self.deploys = self.deployer()
        self.server = self.daemon(self.configuration(self.deploys, policy=POLICY)).start()
        stories = [self.four_times_the_errors_are_rolled_back, self.slow_answers_are_rolled_back, self.an_equal_one_is_promoted_early,
                   self.bad_events_by_another_label_are_no_evidence_that_there_are_none,
                   self.errors_of_both_are_not_blamed_on_the_candidate, self.slow_answers_of_both_are_not_blamed_on_the_candidate]
        side_by_side({story.__name__: story for story in stories})

    def release(self, policy, **more):
        """The traffic and the rollout, whose candidate has two pods."""
        service = f"shop{next(self.numbers)}"
        traffic = self.place.add(Traffic(self.exposition, service))
        self.prometheus.wait_for(f'count(e2e_requests_total{{service="{service}",code="200"}})', 10)
        rollout = self.server.api.register(**self.fields(service, policy=policy, orchestrator="deployer", **more))["id"]
        self.server.wait_for(rollout, lambda r: r["step"], "to have begun its step")
        for pod in ("candidate-0", "candidate-1"):
            traffic.add("1.1", pod)
        return traffic, rollout

    def comparison(self, rollout):
        return self.server.api.get(f"/api/v1/rollouts/{rollout}/report").json["conditions"][0]["comparison"]

    def wait_for_slots(self, rollout, slots):
        wait_until(lambda: self.comparison(rollout)["slots"] >= slots,
                   lambda: f"{slots} slots to be compared: {self.comparison(rollout)}", [self.server])

    def outcomes(self, rollout):
        return [(e["outcome"], e["cause"], e["detail"]) for e in self.server.api.evaluations(rollout)]

    def explained_rollback(self, rollout, reason):
        """Of the comparison alone, in a few slots."""
        ended = self.server.wait_for_end_of(rollout)
        self.assertEqual(ended["state"], "rolled_back", self.outcomes(rollout))
        self.assertRegex(ended["reason"], reason)
        self.assertEqual([(order.kind, order.weight) for order in self.deploys.effects_of(rollout)],
                         [("advance", 10), ("rollback", 0)])
        explained = self.server.api.explain(rollout)
        comparison = explained["comparison"]
        self.assertEqual((comparison["in_promise"], comparison["rejects"]), (True, True))
        self.assertLessEqual(comparison["slots"], 15, "found in a few slots")
        self.assertGreater(comparison["evidence"], 100)
        self.assertIn("at most 0.01", explained["promise"])
        return explained

    def four_times_the_errors_are_rolled_back(self):
        traffic, rollout = self.release("errors")
        traffic.bad["1.1"] = 4 * USUAL
        explained = self.explained_rollback(rollout, r"errors worse than stable: .* bad of .*, stable .* times; evidence .* of 100")
        comparison = explained["comparison"]
        self.assertEqual(comparison["kind"], "rate")
        self.assertGreater(comparison["ratio"]["value"], 2)
        self.assertLess(comparison["ratio"]["low"], comparison["ratio"]["value"])
        arms = explained["evaluation"]["arms"]
        self.assertEqual([(arm["version"], arm["counts"]) for arm in arms],
                         [("candidate", "all"), ("candidate", "bad_events"), ("stable", "all"), ("stable", "bad_events")])
        for arm in arms:
            self.assertIn('"status":"success"', arm["response"])
        told = [e["data"]["summary"] for e in self.server.api.events(rollout)]
        notes = [summary for summary in told if "compared with stable" in summary]
        self.assertEqual(len(notes), 1, "what it can see is told once")
        self.assertNotIn("could not be read", notes[0])

    def slow_answers_are_rolled_back(self):
        traffic, rollout = self.release("latency")
        traffic.takes["1.1"] = SLOW
        explained = self.explained_rollback(rollout, r"latency worse than stable: .* slower than .* of .*, stable .*; evidence .* of 100")
        comparison = explained["comparison"]
        self.assertEqual(comparison["kind"], "histogram")
        self.assertIn(comparison["score"]["boundary"], [float(bound) for bound in QUICK if bound != "+Inf"])
        self.assertGreater(comparison["score"]["evidence"], 10)

    def an_equal_one_is_promoted_early(self):
        _, rollout = self.release("errors", analysis={"condition": [{"name": "errors", "early_promote": True}]})
        ended = self.server.wait_for_end_of(rollout)
        self.assertEqual(ended["state"], "promoted", self.outcomes(rollout))
        decided = [e for e in self.server.api.events(rollout) if e["type"] == "decided"]
        self.assertIn("promoted early", decided[-1]["data"]["summary"])
        self.assertEqual(self.deploys.effects_of(rollout)[-1].kind, "promote")

    def bad_events_by_another_label_are_no_evidence_that_there_are_none(self):
        """Half of what the candidate answers is bad, and none of it was counted: it was promoted."""
        traffic, rollout = self.release("mixed")
        traffic.bad["1.1"] = 0.5
        paused = self.server.wait_for(rollout, lambda r: r["state"] in ("paused", "promoted"), "to be asked about")
        self.assertEqual(paused["state"], "paused", self.outcomes(rollout))
        self.assertRegex(paused["reason"], "bad_events counts .* of which events has no series; both must tell the same processes")
        self.assertNotIn("pass", {outcome for outcome, _, _ in self.outcomes(rollout)})

    def assert_not_blamed(self, rollout):
        comparison = self.comparison(rollout)
        self.assertFalse(comparison["rejects"] or comparison["suspicious"], comparison)
        self.assertEqual(self.server.api.rollout(rollout)["state"], "analyzing")
        self.assertNotIn("fail", {outcome for outcome, _, _ in self.outcomes(rollout)})
        return comparison

    def errors_of_both_are_not_blamed_on_the_candidate(self):
        traffic, rollout = self.release("errors")
        self.wait_for_slots(rollout, 4)
        with traffic.lock:
            traffic.bad.update({"1.0": 0.3, "1.1": 0.3})
        self.wait_for_slots(rollout, 10)
        outcomes = self.outcomes(rollout)
        self.assertTrue(any("stable too" in detail for _, _, detail in outcomes), outcomes)
        self.assert_not_blamed(rollout)

    def slow_answers_of_both_are_not_blamed_on_the_candidate(self):
        """As slow as what is rolled back where the candidate alone is."""
        traffic, rollout = self.release("latency")
        self.wait_for_slots(rollout, 4)
        with traffic.lock:
            traffic.takes.update({"1.0": SLOW, "1.1": SLOW})
        self.wait_for_slots(rollout, 14)
        before = self.assert_not_blamed(rollout)
        outcomes = self.outcomes(rollout)
        self.assertTrue(any("requests slower than" in detail and "rose in stable too" in detail for _, _, detail in outcomes), outcomes)
        self.assertIn("boundaries that not all histograms have are left out: 0.75", before["assumes"])
        # And back again, both in the same moment.
        with traffic.lock:
            traffic.takes.update({"1.0": QUICK, "1.1": QUICK})
        self.wait_for_slots(rollout, before["slots"] + 5)
        self.assert_not_blamed(rollout)


class ComparedByPrometheus(Stories, RolloutCase):
    metrics_server = Prometheus


class ComparedByVictoriaMetrics(Stories, RolloutCase):
    metrics_server = VictoriaMetrics


if __name__ == "__main__":
    unittest.main()
