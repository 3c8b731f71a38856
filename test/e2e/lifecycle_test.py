"""Starting, stopping and reloading the daemon, and who is refused."""

import contextlib
import json
import os
import signal
import sqlite3
import threading
import unittest

from harness import free_port, wait_until
from programs import Daemon
from receivers import SECRET
from rollout_case import POLICY, RolloutCase

RELOADED = "rollwatch_config_last_reload_successful"


class Lifecycle(RolloutCase):
    def test_stops_on_sigterm_while_requests_wait(self):
        deployer = self.deployer()
        server = self.daemon(self.configuration(deployer).replace('hold = "1s"', 'hold = "1h"')).start()
        rollout = server.api.register(**self.fields(self.service(), orchestrator="deployer"))["id"]
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        answers = []

        def wait():
            try:
                answers.append(server.api.get(f"/api/v1/rollouts/{rollout}/verdict?wait=60s"))
            except OSError as error:
                answers.append(error)

        waiting = [threading.Thread(target=wait) for _ in range(5)]
        for thread in waiting:
            thread.start()
        # All five connections are there when the kernel says so, and one more that only looks.
        wait_until(lambda: self.connections(server) >= 5, lambda: f"five open requests; there are {self.connections(server)}")
        self.assertEqual(server.stop(), 0)
        for thread in waiting:
            thread.join()
        for answer in answers:
            self.assertEqual(getattr(answer, "status", answer), 200, "what was asked is answered")
            self.assertEqual((answer.json["state"], answer.json["final"]), ("analyzing", False))
        self.assertIn("stopped", server.log())

        # It goes on where it was; what was not asked meanwhile is marked.
        server.start()
        view = server.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass again")
        self.assertEqual((view["state"], view["step"]["index"]), ("analyzing", 0))
        self.assert_orders(server, deployer, rollout, [("advance", 5)])
        self.assert_no_gaps(server, rollout)
        self.assertIn("watch_resumed", [e["type"] for e in server.api.events(rollout)])

    def connections(self, server):
        """Established connections to the daemon's port, from its side."""
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table.readlines()[1:]]
        return sum(row[1].endswith(f":{server.port:04X}") and row[3] == "01" for row in rows)

    def test_a_rollout_that_cannot_be_read_is_left_out_and_the_rest_is_served(self):
        """Another version's analysis, or a damaged one: lists were refused, and an export ended the daemon."""
        server = self.daemon(self.configuration()).start()
        held = {"steps": [{"weight": 5, "hold": "1h"}]}
        rollouts = [server.api.register(**self.fields(self.service(), analysis={**held, "patience": f"{minutes}m"}))["id"]
                    for minutes in (1, 2, 3)]
        for rollout in rollouts:
            self.assertEqual(server.api.decide(rollout, "cancel").status, 200)
        self.assertEqual(server.stop(), 0)
        with contextlib.closing(sqlite3.connect(server.folder / "rollwatch.db")) as store:
            store.execute("UPDATE plans SET analysis = '{\"steps\": 7}' WHERE key = (SELECT plan FROM rollouts WHERE id = ?)",
                          (rollouts[1],))
            store.commit()
        server.start()
        whole = [rollouts[2], rollouts[0]]
        self.assertEqual([one["id"] for one in server.api.get("/api/v1/rollouts").json["items"]], whole)
        self.assertEqual([one["id"] for one in server.api.get("/api/v1/fleet").json["ended"]["items"]], whole)
        lines = [json.loads(line) for line in server.api.get("/api/v1/export").text.splitlines()]
        self.assertEqual([line["rollout"] for line in lines if line["type"] == "rollout"], whole)
        self.assertEqual(lines[-1]["type"], "end")
        self.assertIn(f"left out of a list: the analysis of rollout {rollouts[1]} cannot be read: ", server.log())
        self.assertEqual(server.stop(), 0)

    def test_reload_that_is_bad_changes_nothing(self):
        deployer = self.deployer()
        configuration = self.configuration(deployer)
        server = self.daemon(configuration).start()
        self.assertEqual(server.metric(RELOADED), 1)
        rows = [
            ("no TOML", configuration + "[policy.quick\n", "rollwatch.toml:"),
            ("a misspelt key", configuration + 'fail_afer = 3\n', "fail_after"),
            ("a wrong type", configuration.replace("[policy.quick]", "[policy.quick]\nsoak = 5"), "soak"),
        ]
        for name, text, told in rows:
            for by_signal in (True, False):
                with self.subTest(name, by_signal=by_signal):
                    server.configure(text)
                    before = server.log().count("reload refused")
                    if by_signal:
                        server.reload()
                        wait_until(lambda: server.log().count("reload refused") > before, "the refusal in the log", [server])
                    else:
                        answer = server.api.call("POST", "/-/reload")
                        self.assertEqual(answer.status, 422, answer)
                        self.assertIn(told, answer.text)
                        self.assertTrue(answer.json["errors"])
                    self.assertEqual(server.metric(RELOADED), 0)
        # The old configuration is in force, and a good one is taken over.
        rollout = server.api.register(**self.fields(self.service(), orchestrator="deployer"))["id"]
        server.configure(configuration + POLICY.replace("policy.quick", "policy.other"))
        server.reload()
        wait_until(lambda: server.metric(RELOADED) == 1, "the reload", [server])
        self.assertEqual(server.api.call("POST", "/api/v1/rollouts",
                                         self.fields("other", policy="other")).status, 201)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")

    def test_reload_that_takes_away_what_is_used_is_refused(self):
        deployer = self.deployer()
        server = self.daemon(self.configuration(deployer).replace('hold = "1s"', 'hold = "1h"')).start()
        rollout = server.api.register(**self.fields(self.service(), orchestrator="deployer"))["id"]
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        server.configure(self.configuration())
        answer = server.api.call("POST", "/-/reload")
        self.assertEqual(answer.status, 409, answer)
        self.assertIn("deployer", answer.text)
        self.assertIn(rollout, answer.text)
        self.assertEqual(server.metric(RELOADED), 0)
        self.assertEqual(server.api.decide(rollout, "rollback").status, 200)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rolled_back", "the orchestrator is still there")
        answer = server.api.call("POST", "/-/reload")
        self.assertEqual(answer.status, 200, "now nobody needs it")
        self.assertEqual(server.metric(RELOADED), 1)
        refused = server.api.call("POST", "/api/v1/rollouts", self.fields("x", orchestrator="deployer"))
        self.assertEqual(refused.status, 422, refused)

    def test_a_pinned_analysis_does_not_follow_its_policy(self):
        server = self.daemon(self.configuration(self.deployer()).replace('hold = "1s"', 'hold = "1h"')).start()
        rollout = server.api.register(**self.fields(self.service(), orchestrator="deployer"))["id"]
        server.configure(self.configuration(self.place.things[0]).replace("> 0.05", "> 0.001"))
        self.assertEqual(server.api.call("POST", "/-/reload").status, 200)
        view = server.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass by the old rule")
        self.assertEqual({c["name"]: c["rule"] for c in view["conditions"]}["errors"], "> 0.05")

    def test_refuses_to_listen_outside_loopback(self):
        for address in ("0.0.0.0", "[::]", "192.0.2.1", "example.net"):
            with self.subTest(address):
                server = self.daemon(self.configuration(), "outside-" + str(len(self.place.things)))
                server.file.write_text(f'[server]\nlisten = "{address}:{server.port}"\n')
                server.start(wait=False)
                self.assertEqual(server.wait_for_end(), 1)
                self.assertIn("loopback only", server.log())
                self.assertIn("rollwatch.toml:2", server.log())

    def test_one_database_one_daemon(self):
        first = self.daemon(self.configuration(), "first").start()
        second = self.daemon(self.configuration() + f'[store]\nurl = "sqlite:{first.folder}/rollwatch.db"\n', "second")
        second.start(wait=False)
        self.assertEqual(second.wait_for_end(), 1)
        self.assertRegex(second.log(), r"rollwatch\.db.*(in use|another|locked)")
        # The first is unharmed, and a killed one leaves the place free.
        self.assertTrue(first.is_ready())
        first.kill9()
        second.start()
        self.assertTrue(second.is_ready())

    def test_a_taken_port_is_told(self):
        first = self.daemon(self.configuration(), "first").start()
        second = self.place.add(Daemon(self.place.folder / "second", self.configuration(), port=first.port))
        second.start(wait=False)
        self.assertEqual(second.wait_for_end(), 1)
        self.assertIn(str(first.port), second.log())

    def test_what_is_asked_by_signal_during_a_start_waits_for_it(self):
        """A reload that was asked for while the daemon started ended it."""
        secret = self.place.folder / "secret"
        os.mkfifo(secret)
        server = self.daemon(self.configuration(self.deployer()).replace(f'secret = "{SECRET}"', f'secret_file = "{secret}"'))
        server.start(wait=False)
        with open(secret, "w") as asked_for:  # by a daemon that reads its configuration
            kept = self.place.folder / "kept"
            kept.write_text(SECRET)
            os.replace(kept, secret)
            for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
                server.process.send_signal(number)
            asked_for.write(SECRET)
        wait_until(server.is_ready, lambda: f"it to be ready:\n{server.log()}", [server])
        wait_until(lambda: "configuration reloaded" in server.log(), "the reload", [server])

    def test_a_second_signal_ends_at_once_and_loses_nothing(self):
        deployer = self.deployer()
        deployer.by_kind["advance"] = "hang"
        server = self.daemon(self.configuration(deployer, orchestrator='timeout = "10m"')).start()
        rollout = server.api.register(**self.fields(self.service(), orchestrator="deployer"))["id"]
        wait_until(lambda: deployer.attempts_of(rollout), "the order that hangs", [server])
        server.expected_dead = True
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "asked to stop" in server.log(), "the first signal to be heard")
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_end()
        deployer.by_kind.clear()
        deployer.released.set()
        server.start()
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        self.assert_orders(server, deployer, rollout, [("advance", 5), ("advance", 25), ("promote", 100)])
        self.assertEqual(len({order.id for order, _ in deployer.attempts_of(rollout)}), 3)


if __name__ == "__main__":
    unittest.main()
