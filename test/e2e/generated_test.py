"""Thousands of requests made from the API's own description, good and spoiled: each is answered as the description says,
none with a 5xx, and the daemon is well at the end. ROLLWATCH_E2E_SEED plays one run again, ROLLWATCH_E2E_REQUESTS more."""

import collections
import gzip
import http.client
import json
import os
import time
import unittest
import urllib.parse

from database import Database
from harness import PlacedTest, free_port
from openapi import Document, without_nulls
from openapi_requests import Maker
from programs import Daemon
from receivers import SECRET, Deployer, Slack
from rollout_case import POLICY

REQUESTS = int(os.environ.get("ROLLWATCH_E2E_REQUESTS", "2500"))
# Endless, or so long with a history that it would be most of the time.
RARE = {"streamEvents": 0.2, "exportHistory": 0.2, "reload": 0.2, "reloadWithPut": 0.2, "getMetrics": 0.3, "registerRollout": 4, "checkConditions": 2}
CONFIGURATION = f'''
[datasource.default]
url = "{{nobody}}"
timeout = "1s"
[orchestrator.deployer]
url = "{{deployer}}"
secret = "{SECRET}"
[notifier.people]
type = "slack"
webhook_url = "{{slack}}"
''' + POLICY.replace("{", "{{").replace("}", "}}")


