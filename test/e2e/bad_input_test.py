"""Whatever is sent: a bad request is a 4xx that says what is wrong, a bad file changes nothing, and the
rollout that is under way is still watched afterwards.

Bad requests are made from good ones by mutation, with a seed that is printed. A mutation that must make
a request bad has to be refused with its errors; damage to the bytes may leave it good by chance, and is
held only to "never a 5xx, never a dead daemon".
"""

import copy
import json
import os
import random
import unittest

from harness import wait_until
from rollout_case import RolloutCase

SEED = int(os.environ.get("ROLLWATCH_TEST_SEED", random.randrange(1 << 32)))
ROUNDS = 400

POLICY = '''
[policy.quick]
steps = [ { weight = 5, hold = "20m" } ]
interval = "500ms"
[[policy.quick.condition]]
name = "errors"
query = 'max(e2e_errors{service="{{service}}",version="{{candidate}}"}) > 0.05'
'''

# Every field and every key of an analysis that a request may give, each good; in a namespace of its own.
GOOD = {
    "namespace": "damaged", "service": "shop", "target": "eu-1", "stable": "1.0", "candidate": "1.1",
    "policy": "quick", "labels": {"tier": "web"}, "args": {"n": "5"}, "orchestrator": "deployer", "notify": [],
    "by": "ci", "links": {"change": "https://example.net/1"}, "attempt": 1, "observe": False,
    "analysis": {
        "steps": [{"weight": 5, "hold": "20m", "approve": False}, {"weight": 25}],
        "ready": {"query": 'sum(up{app="{{service}}"})', "at_least": 1, "timeout": "10m", "retry_after": "1m",
                  "attempts": 2, "on_lost": "pause"},
        "approve": "start", "soak": "1m", "patience": "5m", "on_inconclusive": "pause", "deadline": "2h",
        "on_deadline": "pause", "recovery": "1m", "interval": "1s", "window": "10s", "initial_delay": "1s",
        "timeout": "1s", "datasource": "default", "fail_after": 20, "within": 30, "min_passes": 1,
        "on_fail": "pause", "on_no_data": "wait", "on_error": "wait",
        "condition": [
            {"name": "shared", "query": "sum by (app) (rate(x[{{window}}]))", "fail_if": "> 1", "pass_if": "< 0.5",
             "reduce": "each", "select": {"app": "{{service}}"}, "evidence": "sum by (app) (y)", "min_evidence": 5,
             "steps": [5, 100], "within": "all", "fail_after": 20},
        ],
    },
}



def shaped(**shape):
    """The same with steps of another shape: only one of the three can be given."""
    good = copy.deepcopy(GOOD)
    del good["analysis"]["steps"], good["analysis"]["condition"][0]["steps"]
    good["analysis"].update(shape)
    return good


RAMP = shaped(ramp={"from": 5, "by": 5, "to": 100, "every": "2m"})
DURATION = shaped(duration="20m")

DECISION = {"reason": "because", "by": "anna", "question": "q1"}
EXTENSION = {**DECISION, "for": "10m"}
FREEZE = {"reason": "stocktaking", "by": "anna", "until": "2099-01-02T03:04:05Z"}
LIFT = {"reason": "counted", "by": "anna"}
PROGRESS = {"weight": 5, "by": "argo", "since": "2026-01-02T03:04:05Z"}
ACK = {"status": "done", "detail": "fine"}

# A member of these may have any name; one with a new name is no mistake.
FREE = {("labels",), ("args",), ("links",), ("analysis", "condition", 0, "select")}
WRONG_TEXTS = ["", "\x00", "x" * 3000]
# Of these any text that is not empty may be good.
QUERIES = ("query", "evidence")


def places(value, path=()):
    """Every place inside of a document, the whole first."""
    yield path
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in members:
        yield from places(inner, path + (key,))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def pointer(path):
    return "".join("/" + str(key) for key in path)


