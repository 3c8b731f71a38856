"""What the log says: a decision with what it is found by, the level that a signal changes, the journal's priorities."""

import json
import os
import signal
import subprocess
import unittest

from harness import built, wait_until
from programs import Daemon
from rollout_case import RolloutCase

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER_TRACE = "0af7651916cd43dd8448eb211c80319c"


class LoggingDaemon(Daemon):
    """Started with other options than the tests' usual ones, its log where the test wants it."""

    options = ("--log-level", "info", "--log-json")

    def start_logging(self, file, **environment):
        self.process = subprocess.Popen([built("ROLLWATCH_TEST_DAEMON", "rollwatchd"), "--config", str(self.file), *self.options],
                                        stdin=subprocess.DEVNULL, stdout=file, stderr=file, env={**os.environ, **environment})
        self.expected_dead = False
        wait_until(self.is_ready, lambda: f"rollwatchd to be ready:\n{self.log()}", [self])
        return self

    def lines(self):
        """Each an object of its own: nothing else gets between them."""
        return [json.loads(line) for line in self.log().splitlines()]


class Logs(RolloutCase):
    def started(self, name, options=LoggingDaemon.options, **environment):
        daemon = self.place.add(LoggingDaemon(self.place.folder / name, self.configuration(self.deployer())))
        daemon.options = options
        with open(daemon.log_file, "ab") as log:
            return daemon.start_logging(log, **environment)

    def test_a_decision_is_found_by_its_id_and_by_the_trace_of_its_registration(self):
        server = self.started("daemon")
        rollout = server.api.register(**self.fields(self.service(), orchestrator="deployer"),
                                      headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})["id"]
        server.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        self.assertEqual(server.api.decide(rollout, "pause", reason='a "quoted" word').status, 200)
        decided = wait_until(lambda: [line for line in server.lines() if f"{rollout} " in line["msg"] and " decided: pause" in line["msg"]],
                             lambda: f"the line: {server.log()}")
        self.assertEqual(len(decided), 1, decided)
        line = decided[0]
        self.assertEqual((line["level"], set(line)), ("info", {"ts", "level", "msg"}))
        self.assertIn('a "quoted" word', line["msg"])
        self.assertIn(f", trace {TRACE}]", line["msg"])
        number = line["msg"].rpartition("[")[2].partition(",")[0]
        self.assertEqual(server.api.explain(rollout, number)["decision"]["id"], number)
        self.assertEqual([one for one in server.lines() if " verdict: " in one["msg"]], [], "nothing at info per evaluation")
        answer = server.api.call("POST", f"/api/v1/rollouts/{rollout}/resume", {}, traceparent=f"00-{OTHER_TRACE}-00f067aa0ba902b7-01")
        self.assertEqual(answer.status, 200)
        found = f", trace {TRACE}, call's trace {OTHER_TRACE}]"
        wait_until(lambda: [line for line in server.lines() if " decided: resume" in line["msg"] and line["msg"].endswith(found)],
                   lambda: f"the line with both traces: {server.log()}")

    def test_the_level_changes_while_it_runs(self):
        server = self.started("daemon", options=("--log-level", "error", "--log-json"))
        self.assertEqual(server.lines(), [])
        server.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "the log level is debug from now on" in server.log(), lambda: server.log(), [server])
        rollout = server.api.register(**self.fields(self.service(), orchestrator="deployer",
                                                    analysis={"steps": [{"weight": 5, "hold": "1h"}]}))["id"]
        server.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        wait_until(lambda: {"debug", "info"} <= {line["level"] for line in server.lines()}, lambda: server.log(), [server])
        server.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: "the log level is error from now on" in server.log(), lambda: server.log(), [server])
        before = len(server.lines())
        self.assertEqual(server.api.decide(rollout, "cancel").status, 200)
        self.assertEqual(len(server.lines()), before)

    def test_under_systemd_each_line_has_its_priority(self):
        name = self.place.folder / "journal" / "rollwatchd.log"
        name.parent.mkdir()
        name.touch()
        stream = f"{name.stat().st_dev}:{name.stat().st_ino}"
        server = self.started("journal", options=("--log-level", "info"), JOURNAL_STREAM=stream)
        server.file.write_text("nonsense")
        self.assertEqual(server.api.call("POST", "/-/reload").status, 422)
        wait_until(lambda: "reload refused" in server.log(), lambda: server.log(), [server])
        for line in server.log().splitlines():
            level = line.split()[1]
            self.assertTrue(line.startswith({"info": "<6>", "error": "<3>", "warning": "<4>"}[level]), line)
        self.assertIn("<3>", server.log())
        # A stream that was redirected is not the journal's.
        other = self.started("redirected", options=("--log-level", "info"), JOURNAL_STREAM=stream)
        self.assertNotIn("<6>", other.log())


if __name__ == "__main__":
    unittest.main()
