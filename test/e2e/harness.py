"""What every end-to-end test stands on: a place of its own, waiting for conditions, and logs on failure.

The tests drive the built binaries as a user would. CMake tells where they are:
ROLLWATCH_TEST_DAEMON, ROLLWATCH_TEST_CLI and ROLLWATCH_TEST_SOURCE (the repository).
Nothing here asserts how long something took; waiting ends when its condition holds, or fails the test
after DEADLINE_SECONDS.
"""

import os
import random
import shutil
import socket
import sys
import tempfile
import threading
import time
import traceback
import unittest
from pathlib import Path

sys.dont_write_bytecode = True

DEADLINE_SECONDS = 90
POLL_SECONDS = 0.05
SOURCE = Path(os.environ.get("ROLLWATCH_TEST_SOURCE", Path(__file__).resolve().parents[2]))


def built(variable, name):
    return os.environ.get(variable, str(SOURCE / "build" / "dev" / name))


# Below the ports the system gives to outgoing connections, so that a server which is stopped for a
# while finds its port free when it comes back.
_ports = random.Random(os.getpid() ^ time.time_ns())
_claims = []


def free_port():
    """A port that is this process's until it ends, whether a server listens on it at the moment or not: every other
    test that asks for one sees the claim, a name that the system gives to one socket at a time."""
    while True:
        port = _ports.randrange(20000, 32000)
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0rollwatch-test-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port


def wait_until(condition, what, watch=()):
    """The first truthy value of condition(). `watch`: things that fail loudly if they are no longer well."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        value = condition()
        if value:
            return value
        for one in watch:
            one.check()
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {DEADLINE_SECONDS} s in vain: {what() if callable(what) else what}")
        time.sleep(POLL_SECONDS)


def side_by_side(stories):
    """Runs {name: function} at once, each in its own thread; fails with everything that failed."""
    failures = []

    def tell(name, story):
        try:
            story()
        except BaseException:
            failures.append(f"--- {name}\n{traceback.format_exc()}")

    threads = [threading.Thread(target=tell, args=item) for item in stories.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise AssertionError("\n".join(failures))


class Place:
    """A folder, and everything that was started for one test; ends it, and can show its logs."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="rollwatch-e2e-"))
        self.things = []
        self.lock = threading.Lock()

    def add(self, thing):
        with self.lock:
            self.things.append(thing)
        return thing

    def close(self):
        """What did not end well, as lines."""
        problems = []
        for thing in reversed(self.things):
            try:
                problems += thing.close() or []
            except Exception:
                problems.append(traceback.format_exc())
        self.things.clear()
        return problems

    def logs(self):
        parts = []
        for path in sorted(self.folder.rglob("*.log")):
            lines = path.read_text(errors="replace").splitlines()
            if len(lines) > 400:
                lines = lines[:50] + [f"... {len(lines) - 350} lines ..."] + lines[-300:]
            parts.append(f"=== {path.relative_to(self.folder)}\n" + "\n".join(lines))
        return "\n".join(parts)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


_asked_at_the_end = []


def at_the_end(problems):
    """problems(): lines that fail the test after which it is called, for what no assertion of the test would show."""
    _asked_at_the_end.append(problems)


class PlacedTest(unittest.TestCase):
    """Gives each test a Place (self.place), shows its logs if it fails, and leaves nothing behind."""

    def run(self, result=None):
        result = result if result is not None else self.defaultTestResult()
        self.place = Place()
        before = len(result.failures) + len(result.errors)
        super().run(result)
        problems = self.place.close()
        for told in _asked_at_the_end:
            problems += told()
        if len(result.failures) + len(result.errors) > before:
            print(f"\n##### {self.id()}: logs\n{self.place.logs()}\n##### end of logs", file=sys.stderr, flush=True)
        elif problems:
            report = "ended badly:\n" + "\n".join(problems) + "\n" + self.place.logs()
            result.addFailure(self, (AssertionError, AssertionError(report), None))
        self.place.remove()
        return result
