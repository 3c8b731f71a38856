"""Grafana's HTTP API of annotations, as strict as the real one in all that Rollwatch relies on.

A service account's token as a bearer; POST /api/annotations makes one and answers its id; PATCH /api/annotations/ID
changes text, tags, time and timeEnd of one that is there, and answers 404 for one that is not. Grafana takes no text
that is empty, no time that is no whole number of milliseconds, no panel without a dashboard, and shows text as HTML.
What a test wants to go wrong it puts into `script`, for the next calls: a status, "lost" (done, and the connection is
closed without an answer), "login" (200, a page of a proxy), "ok" (as always).
"""

import json
import re
from collections import deque
from html.parser import HTMLParser
from itertools import count

from receivers import Receiver

TOKEN = "glsa_e2e-grafana-token"
DASHBOARDS = {"abc-1": {3, 4}}


class Shown(HTMLParser):
    """What somebody sees of a text, and where its links lead."""

    def __init__(self, text):
        self.words, self.links = "", []
        super().__init__(convert_charrefs=True)
        self.feed(text)
        self.close()

    def handle_data(self, data):
        self.words += data

    def handle_starttag(self, tag, attributes):
        if tag != "a":
            raise AssertionError(f"a tag nobody expects: {tag}")
        self.links.append(dict(attributes)["href"])


class Grafana(Receiver):
    path = ""

    def __init__(self, port=0):
        self.script = deque()
        self.annotations = {}  # by id
        self.calls = []  # (method, path, answer's status)
        self.problems = []  # what no client should ever send
        self.numbers = count(41)
        super().__init__(port)

    def of(self, rollout):
        with self.lock:
            return [dict(a) for a in self.annotations.values() if f"rollout:{rollout}" in a["tags"]]

    def delete(self, annotation):
        with self.lock:
            del self.annotations[annotation["id"]]

    def receive(self, path, headers, body, method="POST"):
        with self.lock:
            planned = self.script.popleft() if self.script else "ok"
            if isinstance(planned, int):
                status, answer = planned, {"message": "planned"}
            elif planned == "login":
                return 200, "text/html", b"<html>log in</html>"
            else:
                status, answer = self.call(method, path, headers, body)
            self.calls.append((method, path, status))
        if planned == "lost":
            return None
        return status, "application/json; charset=UTF-8", json.dumps(answer).encode()

    def call(self, method, path, headers, body):
        if headers["Authorization"] != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        if headers["Content-Type"] != "application/json":
            return self.wrong(415, f"content type {headers['Content-Type']}")
        try:
            fields = json.loads(body)
        except ValueError:
            return self.wrong(400, f"not JSON: {body}")
        one = re.fullmatch(r"/api/annotations/(\d+)", path)
        if method == "POST" and path == "/api/annotations":
            return self.add(fields)
        if method == "PATCH" and one:
            return self.patch(int(one[1]), fields)
        return self.wrong(404, f"{method} {path}")

    def problem_of(self, fields, known):
        if set(fields) - known:
            return f"unknown fields {set(fields) - known}"
        if not isinstance(fields.get("text", "x"), str) or not fields.get("text", "x"):
            return "text field should not be empty"
        Shown(fields.get("text", ""))
        for key in {"time", "timeEnd"} & set(fields):
            if not isinstance(fields[key], int) or fields[key] < 10**12:
                return f"{key} is not milliseconds: {fields[key]}"
        tags = fields.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) and 0 < len(tag) <= 100 for tag in tags):
            return f"tags {tags}"
        if len(set(tags)) != len(tags):
            return f"a tag twice: {tags}"
        return None

    def add(self, fields):
        problem = self.problem_of(fields, {"dashboardUID", "panelId", "time", "timeEnd", "tags", "text"})
        if "text" not in fields or "time" not in fields:
            problem = "no text or no time"
        if "panelId" in fields and "dashboardUID" not in fields:
            problem = "a panel of no dashboard"
        if problem:
            return self.wrong(400, problem)
        uid = fields.get("dashboardUID")
        if uid is not None and uid not in DASHBOARDS:
            return 404, {"message": "Dashboard not found"}
        if fields.get("timeEnd", fields["time"]) < fields["time"]:
            return self.wrong(400, "it ends before it begins")
        number = next(self.numbers)
        self.annotations[number] = {"timeEnd": fields["time"], **fields, "id": number}
        return 200, {"message": "Annotation added", "id": number}

    def patch(self, number, fields):
        problem = self.problem_of(fields, {"time", "timeEnd", "tags", "text"})
        if problem:
            return self.wrong(400, problem)
        if number not in self.annotations:
            return 404, {"message": "Could not find annotation to update"}
        annotation = self.annotations[number]
        annotation.update(fields)
        if annotation["timeEnd"] < annotation["time"]:
            return self.wrong(400, "it ends before it begins")
        return 200, {"message": "Annotation patched"}

    def wrong(self, status, what):
        self.problems.append(what)
        return status, {"message": what}

    def close(self):
        self.stop()
        return self.problems
