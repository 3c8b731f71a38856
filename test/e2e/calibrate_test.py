"""Stable's own pods as candidates of the past, over a history that real metrics servers hold."""

import json
import random
import subprocess
import time
import unittest
import urllib.request

from harness import SOURCE
from metrics_server import DIRECT, Prometheus, VictoriaMetrics
from openapi import Document
from rollout_case import RolloutCase

POLICY = '''
[policy.compared]
steps = [ { weight = 10, hold = "10m" }, { weight = 50, hold = "10m" }, { weight = 100 } ]
interval = "30s"

[[policy.compared.condition]]
name = "errors"
compare = "rate"
events = 'past_requests_total{service="{{service}}",version="{{version}}"}'
bad_events = 'past_requests_total{service="{{service}}",version="{{version}}",code="500"}'

[[policy.compared.condition]]
name = "up"
query = 'up < 1'
fail_if = "any"
evidence = 'up'
'''
PODS = 12
EVERY = 15  # seconds, as it was scraped
HOURS = 6
REQUESTS = 60  # of a pod from one scrape to the next
USUAL = 0.02  # of them are bad


def history(end):
    """[(labels, [(time, value), …]), …] of three services: `even`, whose pods are alike, though one of them restarts now and
    then and another gives way to a new one; `uneven`, of which one pod is worse all the time; and `nameless`, whose
    series do not say which pod they are of."""
    dice = random.Random(1)
    times = range(end - HOURS * 3600, end + 1, EVERY)
    series = []

    def pod(service, name, rate, restarts=(), lives=range(len(times))):
        counts = {"200": 0, "500": 0}
        samples = {code: [] for code in counts}
        for number, at in enumerate(times):
            if number in restarts:
                counts = dict.fromkeys(counts, 0)
            bad = sum(dice.random() < rate for _ in range(REQUESTS))
            counts["200"] += REQUESTS - bad
            counts["500"] += bad
            if number in lives:
                for code, value in counts.items():
                    samples[code].append((at, value))
        for code, values in samples.items():
            labels = {"service": service, "version": "1.0", "code": code}
            series.append((labels | {"pod": name} if name else labels, values))

    half = len(times) // 2
    for number in range(PODS - 2):
        pod("even", f"even-{number}", USUAL)
    pod("even", "even-restarts", USUAL, restarts=range(100, len(times), 130))
    pod("even", "even-old", USUAL, lives=range(half))
    pod("even", "even-new", USUAL, restarts=[half], lives=range(half, len(times)))
    for number in range(PODS):
        pod("uneven", f"uneven-{number}", 6 * USUAL if number == 5 else USUAL)
    pod("nameless", "", USUAL)
    return series


def lines(series, unit):
    """As text, with times in so many parts of a second."""
    for labels, values in series:
        inside = ",".join(f'{name}="{value}"' for name, value in labels.items())
        for at, value in values:
            yield f"past_requests_total{{{inside}}} {value} {at * unit}\n"


END = int(time.time()) // 7200 * 7200 - 60
HISTORY = history(END)


class RememberingPrometheus(Prometheus):
    def start(self):
        if not (self.folder / "data").exists():
            text = self.folder / "history.om"
            text.write_text("# TYPE past_requests counter\n" + "".join(lines(HISTORY, 1)) + "# EOF\n")
            subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(self.folder / "data")],
                           check=True, capture_output=True, timeout=300)
        return super().start()


class RememberingVictoriaMetrics(VictoriaMetrics):
    def start(self):
        if not super().start():
            return False
        body = "".join(lines(HISTORY, 1000)).encode()
        DIRECT.open(urllib.request.Request(f"{self.url}/api/v1/import/prometheus", body, method="POST"), timeout=120).read()
        DIRECT.open(f"{self.url}/internal/force_flush", timeout=60).read()
        return True


