"""Who may do what: tokens and their scopes, namespaces, TLS and client certificates, all of them exchanged while the
daemon runs; and clients that mean no good, beside one that is served all the same."""

import base64
import hashlib
import http.client
import json
import os
import secrets
import socket
import ssl
import subprocess
import unittest
from pathlib import Path

from harness import free_port, wait_until
from programs import Api, check_config
from rollout_case import RolloutCase

HOLDING = {"steps": [{"weight": 5, "hold": "1h"}]}


class Token:
    def __init__(self, name, *scopes, namespaces=()):
        self.name, self.scopes, self.namespaces = name, list(scopes), list(namespaces)
        self.secret = "rwt_" + secrets.token_urlsafe(32)

    def table(self):
        text = f'[[server.token]]\nname = "{self.name}"\nsha256 = "{hashlib.sha256(self.secret.encode()).hexdigest()}"\n'
        text += f"scopes = {json.dumps(self.scopes)}\n"
        return text + (f"namespaces = {json.dumps(self.namespaces)}\n" if self.namespaces else "")


def make_certificate(folder, name, subject_alternative):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "30", "-subj", f"/CN={name}", "-addext", f"subjectAltName={subject_alternative}",
                    "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Access(RolloutCase):
    def setUp(self):
        self.all = Token("deployer", "read", "register", "decide", "admin")
        self.reader = Token("dashboard", "read")
        self.ci = Token("ci", "register")
        self.shop = Token("shop", "read", "register", "decide", namespaces=["shop"])

    def guarded(self, *tokens, server="", name="daemon"):
        tables = "".join(token.table() for token in tokens or (self.all, self.reader, self.ci, self.shop))
        daemon = self.daemon(tables + self.configuration(), name)
        daemon.server = server
        daemon.configure(tables + self.configuration())
        return daemon

    def reconfigure(self, daemon, *tokens):
        daemon.configure("".join(token.table() for token in tokens) + self.configuration())

    def api(self, daemon, token):
        return Api(daemon.url, token.secret if token else None)

    def test_tokens_from_registration_to_the_record(self):
        daemon = self.guarded().start()
        service = self.service()
        fields = self.fields(service, analysis=HOLDING)
        nobody, wrong = self.api(daemon, None), self.api(daemon, Token("guess"))
        self.assertEqual(nobody.get("/-/healthy").status, 200)
        for api, challenge in ((nobody, "Bearer"), (wrong, 'Bearer error="invalid_token"')):
            answer = api.call("POST", "/api/v1/rollouts", fields)
            self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]), (401, challenge))
        refused = self.api(daemon, self.reader).call("POST", "/api/v1/rollouts", fields)
        self.assertEqual(refused.status, 403)
        self.assertIn('"dashboard" lacks the scope "register"', refused.json["detail"])
        questions = self.fields(service, analysis={"condition": [{"name": "any", "query": "vector(0)", "fail_if": "> 1"}]})
        questions = {name: questions[name] for name in ("service", "candidate", "policy", "analysis")}
        self.assertEqual(self.api(daemon, self.reader).call("POST", "/api/v1/check", questions).status, 403)
        self.assertEqual(self.api(daemon, self.ci).call("POST", "/api/v1/check", questions).status, 200)

        rollout = self.api(daemon, self.ci).register(**fields)["id"]
        daemon.api = self.api(daemon, self.all)
        daemon.wait_for_state(rollout, "analyzing")
        self.assertEqual(self.api(daemon, self.ci).get(f"/api/v1/rollouts/{rollout}").status, 403)
        self.assertEqual(self.api(daemon, self.reader).get(f"/api/v1/rollouts/{rollout}").status, 200)
        self.assertEqual(self.api(daemon, self.shop).get(f"/api/v1/rollouts/{rollout}").status, 404)
        self.assertEqual(self.api(daemon, self.shop).get("/api/v1/rollouts").json["items"], [])
        denied = self.api(daemon, self.reader).decide(rollout, "rollback")
        self.assertEqual(denied.status, 403)
        self.assertEqual(daemon.api.decide(rollout, "rollback", by="anna", reason="errors").status, 200)

        # Flagger can only put a password into an address.
        password = base64.b64encode(f"flagger:{self.reader.secret}".encode()).decode()
        asked = nobody.call("POST", "/gates/flagger/rollback", {"name": service, "namespace": "default"},
                            Authorization=f"Basic {password}")
        self.assertEqual(asked.status, 200, asked)

        daemon.stop()
        daemon.start()  # what it knows now was on disk
        events = daemon.api.events(rollout)
        registered = next(event["data"] for event in events if event["type"] == "registered")
        self.assertEqual((registered["by"], registered["token"], registered["from"]), ("ci", "ci", "127.0.0.1"))
        decided = next(event["data"] for event in events if event.get("data", {}).get("kind") == "rollback")
        self.assertEqual((decided["by"], decided["reason"], decided["token"], decided["from"]),
                         ("anna", "errors", "deployer", "127.0.0.1"))
        explained = daemon.api.explain(rollout)["decision"]
        self.assertEqual((explained["by"], explained["token"], explained["from"]), ("anna", "deployer", "127.0.0.1"))
        everything = daemon.log() + nobody.get("/metrics").text + json.dumps(events)
        for token in (self.all, self.reader, self.ci, self.shop):
            self.assertNotIn(token.secret, everything)
            self.assertNotIn(token.secret.removeprefix("rwt_"), everything)

    def test_namespaces(self):
        daemon = self.guarded().start()
        everybody, shop = self.api(daemon, self.all), self.api(daemon, self.shop)
        service = self.service()
        count = {"Idempotency_Key": "pipeline-7"}  # each tenant counts its own
        theirs = everybody.register(count, **self.fields(service, namespace="payments", analysis=HOLDING))["id"]
        refused = shop.call("POST", "/api/v1/rollouts", self.fields(service, namespace="payments", analysis=HOLDING))
        self.assertEqual(refused.status, 403)
        own = shop.register(count, **self.fields(service, namespace="shop", analysis=HOLDING))["id"]
        self.assertEqual([one["id"] for one in shop.get("/api/v1/rollouts").json["items"]], [own])
        self.assertEqual(len(everybody.get("/api/v1/rollouts").json["items"]), 2)
        for what in ("rollback", "pause", "cancel"):
            self.assertEqual(shop.decide(theirs, what).status, 404)
        self.assertEqual(shop.call("PUT", "/api/v1/freeze", {"reason": "x"}).status, 403)
        self.assertEqual(shop.call("PUT", f"/api/v1/services/payments/{service}/freeze", {"reason": "x"}).status, 404)
        self.assertEqual(shop.call("PUT", f"/api/v1/services/shop/{service}/freeze", {"reason": "sale"}).status, 200)
        freeze = shop.get(f"/api/v1/services/shop/{service}/freeze").json
        self.assertEqual((freeze["token"], freeze["from"], freeze["lifted_token"]), ("shop", "127.0.0.1", None))
        frozen = [event["data"] for event in everybody.events(own) if event["type"] == "frozen"]
        self.assertEqual([(one["token"], one["from"]) for one in frozen], [("shop", "127.0.0.1")])
        self.assertEqual(everybody.rollout(theirs)["state"], "analyzing")

        # Their rollback reaches them alone: not by the stream either.
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as stream:
            stream.sendall(f"GET /api/v1/events?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.shop.secret}\r\n\r\n"
                           .encode())
            self.assertEqual(everybody.decide(theirs, "rollback").status, 200)
            self.assertEqual(shop.decide(own, "cancel").status, 200)
            seen = b""
            while b"cancelled" not in seen:
                seen += stream.recv(65536) or self.fail(f"the stream ended: {seen}")
        self.assertIn(own.encode(), seen)
        self.assertNotIn(theirs.encode(), seen)

    def test_tokens_are_exchanged_while_it_runs(self):
        daemon = self.guarded(self.all, self.reader).start()
        self.assertEqual(self.api(daemon, self.reader).get("/api/v1/rollouts").status, 200)
        new = Token("dashboard", "read")
        self.reconfigure(daemon, self.all, new)
        daemon.reload()
        wait_until(lambda: self.api(daemon, new).get("/api/v1/rollouts").status == 200, "the new token to be known", [daemon])
        self.assertEqual(self.api(daemon, self.reader).get("/api/v1/rollouts").status, 401)
        self.reconfigure(daemon, self.all, self.reader)
        self.assertEqual(self.api(daemon, new).call("POST", "/-/reload").status, 403)
        self.assertEqual(self.api(daemon, self.all).call("POST", "/-/reload").status, 200)
        self.assertEqual(self.api(daemon, self.reader).get("/api/v1/rollouts").status, 200)

    def test_nobody_elses_address_without_tokens(self):
        port = free_port()
        path = self.place.folder / "open.toml"
        path.write_text(f'[server]\nlisten = "0.0.0.0:{port}"\n{self.configuration()}')
        code, said = check_config(path)
        self.assertEqual(code, 1)
        self.assertIn("open.toml:2:10: server.listen: without tokens", said)
        self.assertIn("rollwatch token new", said)
        path.write_text(f'[server]\nlisten = "0.0.0.0:{port}"\n{self.all.table()}{self.configuration()}')
        code, said = check_config(path)
        self.assertEqual(code, 0, said)
        self.assertIn("unencrypted", said)

    # ---- TLS ----

    def certificates(self):
        folder = self.place.folder / "tls"
        folder.mkdir()
        for name in ("first", "second", "ci", "stranger"):
            make_certificate(folder, name, "IP:127.0.0.1,DNS:" + f"{name}.example.net")
        self.use(folder, "first")
        return folder

    @staticmethod
    def use(folder, name):
        """As certbot does it: a new file takes the old one's name."""
        for kind in ("crt", "key"):
            (folder / "new").write_bytes((folder / f"{name}.{kind}").read_bytes())
            os.replace(folder / "new", folder / f"used.{kind}")

    def shown(self, daemon, folder, client=None):
        """The common name of the certificate shown, and the status of a question asked over it."""
        context = ssl.create_default_context(cafile=folder / "trusted.pem")
        if client:
            context.load_cert_chain(folder / f"{client}.crt", folder / f"{client}.key")
        connection = http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=60, context=context)
        try:
            connection.request("GET", "/api/v1/rollouts", headers={"Authorization": f"Bearer {self.all.secret}"})
            answer = connection.getresponse()
            answer.read()
            self.assertIn("max-age", answer.headers["Strict-Transport-Security"])
            subject = dict(pair for part in connection.sock.getpeercert()["subject"] for pair in part)
            return subject["commonName"], answer.status
        finally:
            connection.close()

    def test_a_certificate_is_exchanged_while_it_runs(self):
        folder = self.certificates()
        (folder / "trusted.pem").write_text("".join((folder / f"{name}.crt").read_text() for name in ("first", "second")))
        daemon = self.guarded(self.all, server=f'tls = {{ cert_file = "{folder}/used.crt", key_file = "{folder}/used.key" }}')
        daemon.start(wait=False)
        wait_until(lambda: "ready, watching" in daemon.log(), "rollwatchd to be ready", [daemon])
        self.assertIn(f"https://127.0.0.1:{daemon.port}", daemon.log())
        self.assertEqual(self.shown(daemon, folder), ("first", 200))
        self.use(folder, "second")
        wait_until(lambda: self.shown(daemon, folder) == ("second", 200), "the second certificate", [daemon])
        (folder / "used.crt").write_text("half a file")
        wait_until(lambda: (self.shown(daemon, folder), "the last good certificate stays" in daemon.log())[1],
                   "the broken file to be told", [daemon])
        self.assertEqual(self.shown(daemon, folder), ("second", 200))
        self.assertEqual(check_config(daemon.file)[0], 1)
        self.use(folder, "first")
        wait_until(lambda: self.shown(daemon, folder) == ("first", 200), "the first certificate again", [daemon])

    def test_client_certificates(self):
        folder = self.certificates()
        (folder / "trusted.pem").write_text((folder / "first.crt").read_text())
        (folder / "clients.pem").write_text("".join((folder / f"{name}.crt").read_text() for name in ("ci", "second")))
        daemon = self.guarded(self.all, server=f'''tls = {{ cert_file = "{folder}/used.crt", key_file = "{folder}/used.key", \
client_ca_file = "{folder}/clients.pem", client_names = ["ci.example.net"] }}''')
        daemon.start(wait=False)
        wait_until(lambda: "ready, watching" in daemon.log(), "rollwatchd to be ready", [daemon])
        self.assertEqual(self.shown(daemon, folder, "ci"), ("first", 200))
        for client in (None, "stranger", "second"):
            with self.assertRaises(OSError, msg=client):
                self.shown(daemon, folder, client)

    # ---- Clients that mean no good ----

    def rss(self, daemon):
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) * 1024

    def test_a_paying_client_is_served_among_hostile_ones(self):
        daemon = self.guarded(server="connections = 64").start()
        daemon.api = self.api(daemon, self.all)
        before = self.rss(daemon)
        head = f"Host: x\r\nAuthorization: Bearer {self.all.secret}\r\n"
        openings = [
            b"",  # idle
            b"GET / HTTP/1.1\r\nX-Slow: ",  # slowloris
            f"POST /api/v1/rollouts HTTP/1.1\r\n{head}Content-Length: 1048576\r\n\r\n".encode() + b"x" * 65536,
            f"POST /api/v1/rollouts HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n10000\r\n".encode() + b"x" * 32768,
            f"GET /api/v1/events HTTP/1.1\r\n{head}\r\n".encode(),  # never reads
        ]
        hostile = []
        for number in range(300):
            # A crowd's own address has no claim to be served: new ones from there may be turned away.
            one = socket.create_connection(("127.0.0.1", daemon.port), timeout=60, source_address=("127.0.0.66", 0))
            hostile.append(one)
            try:
                # A house full of streams is full of paying clients: there are fewer of them.
                one.sendall(openings[number % 4 if number >= 40 else number % 5])
            except OSError:
                pass  # made room for others already
            if number % 10 == 0:
                self.assertEqual(daemon.api.get("/api/v1/rollouts").status, 200)
        service = self.service()
        rollout = daemon.api.register(**self.fields(service, analysis=HOLDING))["id"]
        self.assertEqual(daemon.api.decide(rollout, "rollback").status, 200)
        self.assertLess(self.rss(daemon) - before, 64 * 1024 * 1024)
        for one in hostile:
            one.close()

    def test_guessing_is_slowed_down_and_locks_nobody_out(self):
        daemon = self.guarded().start()
        known = self.api(daemon, self.all)
        self.assertEqual(known.get("/api/v1/rollouts").status, 200)
        guesses = [self.api(daemon, Token("guess")).get("/api/v1/rollouts").status for _ in range(200)]
        self.assertEqual(set(guesses), {401, 429})
        self.assertEqual(known.get("/api/v1/rollouts").status, 200)
        self.assertIn("wrong tokens", daemon.log())


if __name__ == "__main__":
    unittest.main()
