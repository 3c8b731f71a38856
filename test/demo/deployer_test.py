#!/usr/bin/env python3
"""The demo's deployer keeps the receiver's side of the contract: users copy it."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "config" / "demo"))
import deployer  # noqa: E402

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = 1767323045


class FakeHAProxy(deployer.HAProxy):
    """Answers the runtime socket's commands as HAProxy does, and counts them."""

    def __init__(self):
        super().__init__(path="", backend="shop")
        self.weights = {"v1.0": 100, "v1.1": 0, "v1.2": 0}
        self.commands = 0
        self.away = False

    def ask(self, command):
        if self.away:
            raise ConnectionRefusedError("nobody listens")
        words = command.split()
        if words[:2] == ["show", "servers"]:
            rows = "".join(f"3 shop {n} {name} 127.0.0.1 2 0\n" for n, name in enumerate(self.weights, 1))
            return "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state\n" + rows + "\n"
        self.commands += 1
        server = words[2].split("/")[1]
        if server not in self.weights:
            return "No such server.\n"
        self.weights[server] = int(words[3])
        return "\n"


class Receiver(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = folder.name + "/state.json"
        self.haproxy = FakeHAProxy()
        self.log = []
        self.restart()

    def restart(self):
        self.deployer = deployer.Deployer(SECRET, deployer.Memory(self.state), self.haproxy, self.log.append)

    def send(self, order_id="ord_1", kind="advance", weight=5, fence=1000, *, candidate="1.1", stable="1.0", target="eu",
             secret=SECRET, sent=NOW):
        rollout = {"namespace": "default", "service": "shop", "target": target, "stable": stable, "candidate": candidate}
        body = json.dumps({"data": {"order": {"kind": kind, "weight": weight, "fence": fence}, "rollout": rollout}}).encode()
        headers = {"webhook-id": order_id, "webhook-timestamp": str(sent),
                   "webhook-signature": deployer.signature(secret, order_id, sent, body)}
        return self.deployer.receive(headers, body, NOW)[0]

    def test_signature_vector_of_standard_webhooks(self):
        self.assertEqual(
            deployer.signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")

    def test_who_is_believed(self):
        body = b"{}"
        good = deployer.signature(SECRET, "ord_1", NOW, body)
        rows = [
            ("the right signature", {}, True),
            ("one of several signatures", {"webhook-signature": "v1,AAAA v1a,BBBB " + good}, True),
            ("at the edge of the tolerance", {"now": NOW + 300}, True),
            ("too old", {"now": NOW + 301}, False),
            ("from the future", {"now": NOW - 301}, False),
            ("another id", {"webhook-id": "ord_2"}, False),
            ("another time", {"webhook-timestamp": str(NOW + 1)}, False),
            ("another body", {"body": b"{ }"}, False),
            ("no signature", {"webhook-signature": ""}, False),
            ("another version's tag", {"webhook-signature": good.replace("v1,", "v2,")}, False),
            ("bytes outside ASCII", {"webhook-signature": "v1,é"}, False),
            ("no id", {"webhook-id": ""}, False),
            ("no number for a time", {"webhook-timestamp": "soon"}, False),
            ("digits of another script", {"webhook-timestamp": "٣"}, False),
        ]
        for name, change, believed in rows:
            with self.subTest(name):
                headers = {"webhook-id": "ord_1", "webhook-timestamp": str(NOW), "webhook-signature": good}
                headers.update({key: value for key, value in change.items() if key.startswith("webhook-")})
                self.assertEqual(
                    deployer.is_genuine(SECRET, headers, change.get("body", body), change.get("now", NOW)), believed)

    def test_each_kind_moves_the_weights_it_says(self):
        rows = [
            ("advance", 5, {"v1.0": 95, "v1.1": 5, "v1.2": 0}),
            ("promote", 100, {"v1.0": 0, "v1.1": 100, "v1.2": 0}),
            ("pause", 100, {"v1.0": 0, "v1.1": 100, "v1.2": 0}),
            ("resume", 50, {"v1.0": 0, "v1.1": 100, "v1.2": 0}),
            ("rollback", 0, {"v1.0": 100, "v1.1": 0, "v1.2": 0}),
        ]
        self.haproxy.weights["v1.2"] = 7  # any other version gets none
        for number, (kind, weight, expected) in enumerate(rows):
            with self.subTest(kind):
                self.assertEqual(self.send(f"ord_{number}", kind, weight, 1000 + number), 200)
                self.assertEqual(self.haproxy.weights, expected)

    def test_a_repeat_is_answered_and_has_no_second_effect(self):
        self.assertEqual(self.send("ord_1", weight=5), 200)
        self.haproxy.weights["v1.1"] = 6  # somebody's own hand since then
        for restarted in (False, True):
            with self.subTest(restarted=restarted):
                if restarted:
                    self.restart()
                self.assertEqual(self.send("ord_1", weight=5), 200)
                self.assertEqual(self.haproxy.weights["v1.1"], 6)

    def test_an_overtaken_order_is_refused_also_after_a_restart(self):
        self.assertEqual(self.send("ord_2", "rollback", 0, fence=2000), 200)
        moved = self.haproxy.commands
        self.assertEqual(self.send("ord_1", "advance", 25, fence=1999), 409)
        self.restart()
        self.assertEqual(self.send("ord_1", "advance", 25, fence=1999), 409)
        self.assertEqual(self.haproxy.commands, moved)
        self.assertEqual(self.send("ord_3", "advance", 25, fence=1999, target="us"), 200, "fences are per target")

    def test_an_order_that_could_not_be_done_is_done_when_it_comes_again(self):
        self.haproxy.away = True
        with self.assertRaises(OSError):
            self.send("ord_1", weight=25)
        self.haproxy.away = False
        self.assertEqual(self.send("ord_0", fence=999), 409, "the fence was already on disk")
        self.assertEqual(self.send("ord_1", weight=25), 200)
        self.assertEqual(self.haproxy.weights["v1.1"], 25)

    def test_what_cannot_be_done_is_refused(self):
        rows = [
            ("a forged order", {"secret": "whsec_AAAA"}, 401),
            ("an order from yesterday", {"sent": NOW - 86400}, 401),
            ("a version HAProxy has no server for", {"candidate": "9.9"}, 422),
            ("a weight that cannot be", {"weight": 101}, 422),
            ("a weight that is no number", {"weight": "much"}, 422),
        ]
        for name, order, status in rows:
            with self.subTest(name):
                self.assertEqual(self.send(**order), status)
                self.assertEqual(self.haproxy.weights, {"v1.0": 100, "v1.1": 0, "v1.2": 0})

    def test_a_first_release_has_no_stable(self):
        self.haproxy.weights = {"v1.0": 0, "v1.1": 0}
        self.assertEqual(self.send(weight=5, stable=None), 200)
        self.assertEqual(self.haproxy.weights, {"v1.0": 0, "v1.1": 5})


if __name__ == "__main__":
    unittest.main()
