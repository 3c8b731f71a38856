"""What the tests of the page stand on: the stage of the end-to-end tests, and a browser that looks at it.

A test is a pair: NAME_test.py brings the real daemon into the state that is to be shown, NAME.mjs is what a person does
and sees in a browser (browser.mjs). The browser's side may ask for what happens outside the browser:

    self.play("wrong.mjs", {"url": daemon.url}, restart=lambda: daemon.restart())        // ask("restart")

Packages come from test/judges (playwright-core, axe-core), the browser is Debian's chromium.
"""

import json
import os
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "judges")]

from harness import Place, wait_until  # noqa: E402
from judging import INSTALLED, node  # noqa: E402
from metrics_server import Prometheus  # noqa: E402
from receivers import SECRET  # noqa: E402
from rollout_case import RolloutCase  # noqa: E402
from traffic import Traffic  # noqa: E402

POLICY = (HERE / "policy.toml").read_text()


class Play:
    """A story in the browser, in a process of its own: what it asks for comes and is answered line by line."""

    def __init__(self, folder, story, given, doings):
        self.story = story
        self.doings = doings
        self.log_file = folder / f"{story}.log"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [node(), str(HERE / story), json.dumps(given)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                text=True, env={**os.environ, "ROLLWATCH_TEST_JUDGES": str(INSTALLED), "TZ": "Europe/Berlin"})

    def run(self):
        """What it says at its end; AssertionError with its words if it did not end well."""
        result = None
        for line in self.process.stdout:
            message = json.loads(line)
            if "result" in message:
                result = message["result"]
                continue
            try:
                answer = {"answer": self.doings[message["ask"]](**message["with"])}
            except Exception as error:  # told to the story, which fails where it asked
                answer = {"error": f"{type(error).__name__}: {error}"}
            self.process.stdin.write(json.dumps(answer) + "\n")
            self.process.stdin.flush()
        if self.process.wait() != 0:
            raise AssertionError(f"{self.story} ended with {self.process.returncode}:\n{self.log_file.read_text()}")
        return result

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()  # and with it its browser
            self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class PageCase(RolloutCase):
    @classmethod
    def setUpClass(cls):
        cls.class_place = Place()
        cls.addClassCleanup(cls.class_place.remove)
        cls.addClassCleanup(cls.class_place.close)
        cls.traffic = cls.exposition = cls.class_place.add(Traffic())
        cls.prometheus = cls.class_place.add(Prometheus(cls.class_place.folder, cls.traffic))
        cls.numbers = count(1)

    def play(self, story, given, **doings):
        return self.place.add(Play(self.place.folder, story, given, doings)).run()

    # ---- The services and their releases ----

    def release(self, daemon, service, stable, candidate, good=True, **more):
        """Registers it, with traffic that Prometheus has seen; its id."""
        self.traffic.serve(service, stable)
        self.traffic.serve(service, candidate, **({} if good else {"errors": 0.18, "slow": 0.004}))
        self.wait_for_traffic(service, candidate)
        fields = {"service": service, "stable": stable, "candidate": candidate, "policy": "http", "orchestrator": "deployer",
                  "by": "ci@pipeline/812", **more}
        return daemon.api.register(**fields)["id"]

    def wait_for_traffic(self, service, candidate):
        query = f'rate(http_requests_total{{app="{service}",version="{candidate}",code="200"}}[4s])'
        wait_until(lambda: self.prometheus.query(query), f"traffic of {service} {candidate}")


__all__ = ["HERE", "POLICY", "SECRET", "PageCase", "threading", "wait_until"]
