"""The usual stage: one Prometheus per class, and per test a daemon, a deployer, Slack and a command line."""

import json
from itertools import count

from harness import Place, PlacedTest, wait_until
from metrics_server import Exposition, Prometheus
from programs import Cli, Daemon, milliseconds
from receivers import SECRET, Deployer, Slack

INTERVAL_MS = 500
MISSED_FOR = ("downtime", "late", "overlap", "overload", "clock_jump", "store", "ended", "delay")

# Two conditions on gauges that the test sets; everything is quick, and still two passes a step.
POLICY = '''
[policy.quick]
steps = [ { weight = 5, hold = "1s" }, { weight = 25, hold = "1s" }, { weight = 100 } ]
interval = "500ms"
patience = "2s"
min_passes = 2

[[policy.quick.condition]]
name = "errors"
query = 'max(e2e_errors{service="{{service}}",version="{{candidate}}"}) > 0.05'

[[policy.quick.condition]]
name = "latency"
query = 'e2e_latency{service="{{service}}",version="{{candidate}}"} > 0.5'
'''


def until_counted(view, name, evaluations):
    """Those that this view of the rollout counts already."""
    left = sum(next(c["counts"] for c in view["conditions"] if c["name"] == name).values())
    kept = []
    for evaluation in evaluations:
        if left <= 0:
            break
        left -= evaluation.get("slots", 1)
        kept.append(evaluation)
    return kept


class RolloutCase(PlacedTest):
    metrics_server = Prometheus

    @classmethod
    def setUpClass(cls):
        cls.class_place = Place()
        cls.addClassCleanup(cls.class_place.remove)
        cls.addClassCleanup(cls.class_place.close)
        cls.exposition = cls.class_place.add(Exposition())
        cls.prometheus = cls.class_place.add(cls.metrics_server(cls.class_place.folder, cls.exposition))
        cls.numbers = count(1)

    # ---- The stage ----

    def configuration(self, deployer=None, slack=None, policy=POLICY, prometheus=None, orchestrator=""):
        text = f'[datasource.default]\nurl = "{(prometheus or self.prometheus).url}"\ntimeout = "2s"\n'
        if deployer:
            text += f'[orchestrator.deployer]\nurl = "{deployer.url}"\nsecret = "{SECRET}"\n{orchestrator}\n'
        if slack:
            text += f'[notifier.people]\ntype = "slack"\nwebhook_url = "{slack.url}"\n'
        return text + policy

    def deployer(self, **options):
        return self.place.add(Deployer(**options))

    def slack(self):
        return self.place.add(Slack())

    def daemon(self, configuration, name="daemon", **environment):
        return self.place.add(Daemon(self.place.folder / name, configuration, environment))

    def cli(self, daemon):
        return Cli(daemon.url)

    # ---- The service being released ----

    def service(self, errors=0.01, latency=0.1, candidate="1.1"):
        """The name of a service nobody else uses; its candidate's gauges are in Prometheus, None: absent."""
        name = f"shop{next(self.numbers)}"
        for gauge, value in (("e2e_errors", errors), ("e2e_latency", latency)):
            if value is not None:
                self.exposition.set(gauge, value, service=name, version=candidate)
        for gauge, value in (("e2e_errors", errors), ("e2e_latency", latency)):
            if value is not None and value == value:
                self.prometheus.wait_for(f'{gauge}{{service="{name}"}}', value)
        return name

    def fields(self, service, **more):
        return {"service": service, "stable": "1.0", "candidate": "1.1", "policy": "quick", "by": "ci", **more}

    # ---- What must hold of every rollout ----

    def assert_orders(self, daemon, deployer, rollout, expected):
        """Took effect exactly so, each once: [(kind, weight), …]; fences rise and ids are the deliveries'."""
        effects = deployer.effects_of(rollout)
        self.assertEqual([(order.kind, order.weight) for order in effects], expected)
        self.assertEqual(len({order.id for order in effects}), len(effects))
        fences = [order.fence for order in effects]
        self.assertEqual(fences, sorted(set(fences)), "fences rise")
        deliveries = {delivery["id"]: delivery for delivery in daemon.api.orders(rollout)}
        for order in effects:
            delivery = deliveries[order.id]
            self.assertEqual((delivery["kind"], delivery["weight"], delivery["fence"]),
                             (order.kind, order.weight, order.fence))
        return deliveries

    def assert_no_gaps(self, daemon, rollout, interval_ms=INTERVAL_MS):
        """Each condition's slots lie on its grid, one after the other; a missed run spans what it says."""
        for _ in range(5):  # what failed may be watched still, and recorded between two answers
            view, by_condition = daemon.api.rollout(rollout), {}
            for evaluation in daemon.api.evaluations(rollout):
                by_condition.setdefault(evaluation["condition"], []).append(evaluation)
            if daemon.api.rollout(rollout) == view:
                break
        else:  # always, where a few calls take longer than a slot: what came later is not counted in it
            by_condition = {name: until_counted(view, name, evaluations) for name, evaluations in by_condition.items()}
        self.assertTrue(by_condition, "something was evaluated")
        # Nothing is asked while it rolls back; what failed is watched again afterwards.
        ended = milliseconds(view["ended_at"]) if view["ended_at"] and view["state"] == "rolled_back" else None
        counted = {condition["name"]: condition["counts"] for condition in view["conditions"]}
        for name, evaluations in by_condition.items():
            ended_here = False
            following, counts = None, dict.fromkeys(counted[name], 0)
            for evaluation in evaluations:
                slot = milliseconds(evaluation["slot"])
                slots = evaluation.get("slots", 1)
                last = milliseconds(evaluation.get("last_slot", evaluation["slot"]))
                told = json.dumps(evaluation)
                if ended and slot > ended:
                    following, ended_here = (following if ended_here else None), True
                self.assertEqual(slot, following or slot, f"{name}: a gap before {told}")
                self.assertEqual(last - slot, (slots - 1) * interval_ms, f"{name}: {told}")
                if slots > 1:
                    self.assertEqual(evaluation["outcome"], "missed", told)
                if evaluation["outcome"] == "missed":
                    self.assertIn(evaluation["cause"], MISSED_FOR)
                following = last + interval_ms
                counts[evaluation["outcome"]] += slots
            self.assertEqual(counts, counted[name], f"{name}: every slot is counted once")
        return by_condition

    def wait_for_slack(self, slack, *parts):
        """Until one message's text contains all of these."""
        wait_until(lambda: any(all(part in text for part in parts) for text in slack.texts()),
                   lambda: f"a message with {parts} in Slack; there are {slack.texts()}")
