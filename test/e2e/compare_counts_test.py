"""What a comparison has counted is what was served, to the event: whatever happens to pods, to scrapes and to the daemon.

A request counts once or not at all. Not at all only if nobody can know of it: served after a pod's last scrape and
before it began anew.
"""

import threading
import unittest
import urllib.error
from http.server import BaseHTTPRequestHandler

from harness import side_by_side, wait_until
from metrics_server import DIRECT, Exposition, Prometheus, QuietServer, VictoriaMetrics
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
'''
# What a scrape brings is there for every question that is evaluated so long ago, also where samples are kept for a second
# before they can be asked for: no slot sees one version's requests without the other's.
SETTLED = "2s"
STABLE = [f"stable-{number}" for number in range(10)]
CANDIDATE = ["candidate-0", "candidate-1"]
LATER = ["stable-new", "stable-young", "candidate-new"]


def version_of(pod):
    return "1.1" if pod.startswith("candidate") else "1.0"


class Pods:
    """Counters that move only when they are told to, all pods' in one moment; and what a comparison has to make of them."""

    def __init__(self, exposition, service):
        self.exposition, self.service = exposition, service
        self.counters = {}  # pod: {code: what it has counted in this life}; a code it never had is not exported
        self.hidden = {}  # pod: what it has served while its scrapes are lost
        self.flawless = set()  # pods that make no errors for now
        self.known = self.nothing()

    @staticmethod
    def nothing():
        return {version: {"events": 0, "bad": 0} for version in ("1.0", "1.1")}

    def serve(self, pod, good, bad=0):
        """Not seen before the next moment()."""
        codes = self.counters.setdefault(pod, {})
        for code, count in (("200", good), ("500", bad)):
            if count:
                codes[code] = codes.get(code, 0) + count
        served = self.hidden.get(pod) or self.known[version_of(pod)]
        served["events"] += good + bad
        served["bad"] += bad

    def restart(self, pod):
        self.counters[pod] = {}

    def lose(self, pod, good, bad):
        """Serves, and begins anew before anybody has seen it."""
        self.serve(pod, good, bad)
        self.moment()
        self.restart(pod)
        self.known[version_of(pod)]["events"] -= good + bad
        self.known[version_of(pod)]["bad"] -= bad

    def hide(self, pod):
        self.hidden[pod] = {"events": 0, "bad": 0}

    def show(self, pod):
        for what, count in self.hidden.pop(pod).items():
            self.known[version_of(pod)][what] += count

    def moment(self):
        """All that has happened can be seen."""
        self.exposition.replace("e2e_requests_total", [
            ({"version": version_of(pod), "pod": pod, "code": code}, count)
            for pod, codes in self.counters.items() if pod not in self.hidden for code, count in codes.items()], service=self.service)

    def all_serve(self, good=98, bad=2):
        for pod in self.counters:
            self.serve(pod, *((good + bad, 0) if pod in self.flawless else (good, bad)))
        self.moment()

    def known_now(self):
        return {version: dict(counts) for version, counts in self.known.items()}

    def exported(self):
        return sum(sum(codes.values()) for pod, codes in self.counters.items() if pod not in self.hidden)


class SlowPast:
    """A metrics server that answers questions about the past only when `released`, and all others at once."""

    def __init__(self, behind):
        self.asked = 0
        self.released = threading.Event()
        past = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if "/query_range" in self.path:
                    past.asked += 1
                    past.released.wait()
                try:
                    with DIRECT.open(behind.url + self.path, timeout=60) as answer:
                        self.answer(answer.status, answer.read())
                except urllib.error.HTTPError as error:
                    with error:
                        self.answer(error.code, error.read())

            def answer(self, status, body):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


class Story:
    """One metrics server, one daemon, one rollout."""

    def __init__(self, case, server):
        self.case = case
        self.exposition = case.place.add(Exposition())
        self.metrics = case.place.add(server(case.place.folder, self.exposition))
        self.past = case.place.add(SlowPast(self.metrics))
        self.service = f"shop-{server.name}"
        self.pods = Pods(self.exposition, self.service)
        self.deployer = case.deployer()
        configuration = case.configuration(self.deployer, policy=POLICY, prometheus=self.past)
        configuration = configuration.replace('timeout = "2s"', f'timeout = "60s"\ningestion_delay = "{SETTLED}"')
        self.daemon = case.daemon(configuration, server.name)

    def tell(self):
        self.stable_has_a_history()
        self.begins()
        self.daemon_is_killed_while_history_is_read()
        self.pods_come_and_begin_anew()
        self.scrapes_are_lost()
        self.one_pod_is_not_scraped()
        self.daemon_is_killed_between_slots()
        self.nothing_counts_twice()
        self.candidate_is_worse()

    # ---- What there is to see

    def comparison(self):
        report = self.daemon.api.get(f"/api/v1/rollouts/{self.rollout}/report").json
        return report["conditions"][0]["comparison"]

    @staticmethod
    def counts(comparison):
        return {version: {what: comparison[arm][what] for what in ("events", "bad")}
                for version, arm in (("1.0", "stable"), ("1.1", "candidate"))}

    def is_counted(self):
        """To the event, while all go on serving."""
        known = []

        def served_and_counted():
            self.pods.all_serve()
            known.append(self.pods.known_now())
            return self.counts(self.comparison()) in known

        wait_until(served_and_counted, lambda: f"one of {known[-20:]} to be counted: {self.counts(self.comparison())}", [self.daemon])

    def is_scraped(self):
        """All of it: what happens next to a pod loses nothing."""
        self.metrics.wait_for("sum(e2e_requests_total)", self.pods.exported())

    def have_served_much(self, *pods):
        """So that a slot sees them again before they have served half as much, when they begin anew: nobody could tell that from a
        server that is a little behind."""
        for pod in pods:
            self.pods.serve(pod, 19600, 400)
        self.pods.moment()
        self.is_scraped()

    def is_seen(self, pod, good):
        """Before it serves half as much as it had when it began anew."""
        self.metrics.wait_for(f'e2e_requests_total{{pod="{pod}",code="200"}}', good)

    def outcomes(self):
        return [(e["slot"], e["outcome"], e["cause"], e["detail"]) for e in self.daemon.api.evaluations(self.rollout)]

    def wait_for_cause(self, cause, after=""):
        wait_until(lambda: any(slot > after and seen == cause for slot, _, seen, _ in self.outcomes()),
                   lambda: f"a slot that ends as {cause}; there are {self.outcomes()}", [self.daemon])

    def latest(self):
        return max(slot for slot, *_ in self.outcomes())

    def at_rest(self):
        """The comparison when all that was served is counted, and a slot later, so that it is on disk."""
        wait_until(lambda: self.counts(self.comparison()) == self.pods.known,
                   lambda: f"{self.pods.known} to be counted: {self.counts(self.comparison())}\n{self.outcomes()}", [self.daemon])
        self.wait_for_cause("no_candidate", self.latest())
        return self.comparison()

    def notes(self):
        return [e["data"]["summary"] for e in self.daemon.api.events(self.rollout) if "compared with stable" in e["data"]["summary"]]

    # ---- What happens

    def stable_has_a_history(self):
        # A metrics server may show a series that it never had later than the others' samples, and what a version has served
        # while the other served nothing is not compared: so it has had them all, and they are gone again.
        everybody = STABLE + CANDIDATE + LATER
        self.pods.counters.update({pod: {"200": 0, "500": 0} for pod in everybody})
        self.pods.moment()
        self.metrics.wait_for("count(e2e_requests_total)", 2 * len(everybody))
        self.pods.counters = {pod: {} for pod in STABLE}
        seen = 'min(count_over_time(e2e_requests_total{pod=~"stable-[0-9]",code="500"}[1m]))'
        wait_until(lambda: self.pods.all_serve() or self.metrics.query(f"{seen} >= 5"), lambda: f"a history: {self.metrics.query(seen)}")
        self.is_scraped()
        self.pods.known = self.pods.nothing()

    def begins(self):
        self.daemon.start()
        fields = self.case.fields(self.service, policy="compared", orchestrator="deployer")
        self.rollout = self.daemon.api.register(**fields)["id"]
        # Warmed up, and nobody serves yet: all that will be served counts.
        self.wait_for_cause("no_candidate")
        self.pods.counters.update({pod: {} for pod in CANDIDATE})
        self.is_counted()

    def daemon_is_killed_while_history_is_read(self):
        before = self.at_rest()
        self.case.assertEqual((before["history_slots"], self.notes()), (0, []), "what was compared did not wait for it")
        self.case.assertGreater(self.past.asked, 0)
        self.daemon.kill9()
        self.past.released.set()
        self.daemon.start()
        after = self.comparison()
        for what in ("evidence", "promote_evidence", "slots", "candidate", "stable"):
            self.case.assertEqual(after[what], before[what], f"{what} goes on where it was")
        wait_until(lambda: self.comparison()["history_slots"] >= 3, lambda: f"its history: {self.comparison()}", [self.daemon])
        self.case.assertEqual(len(self.notes()), 1)
        self.is_counted()

    def pods_come_and_begin_anew(self):
        self.have_served_much("candidate-0", "stable-3", "stable-4")
        for pod in ("candidate-0", "stable-3", "stable-4"):
            self.pods.restart(pod)
        self.pods.counters.update({pod: {} for pod in LATER})
        self.pods.flawless = {"stable-4", "stable-young"}
        self.pods.all_serve(49, 1)
        self.is_seen("candidate-0", 49)
        self.is_counted()
        self.pods.flawless = set()  # from now on, and the first error in this life of two pods

    def scrapes_are_lost(self):
        self.have_served_much("candidate-1", "stable-5")
        with self.exposition.away():
            self.metrics.wait_for("up", 0)
            begun = self.latest()
            for pod in ("candidate-1", "stable-5"):
                self.pods.lose(pod, 29, 1)
            self.pods.all_serve()
            self.pods.all_serve(49, 1)
            self.wait_for_cause("no_stable", begun)
        self.is_seen("candidate-1", 98 + 49)
        self.is_counted()

    def one_pod_is_not_scraped(self):
        self.is_scraped()
        for pod in ("candidate-0", "stable-1"):
            self.pods.hide(pod)
        self.is_counted()
        for pod in ("candidate-0", "stable-1"):
            self.pods.show(pod)
        self.pods.moment()
        self.is_counted()

    def daemon_is_killed_between_slots(self):
        before, asked = self.comparison(), self.past.asked
        self.daemon.kill9()
        self.pods.all_serve()
        self.daemon.start()
        self.is_counted()
        self.case.assertEqual(self.comparison()["history_slots"], before["history_slots"])
        self.case.assertEqual((self.past.asked, len(self.notes())), (asked, 1), "its history is known")

    def nothing_counts_twice(self):
        self.case.assertEqual(self.counts(self.at_rest()), self.pods.known)
        view = self.daemon.api.rollout(self.rollout)
        self.case.assertEqual(view["state"], "analyzing", view["reason"])
        self.case.assertNotIn("fail", {outcome for _, outcome, _, _ in self.outcomes()})

    def candidate_is_worse(self):
        known = []

        def ended():
            for pod in self.pods.counters:
                self.pods.serve(pod, *((84, 16) if version_of(pod) == "1.1" else (98, 2)))
            self.pods.moment()
            known.append(self.pods.known_now())
            return self.daemon.api.rollout(self.rollout)["state"] == "rolled_back"

        wait_until(ended, lambda: f"the rollback: {self.comparison()}", [self.daemon])
        explained = self.daemon.api.explain(self.rollout)
        self.case.assertTrue(explained["comparison"]["rejects"])
        self.case.assertIn(self.counts(explained["comparison"]), known, "what decided is what was served until then")


class CompareCounts(RolloutCase):
    @classmethod
    def setUpClass(cls):
        pass  # each story has a metrics server of its own

    def test_each_event_counts_once(self):
        side_by_side({server.name: Story(self, server).tell for server in (Prometheus, VictoriaMetrics)})


if __name__ == "__main__":
    unittest.main()
