"""Alerts as a condition: a rule in the real Prometheus, told by the real Alertmanager, rolls back or asks."""

import json
import unittest
from itertools import count

import small_yaml
from alertmanager import Alertmanager
from gates_test import SERVER, examples
from harness import Place, wait_until
from metrics_server import Exposition, Prometheus
from programs import Daemon, reserved_address
from rollout_case import RolloutCase

RULES = '''
groups:
- name: e2e
  interval: 1s
  rules:
  - alert: Slow
    expr: max by (service, version) (e2e_alarm) > 0.5
    labels: { severity: page }
    annotations: { summary: "p99 of {{ $labels.service }} is high" }
'''


def configuration(rollwatch):
    """That of docs/gates.md, quick and with many repeats."""
    text = next(text for text in examples("Alertmanager") if text.startswith("route:"))
    small_yaml.parse(text)
    return text.replace(SERVER, rollwatch).replace("group_wait: 0s", "group_wait: 0s\n    group_interval: 1s\n"
                                                   "    repeat_interval: 1s")


class Alerts(RolloutCase):
    @classmethod
    def setUpClass(cls):
        cls.class_place = Place()
        cls.addClassCleanup(cls.class_place.remove)
        cls.addClassCleanup(cls.class_place.close)
        cls.port, address = reserved_address()
        cls.alertmanager = cls.class_place.add(Alertmanager(cls.class_place.folder,
                                                            configuration(address)))
        cls.exposition = cls.class_place.add(Exposition())
        (cls.class_place.folder / "rules.yml").write_text(RULES)
        cls.prometheus = cls.class_place.add(Prometheus(
            cls.class_place.folder, cls.exposition,
            f"rule_files: [ '{cls.class_place.folder}/rules.yml' ]\n"
            f"alerting: {{ alertmanagers: [ {{ static_configs: [ {{ targets: ['127.0.0.1:{cls.alertmanager.port}'] }} ] }} ] }}\n"))
        cls.numbers = count(1)

    def alarm(self, service, value):
        self.exposition.set("e2e_alarm", value, service=service, version="1.1")

    def alerts_of(self, rollout):
        return next(c for c in self.server.api.rollout(rollout)["conditions"] if c["name"] == "alerts")

    def notes(self, rollout, text):
        return [e["data"]["summary"] for e in self.server.api.events(rollout)
                if e["data"].get("condition") == "alerts" and text in e["data"]["summary"]]

    def begin(self, service, on_fire):
        match = {"service": "{{service}}", "severity": "page"}
        rollout = self.server.api.register(**self.fields(service, orchestrator="deployer", analysis={
            "steps": [{"weight": 5, "hold": "1h"}], "alerts": {"match": match, "on_fire": on_fire}}))["id"]
        self.server.wait_for(rollout, lambda r: r["step"], "to have begun")
        return rollout

    def test_an_alert_rolls_back_or_asks(self):
        receiver, slack = self.deployer(), self.slack()
        receiver.by_kind["rollback"] = "accept"
        self.server = self.place.add(Daemon(self.place.folder / "daemon", self.configuration(receiver, slack),
                                            port=self.port)).start()
        back, ask, old = (self.service() for _ in range(3))
        self.alarm(old, 1)
        wait_until(lambda: old in json.dumps(self.alertmanager.alerts()), "the old alert to be with Alertmanager")
        rolls_back, asks, decides_nothing = (self.begin(back, "rollback"), self.begin(ask, "pause"),
                                             self.begin(old, "rollback"))
        wait_until(lambda: self.notes(decides_nothing, "since before this rollout began"), "the old alert to be told")

        self.alarm(back, 1)
        self.alarm(ask, 1)
        view = self.server.wait_for_state(rolls_back, "rolling_back")
        sentence = f'alert Slow{{service="{back}", severity="page", version="1.1"}} fires: p99 of {back} is high'
        self.assertEqual(view["reason"], sentence)
        self.wait_for_slack(slack, back, "alert Slow", f"p99 of {back} is high")
        order = self.server.api.orders(rolls_back)[-1]
        self.assertEqual((order["kind"], order["weight"]), ("rollback", 0))
        bundle = self.server.api.explain(rolls_back)
        self.assertEqual((bundle["condition"], bundle["decision"]["kind"]), ("alerts", "rollback"))
        alert, = bundle["alerts"]
        self.assertEqual((alert["name"], alert["summary"], alert["counts"]), ("Slow", f"p99 of {back} is high", True))
        self.assertIn('severity="page"', alert["labels"])
        self.assertIn("/graph?g0.expr=max", alert["generator_url"])

        view = self.server.wait_for_state(asks, "paused")
        self.assertEqual(view["question"]["kind"], "alert_fires")
        before = self.alertmanager.sent()[0]
        wait_until(lambda: self.alertmanager.sent()[0] > before + 5, "it to be told again and again")
        events = [e["type"] for e in self.server.api.events(asks)]
        self.assertEqual(events.count("paused"), 1, events)
        self.assertEqual(self.alerts_of(asks)["counts"]["fail"], 1)
        self.assertEqual(self.server.api.rollout(decides_nothing)["state"], "analyzing")

        for service in (back, ask, old):
            self.alarm(service, 0)
        for rollout in (rolls_back, asks, decides_nothing):
            wait_until(lambda: self.notes(rollout, "is resolved"), "the end of the alert to be recorded")
            self.assertEqual(len(self.notes(rollout, "is resolved")), 1)
        self.assertEqual(self.server.api.rollout(asks)["state"], "paused", "people answer questions")
        self.assertEqual(self.alerts_of(asks)["verdict"], "passing")
        self.assertEqual(self.server.api.rollout(rolls_back)["state"], "rolling_back", "a rollback is final")

        self.alarm(old, 1)
        self.server.wait_for_state(decides_nothing, "rolling_back")
        self.assertEqual(self.alertmanager.sent()[1], 0, "no webhook was refused")


if __name__ == "__main__":
    unittest.main()