class Generated(PlacedTest):
    def test_every_request_is_answered_as_the_document_says(self):
        self.ask_all("")

    def test_also_with_the_store_that_nodes_share(self):
        database = self.place.add(Database(self.place.folder))
        self.ask_all(f'[store]\nurl = "{database.url()}"\n')

    def ask_all(self, store):
        seed = int(os.environ.get("ROLLWATCH_E2E_SEED", time.time_ns() % 10**9))
        print(f"ROLLWATCH_E2E_SEED={seed}", flush=True)
        # Nobody answers there: what is registered is judged by nothing, and what is checked is an error.
        nobody = f"http://127.0.0.1:{free_port()}"
        deployer, slack = self.place.add(Deployer()), self.place.add(Slack())
        self.server = self.place.add(Daemon(self.place.folder / "daemon", store + CONFIGURATION.format(nobody=nobody, deployer=deployer.url, slack=slack.url), {}))
        self.server.start()
        document = Document(self.server.api.get("/openapi.json").json).closed()
        maker = Maker(document, seed)
        weights = [RARE.get(name, 1) for name in document.operations]
        self.connection = None
        self.counts = collections.Counter()
        refused_of_invalid = 0
        for number in range(3 * REQUESTS):
            names, their_weights = list(document.operations), weights
            if number >= REQUESTS:
                # What chance has left out so far is asked for on purpose.
                names = sorted(self.lacking(document))
                if not names:
                    break
                names, their_weights = names + list(MAKES_POSSIBLE), None
            operation = document.operations[maker.random.choices(names, their_weights)[0]]
            path, body, headers, value = maker.request(operation)
            shown = f"seed {seed}, request {number}: {operation.method} {path} {headers} {(body or b'')[:1500]!r}"
            with Told(shown):
                status, kind, text = self.ask(operation, path, body, headers)
                self.counts[operation.id, status // 100] += 1
                self.assertLess(status, 500, text)
                parsed = json.loads(text) if kind.split(";")[0].endswith(("/json", "+json")) and text else text.decode()
                if status in (404, 405) and not self.is_routed(document, operation, path):
                    continue  # another path by now
                problems = document.answer_problems(operation, status, kind, parsed)
                self.assertEqual(problems, [], parsed)
                if status < 300:
                    self.learn(maker, operation, parsed)
                if value is not None and operation.path.startswith("/api/") and document.problems(operation.body, without_nulls(value)):
                    self.assertGreaterEqual(status, 400, "its body is not what the document describes")
                    refused_of_invalid += 1
        self.assertEqual(self.server.api.get("/-/ready").status, 200)
        print(" ".join(f"{kind}xx:{sum(n for (_, k), n in self.counts.items() if k == kind)}" for kind in (2, 3, 4)), flush=True)
        self.assertGreater(refused_of_invalid, REQUESTS / 20)
        self.assertEqual(self.lacking(document), set(), "never refused, or never done")

        self.assert_exported_whole()

    def lacking(self, document):
        """What was never refused, of what is asked often, and what was never done, of what should be."""
        often = {operation for operation in document.operations if RARE.get(operation, 1) >= 1} - UNREFUSED
        return ({operation for operation in often if not self.counts[operation, 4]}
                | {operation for operation in DONE if not self.counts[operation, 2]})

    def assert_exported_whole(self):
        lines = [json.loads(line) for line in self.server.api.get("/api/v1/export").text.splitlines()]
        self.assertEqual((lines[-1]["type"], lines[-1]["data"]["lines"]), ("end", len(lines)))
        exported = [line["rollout"] for line in lines if line["type"] == "rollout"]
        listed, cursor = [], ""
        while cursor is not None:
            page = self.server.api.get("/api/v1/rollouts?limit=200" + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else "")).json
            listed += [rollout["id"] for rollout in page["items"]]
            cursor = page.get("next_cursor")
        self.assertEqual(exported, listed)
        some = exported[len(exported) // 2]
        for kind, there in (("event", self.server.api.events(some)), ("delivery", self.server.api.deliveries(some))):
            self.assertEqual([line["data"] for line in lines if line["rollout"] == some and line["type"] == kind], there)

    def is_routed(self, document, operation, path):
        """Whether the path, as it is sent, still has as many segments as the operation's."""
        return path.split("?")[0].count("/") == operation.path.count("/")

    def learn(self, maker, operation, answer):
        if operation.id in ("registerRollout", "getRollout"):
            maker.ids["rollout"].append(answer["id"])
        if operation.id == "listDeliveries":
            maker.ids["delivery"] += [item["id"] for item in answer["items"]]
        if isinstance(answer, dict) and "next_cursor" in answer:
            maker.cursors.append(answer["next_cursor"])

    def ask(self, operation, path, body, headers):
        """(status, content type, body) over a kept connection; of a stream only the head."""
        for again in range(2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
            try:
                self.connection.putrequest(operation.method, path, skip_accept_encoding=True)
                for name, value in headers.items():
                    self.connection.putheader(name, value.encode())
                if body is not None:
                    self.connection.putheader("Content-Length", str(len(body)))
                self.connection.endheaders(body)
                response = self.connection.getresponse()
                kind = response.getheader("Content-Type", "")
                if kind == "text/event-stream":
                    self.hang_up()
                    return response.status, kind, b""
                text = response.read()
                if response.getheader("Content-Encoding") == "gzip":
                    text = gzip.decompress(text)
                if response.will_close:
                    self.hang_up()
                return response.status, kind, text
            except (http.client.RemoteDisconnected, ConnectionError):
                self.server.check()
                self.hang_up()
                if again:
                    raise
        raise AssertionError("not reached")

    def hang_up(self):
        if self.connection:
            self.connection.close()
        self.connection = None


DONE = {"registerRollout", "checkConditions", "pauseRollout", "extendRollout", "cancelRollout", "listRollouts", "getVerdict", "freezeService"}
# Without a rollout that goes on nothing can be done with one.
MAKES_POSSIBLE = ("registerRollout", "resumeRollout", "thawEverything", "thawService")
# What nothing can be wrong with.
UNREFUSED = {"getIndex", "getMetrics", "getOpenApi", "getHealthy", "getReady", "reload", "reloadWithPut"}


class Told:
    """Says which request it was if something is wrong with it."""

    def __init__(self, shown):
        self.shown = shown

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Exception):
            raise AssertionError(f"{self.shown}\n{error}") from error
        return False


if __name__ == "__main__":
    unittest.main()
