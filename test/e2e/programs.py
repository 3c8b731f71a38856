"""The two binaries under test: the daemon as a process, the command line, and the API as a client sees it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime

import described as description
from harness import SOURCE, built, free_port, wait_until
from metrics_server import DIRECT

# ROLLWATCH_TEST_PROXY=1 puts a validating proxy before every daemon, which an Api and a Cli call through; here by the
# daemon's address.
proxies = {}
reserved = {}  # by port
PROXIED = bool(os.environ.get("ROLLWATCH_TEST_PROXY"))


def reserved_address():
    """(port, address) of a daemon that starts later, Daemon(…, port=port), for those who are to call it: through the proxy if
    there is one."""
    if not PROXIED:
        port = free_port()
        return port, f"http://127.0.0.1:{port}"
    proxy = standing_proxies().take()
    reserved[proxy.upstream_port] = proxy
    return proxy.upstream_port, proxy.url


def standing_proxies():
    sys.path.append(str(SOURCE / "test" / "judges"))
    from prism import standing
    return standing


FINAL = ("promoted", "rolled_back", "rollback_failed", "cancelled", "superseded")


def milliseconds(time):
    """Of an RFC 3339 time as the API writes it."""
    moment = datetime.strptime(time, "%Y-%m-%dT%H:%M:%S.%fZ")
    return round((moment - datetime(1970, 1, 1)).total_seconds() * 1000)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.text[:2000]}"


def send(method, url, body, headers):
    """One request; a status is never an exception. What does not reach the server raises OSError."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with DIRECT.open(request, timeout=120) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


