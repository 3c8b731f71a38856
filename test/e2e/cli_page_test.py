"""docs/cli.md: each command that stands there is run, in the order of the page."""

import os
import re
import signal
import subprocess
import unittest

from harness import SOURCE, built, wait_until
from receivers import SECRET
from rollout_case import RolloutCase

# As the page's reader has it: the names in the examples, and conditions that need no traffic.
CONFIGURATION = '''
[notifier.releases]
type = "webhook"
url = "{hook}"
secret = "{secret}"

[defaults]
interval = "500ms"
min_passes = 2

[policy.http]
steps = [ {{ weight = 5, hold = "1h" }}, {{ weight = 25, hold = "1h" }} ]
[[policy.http.condition]]
name = "error-rate"
query = "vector(0.01) > 0.05"

[policy.slo]
steps = [ {{ weight = 5, hold = "1h" }} ]
interval = "5m"
[[policy.slo.condition]]
name = "errors"
compare = "rate"
events = 'requests_total{{version="{{{{version}}}}"}}'
bad_events = 'errors_total{{version="{{{{version}}}}"}}'

[policy.demo]
steps = [ {{ weight = 5, hold = "1s" }}, {{ weight = 25, hold = "1s" }} ]
[[policy.demo.condition]]
name = "latency-p99"
query = "vector(0.01) > 0.25"
'''

HELD = "ro_01m7vvmqzwpzvbt9yezb8wr2rr"  # as the page has it: watched, and under way
FAILED = "ro_01m7vvm041kxh0jr0efph8e51d"  # rolled back by the engine

# How each begins, and with what it ends; "follows" is one that does not end by itself.
EXAMPLES = [
    ("source <(rollwatch completion bash)", 0),
    ("rollwatch context add prod", 0),
    ("rollwatch context use prod", 0),
    ("rollwatch context list", 0),
    ("rollwatch start --service shop", 0),
    ('rollwatch wait "$id"', 0),
    (f"rollwatch status {HELD}", 0),
    ("rollwatch list --state active", 0),
    (f"rollwatch explain {FAILED}", 0),
    (f"rollwatch logs {HELD}", 0),
    ("rollwatch logs --type", "follows"),
    (f"rollwatch rollback {HELD}", 0),
    (f"rollwatch label {FAILED} wrong", 0),
    ("rollwatch freeze payments/checkout --reason", 0),
    ("rollwatch freeze payments/checkout --lift", 0),
    ("rollwatch check --service checkout --stable", 0),
    ("rollwatch check --service checkout --candidate", 0),
    ("rollwatch calibrate", 1),  # there is no past here
    ("rollwatch deliveries list", 0),
    ("rollwatch deliveries redeliver", 0),
    ("rollwatch export", 0),
    ("rollwatch token new", 0),
]


def commands(page):
    """Every command of the page: whole `sh` blocks line by line, and what stands behind a `$` elsewhere."""
    found = []
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", page, re.M | re.S):
        block = block.replace("\\\n", "")
        lines = block.splitlines()
        if language != "sh":
            lines = [line[2:] for line in lines if line.startswith("$ ")]
        found += [re.sub(r"\s+#.*$", "", line) for line in lines]
    return found


class ThePage(RolloutCase):
    def setUp(self):
        self.receiver = self.deployer()
        self.server = self.daemon(self.configuration(self.receiver, policy=CONFIGURATION.format(
            hook="http://127.0.0.1:1/hook", secret=SECRET))).start()
        self.names = {}
        programs = self.place.folder / "bin"
        programs.mkdir()
        (programs / "rollwatch").symlink_to(built("ROLLWATCH_TEST_CLI", "rollwatch"))
        self.notified = self.place.folder / "notified"
        (programs / "notify-me").write_text(f'#!/bin/sh\necho "$1" >>{self.notified}\n')
        (programs / "notify-me").chmod(0o755)
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "ROLLWATCH_SERVER": self.server.url,
                            "HOME": str(self.place.folder), "XDG_CONFIG_HOME": "", "USER": "anna", "CI_PIPELINE_ID": "812"}

    def register(self, ends=None, **more):
        fields = {"service": "checkout", "candidate": "1.24", "stable": "1.23", "policy": "http", "orchestrator": "deployer",
                  **more}
        rollout = self.server.api.register(**fields)["id"]
        self.server.wait_for(rollout, lambda r: r["step"], "to have begun")
        if ends:
            self.server.wait_for_state(rollout, ends)
        return rollout

    def run_one(self, command):
        for name, real in self.names.items():
            command = command.replace(name, real)
        done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], cwd=self.place.folder, env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def follow_until_told(self, command):
        with open(self.place.folder / "follow.log", "w") as log:
            running = subprocess.Popen(["bash", "-c", command], cwd=self.place.folder, env=self.environment,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_until(lambda: self.server.metric("rollwatch_event_stream_clients") == 1, "it to follow", [self.server])
            self.server.api.decide(self.register(service="other"), "pause")
            wait_until(lambda: self.notified.exists() and '"type":"paused"' in self.notified.read_text(), "it to be told")
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()

    def test_every_example(self):
        found = commands((SOURCE / "docs" / "cli.md").read_text())
        self.assertEqual(len(found), len(EXAMPLES), found)
        self.names[HELD] = self.register(namespace="payments", target="eu-1")
        bad = {"condition": [{"name": "error-rate", "query": "vector(1) > 0.05"}]}
        self.names[FAILED] = self.register("rolled_back", service="shop", candidate="1.2", analysis=bad)
        self.receiver.by_kind["rollback"] = "refuse"
        self.environment["id"] = self.register("promoted", service="third", policy="demo")
        refused = self.register(service="fourth")
        self.assertEqual(self.server.api.decide(refused, "rollback").status, 200)
        self.server.wait_for_state(refused, "rollback_failed")
        self.receiver.by_kind.clear()
        self.environment["delivery"] = self.server.api.orders(refused)[-1]["id"]
        said = {}
        for command, (begin, end) in zip(found, EXAMPLES):
            with self.subTest(command):
                self.assertTrue(command.startswith(begin), f"the page has '{command}' where '{begin}' is expected")
                if end == "follows":
                    self.follow_until_told(command)
                    continue
                code, said[begin], err = self.run_one(command)
                self.assertEqual(code, end, said[begin] + err)
        self.assertIn("error-rate 1 > 0.05", said[f"rollwatch explain {FAILED}"])
        self.assertIn("promoted: shop 1.0 → 1.1", said["rollwatch start --service shop"])
        self.assertIn("registered: ", said[f"rollwatch logs {HELD}"])
        self.assertIn("is labelled wrong by anna@", said[f"rollwatch label {FAILED} wrong"])
        self.assertIn("frozen", said["rollwatch freeze payments/checkout --reason"])
        self.assertIn("https://rw-1.example.net:9797", said["rollwatch context list"])
        self.assertRegex(said["rollwatch token new"], r"^rwt_[\w-]{43}\n\n\[\[server\.token\]\]\n")
        self.assertTrue((self.place.folder / "history.jsonl").read_text().endswith("}\n"))
        self.assertIn("<testsuites", (self.place.folder / "rollwatch.xml").read_text())
        self.assertEqual(self.run_one("rollwatch version --context prod")[0], 0, "the file that was made can be read")
        self.assertIn('[context."prod"]', (self.place.folder / ".config/rollwatch/config.toml").read_text())


if __name__ == "__main__":
    unittest.main()
