"""The event stream: every event, in order, each once, through restarts and through every node."""

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import unittest

from database import Database
from event_stream import Follower
from harness import SOURCE, wait_until
from rollout_case import RolloutCase

HOLDING = {"steps": [{"weight": 5, "hold": "1h"}]}


class StreamCase(RolloutCase):
    def follow(self, node, query="", after=None):
        return self.place.add(Follower(node.url, query, after)).wait_until_served()

    def everything(self, node, rollouts):
        """All events of these rollouts in their order, as the history has them."""
        return sorted((event for rollout in rollouts for event in node.api.events(rollout)), key=lambda e: e["seq"])

    def keep_moving(self, node, rollouts, enough):
        """People who cannot make up their minds, until it is enough: two events and more each time."""
        while not enough.is_set():
            for rollout in rollouts:
                for decision in ("pause", "resume"):
                    wait_until(lambda: self.is_decided(node, rollout, decision), f"{decision} of {rollout}")

    def is_decided(self, node, rollout, decision):
        try:
            return node.api.decide(rollout, decision).status in (200, 409)
        except OSError:  # it is being restarted
            return False


class OneDaemon(StreamCase):
    def setUp(self):
        self.server = self.daemon(self.configuration()).start()
        self.api = self.server.api

    def register(self, **more):
        return self.api.register(**self.fields(self.service(), analysis=HOLDING, **more))["id"]

    def test_what_is_given_is_what_the_history_has(self):
        follower = self.follow(self.server)
        rollouts = [self.register(), self.register()]
        for rollout in rollouts:
            self.assertEqual(self.api.call("POST", f"/api/v1/rollouts/{rollout}/progress", {"weight": 5}).status, 200)
            self.assertEqual(self.api.decide(rollout, "rollback").status, 200)
        history = self.everything(self.server, rollouts)
        self.assertEqual(follower.wait_for(history[-1]["seq"]).events[:len(history)], history)
        # Only what is asked for, from the beginning.
        of_one = self.follow(self.server, f"?rollout={rollouts[1]}&type=registered&type=rolled_back&after=0")
        wait_until(lambda: len(of_one.events) == 2, lambda: f"two events; {of_one.events}")
        self.assertEqual([(e["rollout"], e["type"]) for e in of_one.events],
                         [(rollouts[1], "registered"), (rollouts[1], "rolled_back")])

    def test_a_restart_leaves_no_gap(self):
        rollouts = [self.register() for _ in range(3)]
        followers = [self.follow(self.server), self.follow(self.server, after=0)]
        begun = int(followers[0].last)
        enough = threading.Event()
        moving = threading.Thread(target=self.keep_moving, args=(self.server, rollouts, enough))
        moving.start()
        for _ in range(3):
            seen = [(len(follower.events), follower.connections) for follower in followers]
            self.server.kill9()
            self.server.start()
            wait_until(lambda: all(len(follower.events) > events and follower.connections > connections
                                   for follower, (events, connections) in zip(followers, seen)),
                       "all to have gone on", [self.server])
        enough.set()
        moving.join()
        history = self.everything(self.server, rollouts)
        numbers = [event["seq"] for event in history]
        self.assertEqual(numbers, list(range(1, numbers[-1] + 1)), "no number is left out")
        for follower, first in zip(followers, (begun + 1, 1)):
            follower.wait_for(numbers[-1])
            self.assertGreaterEqual(follower.connections, 4)
            self.assertEqual(follower.events, [event for event in history if event["seq"] >= first])

    def test_a_stop_does_not_wait_for_those_who_follow(self):
        self.register()
        followers = [self.follow(self.server) for _ in range(5)]
        stuck = socket.create_connection(("127.0.0.1", self.server.port))
        stuck.sendall(b"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        wait_until(lambda: self.server.metric("rollwatch_event_stream_clients") == 6, "six clients")
        self.assertEqual(self.server.stop(), 0)
        self.assertNotIn("cut", self.server.log())
        stuck.close()
        for follower in followers:
            follower.ended = True

    def test_a_client_that_is_gone_is_forgotten(self):
        follower = self.follow(self.server)
        self.assertEqual(self.server.metric("rollwatch_event_stream_clients"), 1)
        follower.ended = True
        follower.cut()
        wait_until(lambda: self.server.metric("rollwatch_event_stream_clients") == 0, "it to be gone", [self.server])

    def test_what_was_deleted_is_said(self):
        rollout = self.register()
        self.assertEqual(self.api.decide(rollout, "cancel").status, 200)
        newest = self.everything(self.server, [rollout])[-1]["seq"]
        self.assertEqual(self.server.stop(), 0)
        with contextlib.closing(sqlite3.connect(self.server.folder / "rollwatch.db")) as store:
            store.execute("UPDATE event_horizon SET deleted = ?", (newest,))  # as retention does after 90 days
            store.commit()
        self.server.start()
        refused = self.api.get("/api/v1/events", Last_Event_ID="1")
        self.assertEqual((refused.status, refused.headers["Content-Type"]), (410, "application/problem+json"), refused)
        self.assertEqual((refused.json["oldest"], refused.json["newest"]), (newest + 1, newest))
        self.assertIn("GET /api/v1/rollouts", refused.json["detail"])
        self.follow(self.server, after=newest)

    def test_refusals(self):
        rollout = self.register()
        rows = [
            ("no number", "", {"Last_Event_ID": "soon"}, 400),
            ("a number below all", "", {"Last_Event_ID": "-1"}, 400),
            ("a number of another store", "", {"Last_Event_ID": "99999999"}, 410),
            ("no number in the address", "?after=soon", {}, 422),
            ("no such type", "?type=exploded", {}, 422),
            ("no such parameter", "?services=x", {}, 422),
            ("no such rollout", "?rollout=ro_none", {}, 404),
        ]
        for name, query, headers, status in rows:
            with self.subTest(name):
                answer = self.api.get("/api/v1/events" + query, **headers)
                self.assertEqual(answer.status, status, answer)
                self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        head = self.api.call("HEAD", f"/api/v1/events?rollout={rollout}")
        self.assertEqual((head.status, head.headers["Content-Type"], head.body), (200, "text/event-stream", b""))

    def test_the_pages_example(self):
        """docs/api.md's commands, as they stand there."""
        text = (SOURCE / "docs" / "api.md").read_text()
        section = text[text.index("## The event stream"):]
        shell = re.search(r"^```sh\n(.*?)^```$", section, re.M | re.S)[1]
        self.assertIn("http://127.0.0.1:9797", shell)
        log = self.place.folder / "example.log"
        with open(log, "w") as out:
            running = subprocess.Popen(["bash", "-c", shell.replace("http://127.0.0.1:9797", self.server.url)],
                                       cwd=self.place.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                       start_new_session=True)
        try:
            wait_until(lambda: self.server.metric("rollwatch_event_stream_clients") == 1, "the example to follow", [self.server])
            rollout = self.register()
            self.wait_for_line(log, rollout, "registered")
            self.server.kill9()
            self.server.start()
            self.assertEqual(self.api.decide(rollout, "cancel").status, 200)
            self.wait_for_line(log, rollout, "cancelled")
        finally:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
        self.assertEqual(self.lines(log), self.api.events(rollout))

    def lines(self, log):
        return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]

    def wait_for_line(self, log, rollout, type):
        wait_until(lambda: any((e["rollout"], e["type"]) == (rollout, type) for e in self.lines(log)),
                   lambda: f"{type} of {rollout}; there is {log.read_text()}", [self.server])


