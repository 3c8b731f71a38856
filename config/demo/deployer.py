#!/usr/bin/env python3
"""A deployer: takes Rollwatch's orders and moves HAProxy's weights accordingly. Copy it and make it yours.

    deployer.py --port 8090 --secret-file deployer.secret --haproxy haproxy.sock --backend shop --state deployer.json

What every receiver of orders has to do, in this order:
  1. check the signature, so that nobody else can move your traffic (Standard Webhooks, HMAC-SHA256);
  2. answer a repeat with 200 and do nothing: orders are sent again until an answer arrives, under the same id;
  3. refuse, with 409, an order whose fence is smaller than one already seen: it was overtaken on its way;
  4. do it, remember it, answer 200. Anything but 2xx, 409, 410 and 422 makes Rollwatch try again.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE_SECONDS = 5 * 60
REMEMBERED_ORDERS = 1000
MAX_BODY_BYTES = 1 << 20


def signature(secret, message_id, timestamp, body):
    """What the sender must have put into webhook-signature; secret is `whsec_` and the key in base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def is_genuine(secret, headers, body, now):
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return False  # recorded long ago and played again
    expected = signature(secret, message_id, timestamp, body).encode()
    given = headers.get("webhook-signature", "").encode("utf-8", "replace").split()
    return any(hmac.compare_digest(expected, one) for one in given)


class Memory:
    """The largest fence seen per target and the orders carried out, kept in a file across restarts."""

    def __init__(self, path):
        self.path = path
        self.fences, self.done = {}, []
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                stored = json.load(file)
            self.fences, self.done = stored["fences"], stored["done"]

    def save(self):
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump({"fences": self.fences, "done": self.done[-REMEMBERED_ORDERS:]}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self.path + ".new", self.path)


class HAProxy:
    """The weights of one backend, through HAProxy's runtime socket. A server is called v and its version."""

    def __init__(self, path, backend):
        self.path, self.backend = path, backend

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(self.path)
            connection.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def servers(self):
        rows = self.ask(f"show servers state {self.backend}").splitlines()[2:]  # a version number and a heading
        return [row.split()[3] for row in rows if row.strip()]

    def set_weights(self, weights):
        # The largest share first, so that there is always somebody to send a request to.
        for server, weight in sorted(weights.items(), key=lambda item: -item[1]):
            answer = self.ask(f"set weight {self.backend}/{server} {weight}").strip()
            if answer:  # success is an empty line
                raise OSError(f"HAProxy: {answer}")


class Deployer:
    def __init__(self, secret, memory, haproxy, log=print):
        self.secret, self.memory, self.haproxy, self.log = secret, memory, haproxy, log
        self.one_at_a_time = threading.Lock()

    def receive(self, headers, body, now):
        """The status and words to answer one request with."""
        if not is_genuine(self.secret, headers, body, now):
            return 401, "the signature does not fit"
        try:
            data = json.loads(body)["data"]
            order, rollout = data["order"], data["rollout"]
            target = "/".join([rollout["namespace"], rollout["service"], rollout["target"]])
            kind, weight, fence = order["kind"], int(order["weight"]), int(order["fence"])
        except (ValueError, KeyError, TypeError) as problem:
            return 422, f"not an order: {problem!r}"
        if not 0 <= weight <= 100:
            return 422, f"a weight of {weight} % cannot be"
        with self.one_at_a_time:
            status, words = self.carry_out(headers["webhook-id"], target, kind, weight, fence, rollout)
        self.log(f"{kind} {target}, {rollout['candidate']} to {weight} %, fence {fence}: {status} {words}")
        return status, words

    def carry_out(self, order_id, target, kind, weight, fence, rollout):
        if order_id in self.memory.done:
            return 200, "already so"
        if fence < self.memory.fences.get(target, 0):
            return 409, f"overtaken: fence {self.memory.fences[target]} was seen before"
        # The fence is on disk before anything moves: after a crash right here an older order stays refused,
        # and this one comes again and sets the same weights.
        self.memory.fences[target] = fence
        self.memory.save()
        if kind not in ("pause", "resume"):  # nothing to move: the weights stay where they are
            # The candidate's share, the rest to stable, nothing to any other version.
            servers = self.haproxy.servers()
            weights = dict.fromkeys(servers, 0)
            if rollout.get("stable"):
                weights["v" + rollout["stable"]] = 100 - weight
            weights["v" + rollout["candidate"]] = weight
            if not weights.keys() <= set(servers):
                return 422, f"HAProxy has no server {' or '.join(sorted(weights.keys() - set(servers)))}"
            self.haproxy.set_weights(weights)
        self.memory.done.append(order_id)
        self.memory.save()
        return 200, "done"


def handler_for(deployer):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY_BYTES:
                status, words = 413, "no length, or too large"
            else:
                try:
                    status, words = deployer.receive(self.headers, self.rfile.read(int(length)), time.time())
                except OSError as problem:  # HAProxy is away, the disk is full: Rollwatch tries again
                    status, words = 503, str(problem)
            body = json.dumps({"detail": words}).encode() + b"\n"
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass  # the deployer writes its own line, with what it did

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--secret-file", required=True, help="whsec_…, the same as in Rollwatch's configuration")
    parser.add_argument("--haproxy", required=True, help="HAProxy's runtime socket")
    parser.add_argument("--backend", default="shop")
    parser.add_argument("--state", required=True, help="file to remember fences and orders in")
    options = parser.parse_args()
    with open(options.secret_file, encoding="utf-8") as file:
        secret = file.read().strip()
    signature(secret, "", "", b"")  # a secret that is not base64 had better fail now than at the first order

    def log(line):
        print(time.strftime("%H:%M:%S"), line, flush=True)

    deployer = Deployer(secret, Memory(options.state), HAProxy(options.haproxy, options.backend), log)
    ThreadingHTTPServer(("127.0.0.1", options.port), handler_for(deployer)).serve_forever()


if __name__ == "__main__":
    main()