def moment(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


RANGE = {"from": moment(END - HOURS * 3600), "to": moment(END)}


class Stories:
    """Told once with each metrics server."""

    def setUp(self):
        super().setUp()
        self.server = self.daemon(self.configuration(policy=POLICY)).start()
        self.line = self.cli(self.server)

    def calibrate(self, service, *more):
        words = [word for name, at in RANGE.items() for word in (f"--{name}", at)]
        return self.line.run("calibrate", "--service", service, "--stable", "1.0", "--policy", "compared", *words, *more)

    def test_pods_that_are_alike_are_within_the_promise(self):
        code, out, err = self.calibrate("even")
        self.assertEqual(code, 0, out + err)
        self.assertRegex(out, r"^errors: 17 past rollouts of 20m between ")
        self.assertRegex(out, r"pretended rollouts of stable itself were rolled back: .* alpha promises at most 1 %")
        self.assertIn("that is within the promise", out)
        self.assertIn("up is left out: ", err)
        code, out, err = self.calibrate("even", "--output", "json")
        end = json.loads(out)["end"]
        # Twelve in each, but for the one in whose middle a pod gives way: neither of them served for half of it, or one did.
        self.assertIn(end["trials"], (17 * PODS - 1, 17 * PODS, 17 * PODS + 1))
        self.assertLessEqual(end["rolled_back"], 3)
        self.assertNotEqual(end["meaning"], "above")

    def test_a_pod_that_is_worse_is_named(self):
        code, out, err = self.calibrate("uneven")
        self.assertEqual(code, 0, out + err)
        self.assertRegex(out, r"(?m)^POD +ROLLED BACK +OF\nuneven-5 +17 +17$")
        self.assertIn("that is more than is promised", out)
        self.assertIn("most of it is the pod uneven-5", out)

    def test_each_line_is_what_the_description_says_and_comes_from_history(self):
        answer = self.server.api.call("POST", "/api/v1/calibrate", {"service": "uneven", "stable": "1.0", "policy": "compared", **RANGE})
        self.assertEqual(answer.status, 200, answer)
        document = Document(json.loads((SOURCE / "daemon" / "api" / "openapi.json").read_text())).closed()
        all_lines = [json.loads(line) for line in answer.text.splitlines()]
        for line in all_lines:
            self.assertEqual(document.problems({"$ref": "#/components/schemas/CalibrationLine"}, line, line["type"]), [])
        self.assertEqual([line["type"] for line in all_lines], ["calibration"] + 17 * ["window"] + ["end"])
        for window in all_lines[1:-1]:
            self.assertEqual((window["pods"], window["trials"]), (PODS, PODS))
            self.assertEqual([found["pod"] for found in window["rolled_back"]], ["uneven-5"])
            self.assertLess(window["rolled_back"][0]["slot"], 20)

    def test_what_cannot_be_told_is_said(self):
        code, out, err = self.calibrate("nameless")
        self.assertEqual((code, out), (1, ""))
        self.assertIn('none of its series has a label "pod" or "instance"', err)
        code, out, err = self.calibrate("nobody")
        self.assertEqual(code, 1, out + err)
        self.assertIn("stable had no series in any window", out)
        code, out, err = self.calibrate("even", "--condition", "up")
        self.assertEqual(code, 1, out + err)
        self.assertIn("/condition: \"up\" cannot be calibrated", err)

    def test_a_metrics_server_that_is_away_ends_it(self):
        lonely = self.configuration(policy=POLICY).replace(self.prometheus.url, "http://127.0.0.1:1")
        self.line = self.cli(self.daemon(lonely, name="lonely").start())
        code, out, err = self.calibrate("even")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("the calibration broke off: errors, from ", err)


class CalibratedByPrometheus(Stories, RolloutCase):
    metrics_server = RememberingPrometheus


class CalibratedByVictoriaMetrics(Stories, RolloutCase):
    metrics_server = RememberingVictoriaMetrics


if __name__ == "__main__":
    unittest.main()
