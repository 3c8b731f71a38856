"""Who is told: a deployer that keeps the receiver's side of the contract, and Slack's incoming webhook."""

import base64
import hashlib
import hmac
import html
import json
import threading
import time
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler

from metrics_server import QuietServer

SECRET = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, no more").decode()


def signature(secret, message_id, timestamp, body):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Order:
    """What must be the same in every attempt under one id."""

    id: str
    rollout: str
    kind: str
    weight: float
    fence: int


class Receiver:
    """An HTTP server thread that can go away and come back on its port."""

    def __init__(self, port=0):
        self.port = port
        self.server = None
        self.lock = threading.RLock()
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}{self.path}"

    def start(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self, **more):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = receiver.receive(self.path, self.headers, body, **more)
                if answer is None:
                    return  # hangs up
                status, content_type, text, *more = answer
                self.send_response(status)
                for name, value in (more[0] if more else {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_PATCH(self):
                self.do_POST(method="PATCH")

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


class Deployer(Receiver):
    """Verifies signatures, carries each order out once, refuses what was overtaken, and keeps a record.

    What it answers: `script` for the next attempts, then `by_kind`, then "ack".
      ack       200, carried out                    accept    202, carried out, to be acknowledged later
      refuse    409                                 fail      500
      hang      no answer until released            hang_up   the connection is closed without an answer
      lost      carried out, then hang_up: the answer is lost on its way
    """

    path = "/rollouts"

    def __init__(self, secret=SECRET, port=0):
        self.secret = secret
        self.script = deque()
        self.by_kind = {}
        self.delay = lambda: 0  # seconds between the effect and the answer
        self.attempts = []  # (Order, what was answered)
        self.effects = []  # Orders, each the first time it was carried out
        self.fences = {}
        self.bodies = {}  # by id, of the latest attempt
        self.problems = []
        self.released = threading.Event()
        super().__init__(port)

    def receive(self, path, headers, body):
        with self.lock:
            order, mode = self.read(path, headers, body)
            self.attempts.append((order, mode))
            if mode in ("ack", "accept", "lost"):
                mode = self.carry_out(order, json.loads(body)["data"]["rollout"], mode)
            wait = self.delay()
        if mode == "hang":
            self.released.wait()
            return None
        time.sleep(wait)
        if mode in ("hang_up", "lost"):
            return None
        status = {"ack": 200, "accept": 202, "refuse": 409, "fail": 500, "forged": 401}[mode]
        return status, "application/json", json.dumps({"detail": f"{mode} {order.kind}"}).encode()

    def read(self, path, headers, body):
        message_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        if signature(self.secret, message_id, timestamp, body) not in headers["webhook-signature"].split():
            self.problems.append(f"order {message_id} is not signed with the secret")
            return Order(message_id, "", "", 0, 0), "forged"
        if abs(time.time() - int(timestamp)) > 300:
            self.problems.append(f"order {message_id} is signed for another time: {timestamp}")
        data = json.loads(body)["data"]
        fields = data["order"]
        order = Order(fields["id"], data["rollout"]["id"], fields["kind"], fields["weight"], fields["fence"])
        if order.id != message_id or path != self.path:
            self.problems.append(f"{order} came to {path} as webhook-id {message_id}")
        for before, _ in self.attempts:
            if before.id == order.id and before != order:
                self.problems.append(f"one id, two orders: {before} and {order}")
        self.bodies[order.id] = json.loads(body)
        if self.script:
            return order, self.script.popleft()
        return order, self.by_kind.get(order.kind, "ack")

    def carry_out(self, order, rollout, mode):
        place = (rollout["namespace"], rollout["service"], rollout["target"])
        if any(done.id == order.id for done in self.effects):
            return mode  # already so
        if order.fence < self.fences.get(place, 0):
            return "refuse"
        self.fences[place] = order.fence
        self.effects.append(order)
        return mode

    def effects_of(self, rollout):
        with self.lock:
            return [order for order in self.effects if order.rollout == rollout]

    def attempts_of(self, rollout, kind=None):
        with self.lock:
            return [(order, mode) for order, mode in self.attempts
                    if order.rollout == rollout and kind in (None, order.kind)]

    def close(self):
        self.released.set()
        self.stop()
        return self.problems


class Slack(Receiver):
    """Takes messages as an incoming webhook does."""

    path = "/services/T000/B000/e2e-slack-path"

    def __init__(self):
        self.messages = []
        super().__init__()

    def receive(self, path, headers, body):
        with self.lock:
            if path != self.path:
                return 404, "text/plain", b"no_service"
            self.messages.append(json.loads(body))
        return 200, "text/plain", b"ok"

    def texts(self):
        with self.lock:
            return [html.unescape(message["text"]) for message in self.messages]

    def close(self):
        self.stop()


class Hook(Receiver):
    """Takes notifications as a program would: verifies the signature, keeps each under its id.

    What it does: `script` for the next attempts, then "take".
      take      204                                 a status  that
      hang_up   closed without an answer            endless   200, and 100 MB
      away      a redirect to `elsewhere`           hang      no answer until released
    """

    path = "/hook/e2e-hook-path-0123"

    def __init__(self, port=0, secret=SECRET):
        self.secret = secret
        self.script = deque()
        self.elsewhere = "http://127.0.0.1:1/"
        self.came = []  # {"headers", "body"}, each attempt
        self.events = {}  # by id
        self.problems = []
        self.released = threading.Event()
        super().__init__(port)

    def receive(self, path, headers, body):
        with self.lock:
            number, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
            if path != self.path:
                self.problems.append(f"came to {path}")
            if signature(self.secret, number, timestamp, body) not in headers["webhook-signature"].split():
                self.problems.append(f"{number} is not signed with the secret")
            if abs(time.time() - int(timestamp)) > 300:
                self.problems.append(f"{number} is signed for another time: {timestamp}")
            event = json.loads(body)
            if self.events.setdefault(number, event) != event:
                self.problems.append(f"one id, two bodies: {event}")
            self.came.append({"headers": {name.lower(): value for name, value in headers.items()}, "body": body.decode()})
            mode = self.script.popleft() if self.script else "take"
        if mode == "hang":
            self.released.wait()
        if mode in ("hang", "hang_up"):
            return None
        if mode == "endless":
            return 200, "text/plain", b"x" * 100_000_000
        if mode == "away":
            return 307, "text/plain", b"over there", {"Location": self.elsewhere}
        return (204 if mode == "take" else mode), "text/plain", b"" if mode == "take" else b"no e2e-hook-path-0123 here"

    def types_of(self, rollout):
        with self.lock:
            return [e["type"] for e in self.events.values() if (e["data"]["rollout"] or {}).get("id") == rollout]

    def close(self):
        self.released.set()
        self.stop()
        return self.problems
