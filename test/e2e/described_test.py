"""The checker of calls itself: what differs from the document is told, with its operation, its place and the rule."""

import json
import unittest

from described import Description
from harness import SOURCE
from openapi import Document
from programs import Answer

JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
REFUSAL = {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is none"}
ROLLOUTS = "/api/v1/rollouts"
PAUSE = "/api/v1/rollouts/ro_1/pause"
PROGRESS = "/api/v1/rollouts/ro_1/progress"


def answer(status, value=None, headers=None):
    return Answer(status, headers if headers is not None else PROBLEM if status >= 400 else JSON, b"" if value is None else json.dumps(value).encode())


class Described(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = json.loads((SOURCE / "daemon" / "api" / "openapi.json").read_text())
        cls.description = Description(Document(text))
        cls.rollout = text["components"]["schemas"]["Rollout"]["examples"][0]

    def found(self, method, target, got, sent=None, body=None, described=True):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        return self.description.problems(method, target, JSON if sent is None else sent, data, got, described)

    def test_what_is_described_passes(self):
        rollout = self.rollout
        tagged = {**JSON, "ETag": '"r1"'}
        for row in (
                ("GET", ROLLOUTS + "/ro_1", answer(200, rollout, tagged)),
                ("GET", ROLLOUTS + "/ro_1", answer(304, None, {"ETag": '"r1"'}), {"If-None-Match": '"r1"'}),
                ("GET", ROLLOUTS + "?state=active&state=paused&label.tier=web&limit=5", answer(200, {"items": [rollout]})),
                ("GET", ROLLOUTS + "/ro_1", answer(404, REFUSAL)),
                ("HEAD", ROLLOUTS + "/ro_1", answer(200, None, JSON)),
                ("OPTIONS", ROLLOUTS, answer(204, None, {})),
                ("POST", PAUSE, answer(200, rollout)),
                ("POST", PAUSE, answer(200, rollout), JSON, {"reason": "x", "by": None}),
                ("POST", PROGRESS, answer(200, rollout), {"content-type": "application/json; charset=utf-8"}, {"weight": 5}),
                ("GET", ROLLOUTS + "/ro_1", answer(200, rollout), {"Authorization": "Bearer rwt_x"}),
                ("GET", ROLLOUTS + "/ro_1", answer(200, rollout), {"authorization": "Basic eDp5"}),
                # Refused: what was sent may be anything.
                ("POST", PROGRESS, answer(422, {**REFUSAL, "status": 422}), JSON, {"wait": 5}),
                ("GET", ROLLOUTS + "?limit=many", answer(422, {**REFUSAL, "status": 422})),
                ("GET", "/-/ready", answer(200, None, {"Content-Type": "text/plain; charset=utf-8"}))):
            self.assertEqual(self.found(*row), [], row[:2])
        for method, path in (("GET", "/api/v1/rolouts"), ("DELETE", ROLLOUTS)):
            self.assertEqual(self.found(method, path, answer(404, REFUSAL), described=False), [])

    def test_what_differs_is_told(self):
        rollout = self.rollout
        without = {name: value for name, value in rollout.items() if name != "fence"}
        for expected, *row in (
                ("there is no GET /api/v1/rolouts", "GET", "/api/v1/rolouts", answer(404, REFUSAL)),
                ("there is no DELETE /api/v1/rollouts", "DELETE", ROLLOUTS, answer(405, REFUSAL)),
                ("getRollout does not answer 500", "GET", ROLLOUTS + "/ro_1", answer(500, REFUSAL)),
                ("getRollout 200 is not text/html", "GET", ROLLOUTS + "/ro_1", answer(200, rollout, {"Content-Type": "text/html"})),
                ("getRollout 404 is not application/json", "GET", ROLLOUTS + "/ro_1", answer(404, REFUSAL, JSON)),
                ("getRollout 200: extra is not known", "GET", ROLLOUTS + "/ro_1", answer(200, {**rollout, "extra": 1})),
                ("getRollout 200: fence is missing", "GET", ROLLOUTS + "/ro_1", answer(200, without)),
                ("listRollouts 200/items/0/state", "GET", ROLLOUTS, answer(200, {"items": [{**rollout, "state": "resting"}]})),
                ("listRollouts 200/items/0/created_at", "GET", ROLLOUTS, answer(200, {"items": [{**rollout, "created_at": "now"}]})),
                ("getRollout 404/status: is 410", "GET", ROLLOUTS + "/ro_1", answer(404, {**REFUSAL, "status": 410})),
                ("getRollout 200 is no JSON", "GET", ROLLOUTS + "/ro_1", Answer(200, JSON, b"{")),
                ("HEAD has a body", "HEAD", ROLLOUTS + "/ro_1", answer(200, rollout)),
                ("listRollouts 429/Retry-After", "GET", ROLLOUTS, answer(429, {**REFUSAL, "status": 429}, {**PROBLEM, "Retry-After": "soon"})),
                ("reportProgress request: wait is not known", "POST", PROGRESS, answer(200, rollout), JSON, {"weight": 5, "wait": 1}),
                ("reportProgress request: weight is missing", "POST", PROGRESS, answer(200, rollout), JSON, {"by": "argo"}),
                ("reportProgress request/weight: 101 is out of range", "POST", PROGRESS, answer(200, rollout), JSON, {"weight": 101}),
                ("reportProgress request: has no body", "POST", PROGRESS, answer(200, rollout)),
                ("reportProgress request is no JSON", "POST", PROGRESS, answer(200, rollout), JSON, b"{"),
                ("reportProgress request is not text/plain", "POST", PROGRESS, answer(200, rollout), {"Content-Type": "text/plain"}, {"weight": 5}),
                ("getRollout request/Authorization: digest is not", "GET", ROLLOUTS + "/ro_1", answer(200, rollout), {"Authorization": "Digest x"}),
                ("listPolicies request: takes no body", "GET", "/api/v1/policies", answer(200, {"items": []}), JSON, {}),
                ("request/?limit: 501 is out of range", "GET", ROLLOUTS + "?limit=501", answer(200, {"items": []})),
                ("request/?stat: is not known", "GET", ROLLOUTS + "?stat=active", answer(200, {"items": []})),
                ("request/?label.: is not known", "GET", ROLLOUTS + "?label.=x", answer(200, {"items": []})),
                ("request/?state/0", "GET", ROLLOUTS + "?state=resting", answer(200, {"items": []})),
                ("request/?service: is given twice", "GET", ROLLOUTS + "?service=a&service=b", answer(200, {"items": []}))):
            found = self.found(*row)
            self.assertTrue(any(expected in one for one in found), f"{expected!r} is not in {found}")
        for status, value, headers in ((200, {}, JSON), (404, REFUSAL, JSON), (404, {"status": 404}, PROBLEM), (404, {**REFUSAL, "status": 400}, PROBLEM)):
            self.assertNotEqual(self.found("GET", "/api/v1/rolouts", answer(status, value, headers), described=False), [])

    def test_events_of_the_stream(self):
        event = {"seq": 1, "at": "2026-01-02T03:04:05.678Z", "type": "registered", "rollout": "ro_1",
                 "data": {"state": "waiting", "summary": "x", "verdict": "pending", "by": "ci"}}
        self.assertEqual(self.description.event_problems(event), [])
        for change in ({"seq": 0}, {"type": "exploded"}, {"more": 1}, {"data": {**event["data"], "more": 1}}):
            self.assertEqual(len(self.description.event_problems({**event, **change})), 1, change)


if __name__ == "__main__":
    unittest.main()
