"""A paying client beside hostile ones: how long its calls take when it is alone, and while others do their worst.

    hostile_bench.py [--calls 2000] [--crowd 10000]    prints p50 and p99 in milliseconds, and their ratio to the quiet ones

The crowd is a process of its own. Idle: that many connections that never ask anything, opened anew when they are closed.
Slow: as many requests that never end, a byte of header at a time. The paying client asks for one rollout over a kept
connection, and over a new one each time. ROLLWATCH_TEST_DAEMON names the daemon; measure a release build.
"""

import argparse
import errno
import hashlib
import http.client
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from harness import Place, free_port, wait_until  # noqa: E402
from programs import Api, Daemon  # noqa: E402

TOKEN = "rwt_bench"
MOST_SECONDS = 40  # for a row: where a call takes seconds, fewer of them say as much
CONFIGURATION = '''
[[server.token]]
name = "bench"
sha256 = "{hash}"
scopes = ["read", "register"]
[datasource.default]
url = "http://127.0.0.1:{nobody}"
timeout = "1s"
[policy.rest]
duration = "20h"
interval = "1h"
patience = "20h"
[[policy.rest.condition]]
name = "errors"
query = "errors > 1"
'''


def raise_limit():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Crowd:
    """Its loop runs in a child, which says when all of them are there, and ends with this object."""

    def __init__(self, port, size, opening, trickle):
        reading, writing = os.pipe()
        self.child = os.fork()
        if self.child == 0:
            try:
                os.close(reading)
                run_crowd(port, size, opening, trickle, writing)
            finally:
                os._exit(0)
        os.close(writing)
        self.reading = reading
        if os.read(reading, 1) != b"r":
            raise RuntimeError("the crowd did not come together")

    def close(self):
        os.kill(self.child, signal.SIGKILL)
        os.waitpid(self.child, 0)
        os.close(self.reading)


def run_crowd(port, size, opening, trickle, ready):
    poll, members, told = select.epoll(), {}, False
    next_trickle = time.monotonic() + 1
    patience = time.monotonic() + 10
    while True:
        for _ in range(min(200, size - len(members))):
            # Each address has ports for all of them.
            one = socket.socket()
            one.setblocking(False)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            one.bind((f"127.0.0.{2 + len(members) % 8}", 0))
            code = one.connect_ex(("127.0.0.1", port))
            if code not in (0, errno.EINPROGRESS):
                one.close()
                break
            members[one.fileno()] = one
            poll.register(one.fileno(), select.EPOLLOUT)
        for fd, event in poll.poll(0.02):
            one = members[fd]
            try:
                if event & select.EPOLLOUT:
                    poll.modify(fd, select.EPOLLIN)
                    if opening:
                        one.send(opening)
                    continue
                if event & select.EPOLLIN and one.recv(4096):
                    continue
            except OSError:
                pass
            poll.unregister(fd)
            members.pop(fd).close()
        # A server that closes them as fast as they come is besieged all the same.
        if not told and (len(members) >= size * 0.95 or time.monotonic() > patience):
            os.write(ready, b"r")
            told = True
        if trickle and time.monotonic() >= next_trickle:
            next_trickle = time.monotonic() + 1
            for one in members.values():
                try:
                    one.send(trickle)
                except OSError:
                    pass


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


class Paying:
    def __init__(self, daemon, rollout):
        self.daemon, self.path = daemon, f"/api/v1/rollouts/{rollout}"
        self.connection, self.reconnected = None, 0

    def call(self, kept):
        if not kept and self.connection:
            self.connection.close()
            self.connection = None
        for _ in range(3):  # a kept connection may have made room: any client asks again then
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=60)
            try:
                self.connection.request("GET", self.path, headers={"Authorization": f"Bearer {TOKEN}"})
                answer = self.connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status}")
                return
            except (OSError, http.client.HTTPException):
                self.reconnected += 1
                self.connection.close()
                self.connection = None
        raise RuntimeError("a paying client was not served")

    def measure(self, calls, kept):
        times, until = [], time.monotonic() + MOST_SECONDS
        while len(times) < calls and (not times or time.monotonic() < until):
            before = time.perf_counter()
            self.call(kept)
            times.append(time.perf_counter() - before)
        return times


def memory(daemon):
    for line in Path(f"/proc/{daemon.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--calls", type=int, default=2000)
    arguments.add_argument("--crowd", type=int, default=10000)
    options = arguments.parse_args()
    crowd = min(options.crowd, raise_limit() - 200)
    if crowd < options.crowd:
        print(f"only {crowd} connections are possible here (ulimit -Hn)")
    place = Place()
    try:
        daemon = Daemon(place.folder / "daemon", CONFIGURATION.format(
            hash=hashlib.sha256(TOKEN.encode()).hexdigest(), nobody=free_port()))
        place.add(daemon).start()
        api = Api(daemon.url, TOKEN)
        rollout = api.register(service="shop", stable="1", candidate="2", policy="rest")["id"]
        rows = {}
        print(f"{'':34}{'p50 ms':>9}{'p99 ms':>9}{'p50 ratio':>11}{'p99 ratio':>11}{'MiB':>8}{'again':>7}{'calls':>7}", flush=True)
        for name, opening, trickle in (("quiet", None, None), ("idle", b"", b""),
                                       ("slow", b"GET / HTTP/1.1\r\nX-Slow: ", b"x")):
            others = place.add(Crowd(daemon.port, crowd, opening, trickle)) if opening is not None else None
            for kept in (True, False):
                paying = Paying(daemon, rollout)
                paying.measure(5, kept)
                times = paying.measure(options.calls, kept)
                p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
                quiet = rows.setdefault(kept, (p50, p99))
                row = f"{name}, {'kept' if kept else 'new'} connection" + (f", {crowd} others" if others else "")
                print(f"{row:34}{p50:9.2f}{p99:9.2f}{p50 / quiet[0]:11.1f}{p99 / quiet[1]:11.1f}"
                      f"{memory(daemon):8.0f}{paying.reconnected:7}{len(times):7}", flush=True)
            if others:
                place.things.remove(others)
                others.close()
        wait_until(lambda: api.get("/-/healthy").status == 200, "the daemon to be well", [daemon])
    finally:
        problems = place.close()
        place.remove()
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