class Mutations:
    """Each makes a good document bad, and names a place that the answer has to point at or into."""

    def __init__(self, good, chance):
        self.good, self.chance = good, chance
        self.places = [path for path in places(good) if path]

    def one(self):
        return self.chance.choice([self.wrong_type, self.wrong_type, self.misspelt, self.wrong_text, self.extra])()

    def changed(self, path, value):
        document = copy.deepcopy(self.good)
        at(document, path[:-1])[path[-1]] = value
        return document

    def wrong_type(self):
        path = self.chance.choice(self.places)
        value = at(self.good, path)
        others = [7.5, True, "nonsense", ["nonsense", 7], {"nonsense": 7}]
        wrong = [other for other in others if type(other) is not type(value)
                 and not (isinstance(value, int) and not isinstance(value, bool) and isinstance(other, float))]
        # A policy may be a text or a list, "within" a number or a word: neither is good here either.
        return self.changed(path, self.chance.choice(wrong)), path

    def misspelt(self):
        path = self.chance.choice([path for path in self.places if isinstance(path[-1], str) and path[:-1] not in FREE])
        document = copy.deepcopy(self.good)
        table = at(document, path[:-1])
        wrong = path[-1] + path[-1][-1]
        table[wrong] = table.pop(path[-1])
        return document, path[:-1] + (wrong,)

    def wrong_text(self):
        path = self.chance.choice([path for path in self.places if isinstance(at(self.good, path), str)])
        any_text = path[-1] in QUERIES or "select" in path
        return self.changed(path, "" if any_text else self.chance.choice(WRONG_TEXTS)), path

    def extra(self):
        tables = [path for path in [()] + self.places
                  if isinstance(at(self.good, path), dict) and path not in FREE]
        path = self.chance.choice(tables)
        return self.changed(path + ("nonsense",), self.chance.choice([1, None, {}, "x"])), path + ("nonsense",)


def damaged(text, chance):
    """The bytes with some of them cut out, doubled or replaced."""
    pieces = [b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"1e999", b"\xff", b"\x00", b"-", b"\\u0000", b"{{"]
    data = bytearray(text)
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(data))
        end = min(len(data), place + chance.randrange(1, 12))
        what = chance.randrange(3)
        data[place:end] = b"" if what == 0 else bytes(data[place:end]) * 2 if what == 1 else chance.choice(pieces)
        if not data:
            return b"{"
    return bytes(data)


# Behind the good file, each wrong in its own way: what is added, and what is said about it.
POLICY_P = "[policy.p]\nduration = '1m'\n"
ORCHESTRATOR = '[orchestrator.other]\nurl = "http://h"\n'
BAD_FILES = {
    "no TOML": ('[policy.p]\nsoak = 15 minutes\n', "rollwatch.toml:"),
    "a misspelt key": ('[store]\nretenton = "1d"\n', 'did you mean "retention"?'),
    "a wrong type": ("[defaults]\ninterval = 30\n", "must be a duration in quotes"),
    "a wrong value": ('[defaults]\non_fail = "rolback"\n', 'did you mean "rollback"?'),
    "an unknown section": ('[sever]\nlisten = ""\n', 'did you mean "server"?'),
    "a table twice": ("[policy.quick]\nsoak = '1m'\n", "give every table and every key once"),
    "a variable that is not set": ('[defaults]\ndatasource = "${ROLLWATCH_NOT_SET}"\n', "ROLLWATCH_NOT_SET is not set"),
    "a query that is none": (POLICY_P + "condition = [{ name = 'c', query = 'sum(x > 1' }]\n", "in the query, line 1"),
    "no datasource": ('[defaults]\ndatasource = "elsewhere"\n', 'there is no datasource "elsewhere"'),
    "a secret's file that is not there": (ORCHESTRATOR + 'secret_file = "nowhere"\n', "cannot be read"),
    "a secret that is none": (ORCHESTRATOR + 'secret = "hunter2"\n', 'must be "whsec_"'),
    "a gate that compares": (POLICY_P + "ready = { query = 'up > 1', at_least = 1 }\n", "ends in a comparison"),
    "locked by a word": ("[defaults]\nlocked = 'yes'\n", "must be true or false"),
    "a ramp that goes nowhere": (
        "[policy.p]\nramp = { from = 5, by = 0, to = 100, every = '2m' }\n", "ramp"),
    "steps of two shapes": (POLICY_P + "ramp = { from = 5, by = 5, to = 100, every = '2m' }\n", "duration"),
    "select beside a variable": (
        POLICY_P + "condition = [{ name = 'c', query = 'x{a=\"{{service}}\"} > 1', select = { a = 'b' } }]\n",
        "with select the query is asked once"),
}
# Good by themselves, but they take away what a rollout needs.
TAKEN_AWAY = {
    "another datasource": "[datasource.other]\nurl = 'http://h'\n",
    "nothing at all": "",
}


