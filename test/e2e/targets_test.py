"""Who orders go to: a secret that is changed, a deployer that keeps failing, one that answers badly, and addresses
that nothing is sent to."""

import base64
import json
import socket
import threading
import unittest

from harness import wait_until
from receivers import SECRET, Deployer, signature
from rollout_case import RolloutCase

NEW_SECRET = "whsec_" + base64.b64encode(b"another key, of thirty-two bytes").decode()
STEPS = [("advance", 5), ("advance", 25), ("promote", 100)]
HELD = {"steps": [{"weight": 5, "hold": "1h"}]}


class Listener(Deployer):
    """Remembers the headers of every attempt."""

    def __init__(self, **options):
        self.headers = []
        super().__init__(**options)

    def read(self, path, headers, body):
        self.headers.append((dict(headers), body))
        return super().read(path, headers, body)


class BadAnswers:
    """A socket that reads each request whole and answers with what the next of `answers` sends."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.ids = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/rollouts"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                try:
                    self.ids.append(self.read(connection))
                    answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                    answer(connection)
                except OSError:
                    pass  # it had enough

    @staticmethod
    def read(connection):
        def more():
            data = connection.recv(65536)
            if not data:
                raise ConnectionError("no whole request")
            return data

        data = b""
        while b"\r\n\r\n" not in data:
            data += more()
        head, _, body = data.partition(b"\r\n\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head.decode().split("\r\n")[1:])
        while len(body) < int(headers["content-length"]):
            body += more()
        return json.loads(body)["data"]["order"]["id"]

    def close(self):
        self.socket.close()


def says(text):
    return lambda connection: connection.sendall(text)


def says_a_hundred_megabytes(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(1600):
        connection.sendall(b"x" * 65536)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Targets(RolloutCase):
    def register(self, server, **more):
        return server.api.register(**self.fields(self.service(), orchestrator="deployer", **more))["id"]

    def target(self, server, name="deployer"):
        items = server.api.get("/api/v1/targets").json["items"]
        return next(item for item in items if item["name"] == name)

    def test_a_secret_is_changed_without_an_order_refused(self):
        deployer = self.place.add(Listener())
        configuration = self.configuration(deployer)
        server = self.daemon(configuration).start()
        rollout = self.register(server, analysis={"steps": [{"weight": w, "hold": "1h"} for w in (1, 5, 10, 25)]})
        reached = 0

        def go_on():
            nonlocal reached
            reached += 1
            wait_until(lambda: len(deployer.effects_of(rollout)) == reached, "an order to be carried out", [server])
            server.wait_for(rollout, lambda r: not r["order"], "the order to be done")
            headers, body = deployer.headers[-1]
            self.assertEqual(server.api.decide(rollout, "advance").status, 200)
            message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
            return [next(name for name, secret in (("old", SECRET), ("new", NEW_SECRET))
                         if signature(secret, message_id, timestamp, body) == one)
                    for one in headers["webhook-signature"].split(" ")]

        def reload(text):
            server.configure(text)
            answer = server.api.call("POST", "/-/reload")
            self.assertEqual(answer.status, 200, answer)

        both = configuration.replace(f'secret = "{SECRET}"', f'secret = "{NEW_SECRET}"\nold_secret = "{SECRET}"')
        self.assertEqual(go_on(), ["old"])
        wait_until(lambda: len(deployer.effects_of(rollout)) == 2, "the next order", [server])
        reload(both)
        self.assertEqual(go_on(), ["old"])
        self.assertEqual(go_on(), ["new", "old"])  # the receiver still has the old one
        wait_until(lambda: len(deployer.effects_of(rollout)) == 4, "the next order", [server])
        deployer.secret = NEW_SECRET
        reload(configuration.replace(f'secret = "{SECRET}"', f'secret = "{NEW_SECRET}"'))
        self.assertEqual(go_on(), ["new", "old"])
        wait_until(lambda: len(deployer.effects_of(rollout)) == 5, "the promotion", [server])
        self.assertEqual({mode for _, mode in deployer.attempts}, {"ack"}, "none was refused")
        for secret in (SECRET, NEW_SECRET):
            self.assertNotIn(secret.removeprefix("whsec_"), server.log())

    def test_one_that_keeps_failing_is_probed_and_everything_goes_out_when_it_answers(self):
        deployer = self.deployer()
        deployer.by_kind["advance"] = "fail"
        server = self.daemon(self.configuration(deployer)).start()
        rollouts = [self.register(server, analysis=HELD) for _ in range(8)]
        wait_until(lambda: self.target(server)["breaker"]["state"] == "open", "the breaker to open", [server])
        target = self.target(server)
        self.assertEqual((target["kind"], target["last_error"], target["open_deliveries"]), ("orchestrator", "HTTP 500", 8))
        self.assertGreaterEqual(target["consecutive_failures"], 5)
        self.assertTrue(target["breaker"]["since"] and target["breaker"]["next_probe"], target)
        self.assertNotIn(deployer.path, json.dumps(target))
        self.assertEqual(server.metric("rollwatch_target_breaker_open", target="deployer"), 1)

        def held():
            return [order["held_because"] for rollout in rollouts for order in server.api.orders(rollout)
                    if "held_because" in order]

        self.assertIn("orchestrator deployer fails", wait_until(held, "an order that waits and says why", [server])[0])
        self.assertEqual(server.api.decide(rollouts[0], "rollback").status, 200)
        self.assertEqual(server.wait_for_end_of(rollouts[0])["state"], "rolled_back", "a rollback does not wait")
        deployer.by_kind["advance"] = "ack"
        for rollout in rollouts[1:]:
            server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.assertEqual(self.target(server)["breaker"]["state"], "closed")
        self.assertEqual(server.metric("rollwatch_target_breaker_open", target="deployer"), 0)
        self.assertIn("orchestrator deployer answers again", server.log())

    def test_answers_that_are_none_and_one_that_is_too_long(self):
        receiver = self.place.add(BadAnswers(
            says(b"HTTP/1.1 200 OK\r\nContent-Le"), says(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
            says(b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"),
            says_a_hundred_megabytes, says(OK)))
        server = self.daemon(self.configuration(receiver)).start()
        rollout = self.register(server, analysis=HELD)
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        attempts = server.api.orders(rollout)[0]["attempts"]
        self.assertEqual([a["status"] for a in attempts], [None, 200, 307, 200], attempts)
        self.assertTrue(attempts[0]["error"] and attempts[1]["error"], "what broke off is no answer")
        self.assertIn("redirects are not followed", attempts[2]["error"])
        self.assertEqual((attempts[3]["answer"], attempts[3]["error"]), ("x" * 2048, None))
        self.assertEqual(len(set(receiver.ids[:4])), 1, "one order")

    def test_nothing_is_sent_to_a_metadata_address(self):
        deployer = self.deployer()
        configuration = self.configuration(deployer).replace(deployer.url, "http://169.254.169.254/latest/hidden")
        server = self.daemon(configuration).start()
        rollout = self.register(server, analysis=HELD)
        wait_until(lambda: server.api.orders(rollout)[0]["attempts"], "an attempt", [server])
        error = server.api.orders(rollout)[0]["attempts"][0]["error"]
        self.assertIn("169.254.169.254 is a cloud's metadata service", error)
        self.assertIn("allow_addresses", error)
        self.assertNotIn("hidden", error + server.log())

    def test_orders_as_cloud_events(self):
        deployer = self.place.add(Listener())
        server = self.daemon(self.configuration(deployer, orchestrator='format = "cloudevents"')).start()
        rollout = self.register(server)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        self.assert_orders(server, deployer, rollout, STEPS)
        for headers, body in deployer.headers:
            event = json.loads(body)
            self.assertEqual(headers["content-type"], "application/cloudevents+json; charset=utf-8")
            self.assertEqual((event["specversion"], event["id"]), ("1.0", headers["webhook-id"]))
            self.assertEqual(event["type"], f"io.rollwatch.rollout.{event['data']['order']['kind']}.v1")
            self.assertEqual(event["source"], "/rollwatch/" + server.url.removeprefix("http://"))


if __name__ == "__main__":
    unittest.main()
