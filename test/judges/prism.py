"""prism as a proxy before one daemon: it lets nothing pass, in neither direction, that the OpenAPI document does not say."""

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from harness import SOURCE, free_port, wait_until
from judging import INSTALLED, node
from openapi import Document
from programs import send

# What it answers if nobody does behind it, or hangs up.
NOBODY = ("FetchError", "https://stoplight.io/prism/errors#UNKNOWN")
VIOLATIONS = "https://stoplight.io/prism/errors#VIOLATIONS"


class Prism:
    def __init__(self, folder, document, upstream):
        file = folder / "openapi.json"
        file.write_text(json.dumps(document))
        self.port = free_port()
        self.log = open(folder / "prism.log", "wb")
        command = INSTALLED / "node_modules" / "@stoplight" / "prism-cli" / "dist" / "index.js"
        self.process = subprocess.Popen(
            [node(), str(command), "proxy", str(file), upstream, "--port", str(self.port), "--errors"], cwd=folder,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.url = f"http://127.0.0.1:{self.port}"
        wait_until(self.answers, "prism to answer", [self])

    def answers(self):
        """Whether it does, with or without a daemon behind it."""
        try:
            return send("GET", self.url + "/-/healthy", None, {}) is not None
        except OSError:
            return False

    def check(self):
        if self.process.poll() is not None:
            raise AssertionError(f"prism ended with {self.process.returncode}")

    def passed_on(self, method, url, body, headers):
        """(the daemon's answer, None); or (None, why prism kept the request back), as it does if it is not as described."""
        answer = send(method, self.url + url.path + (f"?{url.query}" if url.query else ""), body, headers)
        if answer.headers.get("X-Request-Id"):  # which every answer of the daemon has
            return answer, None
        try:
            kind = answer.json["type"]
        except (ValueError, KeyError, TypeError):
            kind = None
        if kind == VIOLATIONS:
            raise AssertionError(f"prism: {method} {url.geturl()} is answered with what is not described: {answer}")
        if kind in NOBODY:
            raise ConnectionError(answer.text)
        return None, answer.text

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()


class Standing:
    """Proxies that are used by one daemon after the other: one takes longer to start than many tests take."""

    def __init__(self):
        self.folder = None
        self.free = []

    def take(self):
        """One before `upstream_port`, where nobody listens yet."""
        if self.free:
            return self.free.pop()
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="rollwatch-prism-"))
            atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        document = Document(json.loads((SOURCE / "daemon" / "api" / "openapi.json").read_text())).closed().text
        port = free_port()
        folder = self.folder / str(port)
        folder.mkdir()
        prism = Prism(folder, document, f"http://127.0.0.1:{port}")
        prism.upstream_port = port
        atexit.register(prism.close)
        return prism

    def put_back(self, prism):
        self.free.append(prism)


standing = Standing()