class Api:
    """HTTP calls; a status is never an exception. What does not reach the server raises OSError, and what differs from
    the API's description is an AssertionError: every answer, and every request that is taken (described.py)."""

    def __init__(self, url, token=None):
        self.url, self.token = url, token

    def call(self, method, path, body=None, *, described=True, **headers):
        """`described`: False for a call that is none of the document's on purpose. If it is refused, it is as all are."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        fields = {} if data is None else {"Content-Type": "application/json"}
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        fields.update((name.replace("_", "-"), value) for name, value in headers.items())
        url = urllib.parse.urlsplit(self.url + path)
        proxy = proxies.get(f"{url.scheme}://{url.netloc}")
        answer, kept_back = proxy.passed_on(method, url, data, fields) if proxy else (None, None)
        if answer is None:
            answer = send(method, url.geturl(), data, fields)
        target = url.path + (f"?{url.query}" if url.query else "")
        description.check_call(method, target, fields, data, answer, described)
        if kept_back and described and answer.status < 300 and method not in description.EVERYWHERE:
            raise AssertionError(f"prism keeps {method} {target} back, and the daemon takes it: {kept_back}")
        return answer

    def get(self, path, **headers):
        return self.call("GET", path, None, **headers)

    def register(self, headers=None, **fields):
        """As a deployer does it: what a busy machine keeps from the store is sent again, and is one rollout."""
        for _ in range(20):
            answer = self.call("POST", "/api/v1/rollouts", fields, **(headers or {}))
            if answer.status not in (503, 504):
                break
            time.sleep(0.5)
        if answer.status not in (200, 201):
            raise AssertionError(f"registration refused: {answer}")
        return answer.json

    def rollout(self, rollout):
        answer = self.get(f"/api/v1/rollouts/{rollout}")
        if answer.status != 200:
            raise AssertionError(f"{rollout}: {answer}")
        return answer.json

    def decide(self, rollout, what, **fields):
        return self.call("POST", f"/api/v1/rollouts/{rollout}/{what}", {"by": "anna", "reason": "a test", **fields})

    def everything(self, path):
        """All pages of a list."""
        items, cursor = [], None
        while True:
            suffix = "?limit=100" + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else "")
            answer = self.get(f"/api/v1/rollouts/{path}{suffix}")
            if answer.status != 200:
                raise AssertionError(f"{path}: {answer}")
            items += answer.json["items"]
            cursor = answer.json.get("next_cursor")
            if not cursor:
                return items

    def evaluations(self, rollout):
        return self.everything(f"{rollout}/evaluations")

    def events(self, rollout):
        return self.everything(f"{rollout}/events")

    def deliveries(self, rollout):
        return self.everything(f"{rollout}/deliveries")

    def orders(self, rollout):
        return [delivery for delivery in self.deliveries(rollout) if delivery["class"] == "order"]

    def explain(self, rollout, decision=None):
        suffix = f"?decision={urllib.parse.quote(decision)}" if decision else ""
        answer = self.get(f"/api/v1/rollouts/{rollout}/explain{suffix}")
        if answer.status != 200:
            raise AssertionError(f"{rollout}: {answer}")
        return answer.json


class Browser:
    """Asks for pages and their files, which no description of an API is about."""

    def __init__(self, url):
        self.url = url

    def get(self, path, **headers):
        return send("GET", self.url + path, None, {name.replace("_", "-"): value for name, value in headers.items()})


class Daemon:
    """rollwatchd with a configuration of its own, started and stopped by the test."""

    def __init__(self, folder, configuration, environment=None, port=None, server=""):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "rollwatch.toml"
        self.log_file = folder / "rollwatchd.log"
        self.environment = environment or {}
        self.process = None
        self.prefix = []  # of its command line
        self.server = server  # further lines of its section
        self.expected_dead = True
        self.proxy = reserved.pop(port, None) if port else standing_proxies().take() if PROXIED else None
        self.port = self.proxy.upstream_port if self.proxy else port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        if self.proxy:
            proxies[self.url] = self.proxy
        self.api = Api(self.url)
        self.configure(configuration)

    def configure(self, configuration):
        """Writes the file; the server's and the store's sections are this class's business."""
        self.file.write_text(f'[server]\nlisten = "127.0.0.1:{self.port}"\n{self.server}\n{configuration}')

    def start(self, wait=True, **environment):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, built("ROLLWATCH_TEST_DAEMON", "rollwatchd"), "--config", str(self.file), "--log-level", "debug"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **self.environment, **environment})
        self.expected_dead = False
        if wait:
            wait_until(self.is_ready, lambda: f"rollwatchd to be ready:\n{self.log()}", [self])
        return self

    def check(self):
        if not self.expected_dead and self.process.poll() is not None:
            raise AssertionError(f"rollwatchd ended by itself with {self.process.returncode}:\n{self.log()[-5000:]}")

    def is_ready(self):
        try:
            return self.api.get("/-/ready").status == 200
        except OSError:
            return False

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def kill9(self):
        self.expected_dead = True
        self.process.kill()
        self.process.wait()

    def wait_for_end(self):
        """Its exit code; it was asked to end, or is expected to end by itself."""
        self.expected_dead = True
        return self.process.wait(timeout=120)

    def stop(self):
        """SIGTERM; the exit code."""
        self.expected_dead = True
        self.process.send_signal(signal.SIGTERM)
        return self.wait_for_end()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def metric(self, name, **labels):
        """One value of /metrics by its name and exact labels, or None."""
        for line in self.api.get("/metrics").text.splitlines():
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0] == name and dict(re.findall(r'(\w+)="([^"]*)"', series)) == labels:
                return float(value)
        return None

    def wait_for(self, rollout, condition, what):
        """The rollout, once condition(rollout) holds."""
        seen = {}

        def holds():
            seen.update(self.api.rollout(rollout))
            return condition(seen)

        wait_until(holds, lambda: f"{rollout} {what}; it is {json.dumps(seen, indent=1)[:4000]}", [self])
        return dict(seen)

    def wait_for_state(self, rollout, *states):
        return self.wait_for(rollout, lambda r: r["state"] in states, f"to be {' or '.join(states)}")

    def wait_for_end_of(self, rollout):
        return self.wait_for_state(rollout, *FINAL)

    def close(self):
        code = 0 if self.process is None or self.process.poll() is not None else self.stop()
        if self.proxy:
            del proxies[self.url]
            standing_proxies().put_back(self.proxy)
        return [] if code == 0 else [f"rollwatchd ended with {code} on SIGTERM"]


class Cli:
    """rollwatch, pointed at a daemon, or at the proxy before it."""

    def __init__(self, url):
        server = proxies[url].url if url in proxies else url
        self.environment = {**os.environ, "ROLLWATCH_SERVER": server, "USER": "anna"}

    def begin(self, *arguments):
        return subprocess.Popen([built("ROLLWATCH_TEST_CLI", "rollwatch"), *arguments], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self.environment)

    def run(self, *arguments):
        return finish(self.begin(*arguments))


def finish(process):
    """Waits for a command line's end: (exit code, stdout, stderr)."""
    out, err = process.communicate(timeout=180)
    return process.returncode, out, err


def check_config(path, **environment):
    """rollwatchd --check-config: (exit code, everything it said)."""
    done = subprocess.run([built("ROLLWATCH_TEST_DAEMON", "rollwatchd"), "--check-config", str(path)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60, env={**os.environ, **environment})
    return done.returncode, done.stdout