class BadInput(RolloutCase):
    def setUp(self):
        print(f"seed {SEED}: ROLLWATCH_TEST_SEED={SEED} repeats this", flush=True)
        self.chance = random.Random(SEED)
        self.deployer_ = self.deployer()
        self.good = self.configuration(self.deployer_, policy=POLICY)
        self.server = self.daemon(self.good).start()
        service = self.service()
        self.valid = self.server.api.register(**self.fields(service, orchestrator="deployer"))["id"]
        self.server.wait_for_state(self.valid, "analyzing")

    def assert_still_watched(self):
        """Slots that came after now, with answers: the daemon is alive and nobody took its rollout away."""
        def passes():
            rollout = self.server.api.rollout(self.valid)
            self.assertEqual(rollout["state"], "analyzing", rollout)
            return rollout["conditions"][0]["counts"]["pass"]
        before = passes()
        wait_until(lambda: passes() > before + 1, "two more slots of the valid rollout", [self.server])
        self.assertEqual(self.server.api.get("/-/ready").status, 200)

    def assert_refused(self, answer, path, sent):
        self.assertIn(answer.status, (400, 422), f"{sent}\n{answer}")
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json", sent)
        problem = answer.json
        self.assertEqual(problem["status"], answer.status)
        self.assertTrue(problem["type"] and problem["title"] and problem["detail"], problem)
        pointers = [error["pointer"] for error in problem["errors"]]
        self.assertTrue(all(error["detail"] for error in problem["errors"]), problem)
        # At the place, in it, or at something it is in: a list that is no list has no member.
        there = pointer(path)
        self.assertTrue(any(one == there or one.startswith(there + "/") or there.startswith(one + "/")
                            for one in pointers), f"{there} is not among {pointers}\n{sent}\n{problem}")

    def test_requests(self):
        api = self.server.api
        for shape, target in ((GOOD, "eu-1"), (RAMP, "eu-2"), (DURATION, "eu-3")):
            known = api.call("POST", "/api/v1/rollouts", {**shape, "target": target})
            self.assertEqual(known.status, 201, known)
        order = api.orders(self.valid)[0]["id"]
        registrations = [GOOD, GOOD, RAMP, DURATION]
        freezes = ("/api/v1/freeze", "/api/v1/services/default/shop/freeze")
        others = [
            *[(DECISION, "POST", f"/api/v1/rollouts/{self.valid}/{verb}")
              for verb in ("advance", "promote", "pause", "resume", "rollback", "cancel")],
            (EXTENSION, "POST", f"/api/v1/rollouts/{self.valid}/extend"),
            (PROGRESS, "POST", f"/api/v1/rollouts/{self.valid}/progress"),
            (ACK, "POST", f"/api/v1/deliveries/{order}/ack"),
            *[(FREEZE, "PUT", path) for path in freezes],
            *[(LIFT, "DELETE", path) for path in freezes],
        ]
        refused = 0
        for number in range(ROUNDS):
            good, method, path = (self.chance.choice(registrations), "POST", "/api/v1/rollouts")
            if number % 3 == 0:  # each of them, and more than once
                good, method, path = others[number // 3 % len(others)]
            body, place = Mutations(good, self.chance).one()
            answer = api.call(method, path, body)
            self.assert_refused(answer, place, f"round {number}: {method} {path} {json.dumps(body)}")
            refused += 1
        self.assertEqual(refused, ROUNDS)
        for number in range(ROUNDS // 2):
            # Only registrations: by chance a damaged decision may still be one.
            body = damaged(json.dumps(GOOD).encode(), self.chance)
            answer = api.call("POST", "/api/v1/rollouts", body)
            self.assertLess(answer.status, 500, f"round {number}: {body!r}\n{answer}")
            if answer.status >= 400:
                self.assertEqual(answer.headers["Content-Type"], "application/problem+json", answer)
                self.assertTrue(answer.json["detail"], answer)
        self.assertEqual(api.get("/api/v1/rollouts?namespace=default").json["items"][0]["id"], self.valid)
        self.assertEqual(api.get("/api/v1/freeze").status, 404, "nothing became frozen")
        self.assert_still_watched()

    def test_what_is_no_request_at_all(self):
        api = self.server.api
        rows = [
            ("POST", "/api/v1/rollouts", b"", 400),
            ("POST", "/api/v1/rollouts", b"[" * 100000, 400),
            ("POST", "/api/v1/rollouts", b'{"service": "' + b"x" * (2 << 20) + b'"}', 413),
            ("POST", "/api/v1/rollouts", b'"x"', 422),
            ("PUT", "/api/v1/rollouts", b"{}", 405),
            ("POST", "/api/v1/rolouts", b"{}", 404),
            ("POST", "/api/v1/rollouts/ro_nobody/pause", b"{}", 404),
            ("POST", "/api/v1/deliveries/ord_nobody/ack", b'{"status": "done"}', 404),
            ("GET", "/api/v1/rollouts?limit=many", None, 422),
            ("GET", "/api/v1/rollouts?stat=active", None, 422),
            ("GET", "/api/v1/rollouts?cursor=nonsense", None, 422),
            ("GET", "/api/v1/rollouts?cursor=%00", None, 400),
        ]
        for method, path, body, status in rows:
            with self.subTest(f"{method} {path}"):
                answer = api.call(method, path, body, described=status != 405 and "rolouts" not in path)
                self.assertEqual(answer.status, status, answer)
                self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
                self.assertTrue(answer.json["detail"])
        self.assert_still_watched()

    def test_a_bad_file_changes_nothing(self):
        server = self.server
        def merged():
            answer = server.api.call("POST", "/api/v1/rollouts", {**GOOD, "analysis": {"duration": "1h"}})
            self.assertIn(answer.status, (200, 201), answer)
            return answer.json["analysis"], answer.json["analysis_sources"]

        before = merged()
        files = {name: (self.good + text, told) for name, (text, told) in BAD_FILES.items()}
        files.update((name, (text, "datasource default is in use by rollout")) for name, text in TAKEN_AWAY.items())
        for name, (text, told) in files.items():
            with self.subTest(name):
                said = server.log().count("reload refused: ")
                server.configure(text)
                server.reload()
                wait_until(lambda: server.log().count("reload refused: ") > said, f"{name} to be refused", [server])
                self.assertEqual(server.metric("rollwatch_config_last_reload_successful"), 0)
                answer = server.api.call("POST", "/-/reload")
                self.assertIn(answer.status, (409, 422), answer)
                self.assertTrue(any(told in error["detail"] for error in answer.json["errors"]), answer)
        self.assertNotIn("hunter2", server.log())
        self.assertEqual(merged(), before)
        self.assert_still_watched()
        server.configure(self.good + '\n[policy.later]\nduration = "1h"\n')
        self.assertEqual(server.api.call("POST", "/-/reload").status, 200)
        self.assertEqual(server.metric("rollwatch_config_last_reload_successful"), 1)
        self.assert_still_watched()


if __name__ == "__main__":
    unittest.main()