class SeveralNodes(StreamCase):
    """Where rollouts run on every node, and whoever follows is at any of them."""

    def setUp(self):
        self.database = self.place.add(Database(self.place.folder))
        self.deployer_ = self.deployer()
        configuration = f'[store]\nurl = "{self.database.url()}"\nlease = "5s"\n' + self.configuration(self.deployer_)
        self.nodes = [self.daemon(configuration, f"node{number}").start() for number in (1, 2)]

    def is_even(self, total):
        rollouts = [node["rollouts"] for node in self.nodes[0].api.get("/api/v1/nodes").json["items"]]
        return sum(rollouts) == total and max(rollouts) == total // 2

    def test_every_node_gives_the_same(self):
        service = self.service()
        rollouts = [self.nodes[0].api.register(**self.fields(service, target=f"t{number}", orchestrator="deployer",
                                                             analysis=HOLDING))["id"] for number in range(4)]
        wait_until(lambda: self.is_even(4), "two on each", self.nodes)
        for rollout in rollouts:
            self.nodes[0].wait_for(rollout, lambda r: r["step"], "to have begun")
        followers = [self.follow(node, after=0) for node in self.nodes]
        hopping = self.follow(self.nodes[0], after=0)
        enough = threading.Event()
        movers = [threading.Thread(target=self.keep_moving, args=(node, rollouts[i::2], enough))
                  for i, node in enumerate(self.nodes)]
        for mover in movers:
            mover.start()
        for hop in range(1, 7):
            seen, connections = len(hopping.events), hopping.connections
            hopping.url = self.nodes[hop % 2].url
            hopping.cut()
            wait_until(lambda: len(hopping.events) > seen and hopping.connections > connections, "it to go on", self.nodes)
        enough.set()
        for mover in movers:
            mover.join()
        # One more of each: whatever came before it was recorded before it.
        for rollout in rollouts:
            self.assertEqual(self.nodes[1].api.decide(rollout, "rollback").status, 200)
            self.nodes[0].wait_for_state(rollout, "rolled_back")
        history = self.everything(self.nodes[0], rollouts)
        self.assertEqual([event["seq"] for event in history], list(range(1, len(history) + 1)))
        for follower in (*followers, hopping):
            self.assertEqual(follower.wait_for(len(history)).events[:len(history)], history)
        self.assertGreaterEqual(hopping.connections, 7)

    def test_a_node_that_dies_is_gone_on_from_at_the_other(self):
        a, b = self.nodes
        rollout = a.api.register(**self.fields(self.service(), orchestrator="deployer", analysis=HOLDING))["id"]
        a.wait_for(rollout, lambda r: r["step"], "to have begun")
        follower = self.follow(a, after=0)
        follower.wait_for(self.everything(b, [rollout])[-1]["seq"])
        a.kill9()
        follower.url = b.url
        wait_until(lambda: b.api.decide(rollout, "rollback").status == 200, "b to have it", [b])
        b.wait_for_state(rollout, "rolled_back")
        history = self.everything(b, [rollout])
        self.assertEqual(follower.wait_for(history[-1]["seq"]).events[:len(history)], history)


if __name__ == "__main__":
    unittest.main()
