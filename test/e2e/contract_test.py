"""What is promised of the HTTP API, word for word: the fields of every answer, the statuses of every refusal."""

import re
import unittest

from rollout_case import RolloutCase

# At least these, of each.
ROLLOUT = """id namespace service target stable candidate attempt policy state verdict reason step conditions question
             fence orchestrator notify labels args by links created_at updated_at ended_at analysis analysis_sources"""
STEP = "index weight since"
CONDITION = "name verdict on_fail value rule last counts next_slot"
LAST = "slot outcome detail"
COUNTS = "pass fail inconclusive no_data error missed"
EVALUATION = "condition slot evaluated_at outcome value rule series detail duration_ms step"
EVENT = "seq at type rollout data"
DELIVERY = "id kind target state attempts"
ATTEMPT = "at status error duration_ms answer"
VERDICT = "id state verdict final pass fail percent status progress_message reason next_slot"
BUNDLE = "decision condition evaluation window siblings deliveries"
DECISION = "id kind by at reason"
EXPLAINED = "query time datasource response response_sha256 warnings value rule arithmetic curl graph_url"

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
TIMES = {"since", "created_at", "updated_at", "ended_at", "slot", "next_slot", "evaluated_at", "at", "time"}


class Contract(RolloutCase):
    def setUp(self):
        self.receiver, self.people = self.deployer(), self.slack()
        self.server = self.daemon(self.configuration(self.receiver, self.people)).start()
        self.api = self.server.api

    def assert_has(self, value, fields, what):
        self.assertLessEqual(set(fields.split()), set(value), what)
        for name in TIMES & set(value):
            if value[name] is not None:
                self.assertRegex(value[name], TIME, f"{what}: {name} is RFC 3339, UTC, with milliseconds")

    def page(self, path):
        answer = self.api.get(path + "?limit=500")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"), answer)
        self.assertEqual(set(answer.json), {"items"}, "no next_cursor at the end")
        self.assertTrue(answer.json["items"])
        return answer.json["items"]

    def test_every_answer_has_its_fields(self):
        service = self.service(errors=0.2)
        rollout = self.api.register(**self.fields(service, orchestrator="deployer", labels={"tier": "web"}))["id"]
        self.server.wait_for_end_of(rollout)
        path = f"/api/v1/rollouts/{rollout}"
        view = self.api.rollout(rollout)
        for one in (view, self.page("/api/v1/rollouts")[0]):
            self.assert_has(one, ROLLOUT, "a rollout")
            self.assert_has(one["step"], STEP, "a step")
            self.assertEqual(len(one["conditions"]), 2)
            for condition in one["conditions"]:
                self.assert_has(condition, CONDITION, "a condition")
                self.assert_has(condition["last"], LAST, "the latest slot of a condition")
                self.assertEqual(set(condition["counts"]), set(COUNTS.split()))
        self.assertRegex(view["analysis_sources"]["/condition/0/interval"], r"^policy quick rollwatch\.toml:\d+$")
        for evaluation in self.page(path + "/evaluations"):
            self.assert_has(evaluation, EVALUATION, "an evaluation")
            self.assertIsInstance(evaluation["rule"], str)
        for event in self.page(path + "/events"):
            self.assert_has(event, EVENT, "an event")
            self.assertEqual(event["rollout"], rollout)
        deliveries = self.page(path + "/deliveries")
        self.assertEqual({delivery["id"][:3] for delivery in deliveries}, {"ord", "no_"}, "orders and notifications")
        for delivery in deliveries:
            self.assert_has(delivery, DELIVERY, "a delivery")
            for attempt in delivery["attempts"]:
                self.assert_has(attempt, ATTEMPT, "an attempt")
        verdict = self.api.get(path + "/verdict")
        self.assertEqual(list(verdict.json), VERDICT.split())
        self.assertIsInstance(verdict.json["progress_message"], str)
        bundle = self.api.explain(rollout)
        self.assert_has(bundle, BUNDLE, "the bundle")
        self.assert_has(bundle["decision"], DECISION, "its decision")
        self.assert_has(bundle["evaluation"], EXPLAINED, "its evaluation")
        self.assert_has(bundle["deliveries"][0], DELIVERY, "its delivery")
        self.assertEqual([slot["outcome"] for slot in bundle["window"]], ["fail"] * 3)
        self.assertEqual([sibling["name"] for sibling in bundle["siblings"]], ["latency"])

    def test_every_refusal_has_its_status(self):
        held = {"steps": [{"weight": 5, "hold": "1h"}]}
        rollout = self.api.register(**self.fields(self.service(), orchestrator="deployer", analysis=held))["id"]
        rollouts, path = "/api/v1/rollouts", f"/api/v1/rollouts/{rollout}"
        good = {"service": "x", "candidate": "2", "policy": "quick"}
        rows = [
            ("not JSON", "POST", rollouts, b"{", {}, 400),
            ("a name given twice", "POST", rollouts, b'{"service": "a", "service": "b"}', {}, 400),
            ("no JSON by its type", "POST", rollouts, b"{}", {"Content_Type": "text/plain"}, 415),
            ("a list", "POST", rollouts, [], {}, 422),
            ("an unknown field", "POST", rollouts, {**good, "polcy": "quick"}, {}, 422),
            ("candidate is stable", "POST", rollouts, {**good, "stable": "2"}, {}, 422),
            ("too large", "POST", rollouts, {**good, "by": "x" * (1 << 20)}, {}, 413),
            ("an unknown query parameter", "GET", rollouts + "?stat=active", None, {}, 422),
            ("another list's cursor", "GET", rollouts + "?cursor=none", None, {}, 422),
            ("no such rollout", "GET", rollouts + "/ro_none", None, {}, 404),
            ("no verdict of none", "GET", rollouts + "/ro_none/verdict?wait=60s", None, {}, 404),
            ("no such place", "GET", "/api/v1/rollout", None, {"described": False}, 404),
            ("no such delivery", "POST", "/api/v1/deliveries/ord_none-1/ack", {"status": "done"}, {}, 404),
            ("no such decision", "GET", path + "/explain?decision=de_none-1", None, {}, 404),
            ("another method", "DELETE", path, None, {"described": False}, 405),
            ("changed since", "POST", path + "/pause", {}, {"If_Match": '"r0"'}, 412),
            ("nothing to resume", "POST", path + "/resume", {}, {}, 409),
            ("another question", "POST", path + "/pause", {"question": "q7"}, {}, 409),
        ]
        before = self.server.wait_for(rollout, lambda r: r["step"], "to have begun")
        for name, method, where, body, more, status in rows:
            with self.subTest(name):
                answer = self.api.call(method, where, body, **more)
                self.assertEqual(answer.status, status, answer)
                self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
                self.assertLessEqual({"type", "title", "status", "detail"}, set(answer.json))
                self.assertEqual(answer.json["status"], status)
                if status == 422:
                    for error in answer.json["errors"]:
                        self.assertEqual(set(error), {"pointer", "detail"})
        after = self.api.rollout(rollout)
        self.assertEqual((after["state"], after["step"], after["order"]), (before["state"], before["step"], before["order"]))

    def test_an_etag_says_whether_something_changed(self):
        held = {"steps": [{"weight": 5, "hold": "1h"}]}
        rollout = self.api.register(**self.fields(self.service(), analysis=held))["id"]
        path = f"/api/v1/rollouts/{rollout}"
        tag = self.api.get(path).headers["ETag"]
        same = self.api.get(path, If_None_Match=tag)
        self.assertEqual((same.status, same.body), (304, b""))
        # No slot is due before a weight was reported, so only the decision can end this wait.
        self.assertEqual(self.api.get(path + "/verdict").headers["ETag"], tag)
        self.assertEqual(self.api.get(path + "/verdict?wait=1ms", If_None_Match=tag).headers["ETag"], tag)
        self.assertEqual(self.api.call("POST", path + "/pause", {}, If_Match=tag).status, 200)
        news = self.api.get(path + "/verdict?wait=10m", If_None_Match=tag)
        self.assertEqual((news.status, news.json["state"]), (200, "paused"))
        self.assertNotEqual(news.headers["ETag"], tag)
        self.assertEqual(self.api.get(path, If_None_Match=tag).status, 200)


if __name__ == "__main__":
    unittest.main()
