"""The OpenAPI document before other people's tools: a linter, and a proxy that refuses every request and every answer that
is not as the document says. Every operation goes through it, done and refused."""

import json
import os
import re
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from harness import SOURCE, wait_until  # noqa: E402
from judging import INSTALLED, node  # noqa: E402
from openapi import Document  # noqa: E402
from prism import Prism  # noqa: E402
from programs import Api  # noqa: E402
from receivers import Deployer  # noqa: E402
from rollout_case import RolloutCase  # noqa: E402

QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class TracingDeployer(Deployer):
    """Keeps which trace each order belongs to."""

    def __init__(self, **options):
        self.traces = {}  # by kind
        super().__init__(**options)

    def receive(self, path, headers, body):
        self.traces[json.loads(body)["type"].removeprefix("rollout.")] = headers["traceparent"]
        return super().receive(path, headers, body)


class OpenApi(RolloutCase):
    def test_a_linter_finds_nothing(self):
        tool = INSTALLED / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
        linted = subprocess.run([node(), str(tool), "lint", str(SOURCE / "daemon" / "api" / "openapi.json"), "--extends", "recommended-strict"],
                                cwd=self.place.folder, env={**os.environ, **QUIET}, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(linted.returncode, 0, linted.stdout + linted.stderr)

    # ---- Through the proxy

    def begin(self):
        self.deployer_here = self.place.add(TracingDeployer())
        slack = self.slack()
        policy = self.configuration(self.deployer_here, slack) + '[orchestrator.other]\nurl = "http://127.0.0.1:1/x"\nsecret = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"\n'
        self.server = self.daemon(policy).start()
        self.document = Document(self.server.api.get("/openapi.json").json)
        closed = self.document.closed()
        self.closed = closed
        self.prism = self.place.add(Prism(self.place.folder, closed.text, self.server.url))
        self.api = Api(self.prism.url)
        self.done, self.refused = set(), set()

    def op(self, which, status, body=None, query=None, headers=None, **parts):
        """Calls an operation by its id; the answer has this status, and neither side differs from the document."""
        operation = self.document.operations[which]
        answer = self.api.call(operation.method, self.document.url(operation, query, **parts), body, **(headers or {}))
        self.assertNotIn("stoplight.io", answer.text, f"{which}: {self.reasons(answer)}")
        self.assertEqual(answer.status, status, f"{which}: {answer}")
        (self.done if status < 400 else self.refused).add(which)
        return answer

    @staticmethod
    def reasons(answer):
        return re.sub(r"^.*validation", "", answer.text)

    def test_neither_a_request_nor_an_answer_differs_from_the_document(self):
        self.begin()
        good, bad = self.service(), self.service(errors=0.9)
        names = {"ns": "default", "name": good}
        held = {"steps": [{"weight": 5, "hold": "1h"}, {"weight": 25, "hold": "1h"}]}

        # What is configured.
        policies = self.op("listPolicies", 200).json["items"]
        self.assertEqual(policies, [{"name": "quick", "conditions": ["errors", "latency"], "steps": 2, "locked": False}])
        self.assertEqual(self.op("getPolicy", 200, name="quick").json["analysis"]["condition"][0]["interval"], "500ms")
        self.op("getPolicy", 404, name="none")
        self.assertEqual({item["kind"] for item in self.op("listTargets", 200).json["items"]}, {"orchestrator", "notifier"})
        self.op("listNodes", 200)
        self.op("testOrchestrator", 200, {"service": good, "labels": {"tier": "web"}}, name="deployer")
        self.op("testOrchestrator", 404, name="none")
        self.assertEqual(self.op("testNotifier", 200, {"by": "ana"}, name="people").json["outcome"], "done")
        self.op("testNotifier", 404, {}, name="none")

        # Registering.
        fields = self.fields(good, orchestrator="deployer", analysis=held, labels={"tier": "web"}, links={"change": "https://git.example.net/1"})
        first = self.op("registerRollout", 201, fields, headers={"Idempotency_Key": "one", "traceparent": TRACE})
        rollout = first.json["id"]
        self.assertTrue(first.headers["Location"].endswith(rollout))
        self.assertEqual(self.op("registerRollout", 200, fields, headers={"Idempotency_Key": "one"}).json["id"], rollout)
        self.assertEqual(self.op("registerRollout", 200, {**fields, "by": "another"}, headers={"Idempotency_Key": "one"}).json["id"], rollout)
        self.op("registerRollout", 422, {**fields, "attempt": 7}, headers={"Idempotency_Key": "one"})
        self.op("registerRollout", 422, {**fields, "policy": ["none"]})
        sick = self.op("registerRollout", 201, self.fields(bad, orchestrator="deployer")).json["id"]

        # Looking.
        one = self.op("getRollout", 200, id=rollout)
        self.server.wait_for_state(rollout, "analyzing")
        self.op("getRollout", 404, id="ro_none")
        view = self.server.wait_for(rollout, lambda r: r["step"] and r["conditions"][0]["last"], "to be judged")
        self.assertEqual(view["state"], "analyzing")
        self.assertNotEqual(one.headers["ETag"], "")
        self.op("listRollouts", 200, query={"state": ["active", "promoted"], "namespace": "default", "label.tier": "web", "limit": 1})
        page = self.op("listRollouts", 200, query={"limit": 1}).json
        self.op("listRollouts", 200, query={"limit": 1, "cursor": page["next_cursor"]})
        self.op("listRollouts", 422, query={"cursor": "none"})
        self.op("getVerdict", 200, id=rollout, query={"wait": "1ms"})
        self.op("getVerdict", 404, id="ro_none")
        self.check_is_what_a_slot_would_be(rollout, good)

        # The one that fails: rolled back, explained.
        self.server.wait_for_end_of(sick)
        self.assertEqual(self.op("getVerdict", 200, id=sick, query={"wait": "10s"}).json["status"], "TERMINAL")
        for name in ("listEvaluations", "listEvents", "listDeliveries"):
            self.assertTrue(self.op(name, 200, id=sick).json["items"])
            self.assertIn("next_cursor", self.op(name, 200, id=sick, query={"limit": 1}).json)
            self.op(name, 404, id="ro_none")
        self.op("explainDecision", 200, id=sick)
        self.op("explainDecision", 404, id=sick, query={"decision": "de_none-1"})
        self.op("registerRollout", 409, self.fields(bad))
        self.op("explainDecision", 404, id="ro_none")

        self.views(rollout, sick)

        # Deciding.
        self.op("pauseRollout", 412, {}, headers={"If_Match": '"r0"'}, id=rollout)
        self.op("resumeRollout", 409, {}, id=rollout)
        self.op("pauseRollout", 200, {"reason": "a look", "by": "ana"}, headers={"traceparent": OTHER_TRACE}, id=rollout)
        self.op("pauseRollout", 409, {}, id=rollout)
        self.op("resumeRollout", 200, {"question": self.server.api.rollout(rollout)["question"]["id"]}, id=rollout)
        self.op("extendRollout", 200, {"for": "10m", "by": "ana"}, id=rollout)
        self.op("extendRollout", 404, {"for": "10m"}, id="ro_none")
        self.op("reportProgress", 200, {"weight": 5, "by": "argo"}, id=rollout)
        self.op("reportProgress", 404, {"weight": 5}, id="ro_none")
        self.freezes(good, rollout, names)
        self.server.wait_for(rollout, lambda r: r["order"] is None, "to have no order out")
        self.op("advanceRollout", 200, id=rollout)
        self.op("advanceRollout", 404, id="ro_none")
        self.server.wait_for(rollout, lambda r: r["order"] is None, "to have no order out")
        self.op("promoteRollout", 200, {"by": "ana"}, id=rollout)
        self.op("promoteRollout", 404, id="ro_none")
        self.server.wait_for_end_of(rollout)
        for verb in ("cancel", "rollback"):
            running = self.op("registerRollout", 201, self.fields(self.service(), orchestrator="deployer", analysis=held)).json["id"]
            self.op(verb + "Rollout", 200, {"reason": "enough"}, id=running)
            self.server.wait_for_end_of(running)
            self.op(verb + "Rollout", 409, {}, id=running)
        self.assertEqual(self.deployer_here.traces["advance"], None, "of the last one, which was registered without a trace")
        self.assertEqual(self.deployer_here.traces["pause"], OTHER_TRACE, "the decision's own")
        self.assertEqual(self.deployer_here.traces["promote"], TRACE, "else the registration's")
        self.deliveries(sick)

        # For tools that ask, and the daemon itself.
        self.op("askFlaggerGate", 403, {"name": "nobody", "namespace": "default"}, gate="confirm-rollout")
        self.op("askFlaggerGate", 200, {"name": bad, "namespace": "default", "phase": "Failed", "metadata": {"more": "x"}}, gate="rollback")
        alert = {"status": "firing", "labels": {"alertname": "Slow"}, "startsAt": "2026-11-20T06:52:30Z", "fingerprint": "f1"}
        self.op("takeAlerts", 200, {"version": "4", "alerts": [alert]})
        for name in ("getIndex", "getMetrics", "getHealthy", "getReady", "reload", "reloadWithPut"):
            self.op(name, 200)
        document = self.op("getOpenApi", 200)
        self.op("getOpenApi", 304, headers={"If_None_Match": document.headers["ETag"]})
        self.exports(rollout, sick)

        # A stream has no end that a proxy could wait for: its refusals go through it, itself goes past it.
        self.op("streamEvents", 410, query={"after": 10**9})
        self.op("streamEvents", 404, query={"rollout": "ro_none"})
        self.done.add("streamEvents")
        self.assertEqual(self.done, set(self.document.operations))
        can_refuse = {name for name, operation in self.document.operations.items()
                      if set(operation.fields["responses"]) & {"404", "409", "410", "412"}} - {"reload", "reloadWithPut"}
        self.assertLessEqual(can_refuse, self.refused)

    def views(self, going_on, ended):
        """The one answer that each view of the page is made of."""
        fleet = self.op("getFleet", 200, query={"q": "1.1", "values": 5})
        self.assertIn(going_on, [row["id"] for row in fleet.json["active"]["items"]])
        self.assertIn(ended, [row["id"] for row in fleet.json["ended"]["items"]])
        self.op("labelRollout", 200, {"label": "right", "reason": "it failed", "by": "ana"}, id=ended)
        self.op("labelRollout", 409, {"label": "wrong", "reason": "not over"}, id=going_on)
        self.op("labelRollout", 404, {"label": "right", "reason": "x"}, id="ro_none")
        self.op("getFleet", 200, query={"id": [going_on, ended], "state": ["active", "rolled_back"], "label.tier": "web"})
        page = self.op("getFleet", 200, query={"limit": 1, "ended": 1}).json
        for name, cursor in (("active", "cursor"), ("ended", "ended_cursor")):
            if "next_cursor" in page[name]:
                self.op("getFleet", 200, query={cursor: page[name]["next_cursor"]})
        self.op("getFleet", 422, query={"cursor": "none"})
        report = self.op("getReport", 200, id=ended)
        self.assertIn("was rolled back: errors", report.json["headline"])
        self.assertIn("f", report.json["conditions"][0]["points"]["outcome"])
        whole = self.server.api.rollout(ended)  # which is watched on after its rollback
        self.assertEqual(set(report.json["rollout"]), set(whole))
        self.assertEqual([report.json["rollout"][name] for name in ("id", "state", "reason", "analysis")], [whole[name] for name in ("id", "state", "reason", "analysis")])
        same = self.op("getPolicy", 200, name="quick")
        self.assertEqual(same.json["warnings"], [])
        later = self.op("getReport", 200, id=ended, query={"after": report.json["evaluations_after"], "points": 3}).json
        both = [set(one["conditions"][0]["points"]["at"]) for one in (report.json, later)]
        self.assertEqual(both[0] & both[1], set(), "nothing is told twice, and it is watched on")
        self.op("getReport", 200, id=going_on)
        self.op("getReport", 404, id="ro_none")
        self.assertTrue(self.op("listAllDeliveries", 200, query={"state": ["done", "failed"], "class": "order", "target": "deployer"}).json["items"])
        page = self.op("listAllDeliveries", 200, query={"limit": 1}).json
        self.op("listAllDeliveries", 200, query={"cursor": page["next_cursor"]})
        self.op("listAllDeliveries", 422, query={"cursor": "none"})
        status = self.op("getStatus", 200).json
        self.assertEqual([source["up"] for source in status["datasources"]], [True])
        self.assertTrue(status["ready"])
        self.assertEqual(self.op("getMe", 200).json["scopes"], ["read", "register", "decide", "admin"])

    def check_is_what_a_slot_would_be(self, rollout, service):
        fields = {"policy": "quick", "service": service, "stable": "1.0", "candidate": "1.1"}
        checked = self.op("checkConditions", 200, fields).json["items"]
        events = len(self.server.api.events(rollout))
        latest = {}

        def every_condition_was_answered():
            for evaluation in self.server.api.evaluations(rollout):
                if evaluation["outcome"] != "missed":
                    latest[evaluation["condition"]] = evaluation
            return set(latest) == {item["condition"] for item in checked}

        wait_until(every_condition_was_answered, "a slot of each condition with an answer")
        for item in checked:
            slot = latest[item["condition"]]
            if slot["cause"] == item["cause"]:  # a slot that reaches back before its step says so
                self.assertEqual({name: item[name] for name in ("outcome", "value", "rule", "series", "detail")},
                                 {name: slot[name] for name in ("outcome", "value", "rule", "series", "detail")})
            asked = subprocess.run(["bash", "-c", item["curl"]], capture_output=True, text=True, timeout=60, check=True)
            self.assertEqual(json.loads(asked.stdout)["status"], "success")
        self.assertEqual([item["condition"] for item in checked], ["errors", "latency"])
        sick = {"name": "sick", "query": f'e2e_errors{{service="{service}"}} >= 0.01', "evidence": f'e2e_errors{{service="{service}"}} * 1e6'}
        item = self.op("checkConditions", 200, {"service": service, "candidate": "1.1", "analysis": {"condition": [sick]}}).json["items"][0]
        self.assertEqual((item["outcome"], item["value"], item["evidence"]["value"]), ("fail", 0.01, 10000))
        broken = {"name": "broken", "query": "sum(up", "fail_if": "> 1"}
        self.op("checkConditions", 422, {"service": service, "candidate": "1.1", "analysis": {"condition": [broken]}})
        self.op("checkConditions", 422, {**fields, "condition": "none"})
        nothing = {"name": "nothing", "query": "no_such_metric > 1"}
        item = self.op("checkConditions", 200, {"service": service, "candidate": "1.1", "analysis": {"condition": [nothing]}}).json["items"][0]
        self.assertEqual((item["outcome"], item["value"]), ("no_data", None))
        self.assertEqual(len([e for e in self.server.api.events(rollout)][:events]), events)

        self.calibrates(service)

    def calibrates(self, service):
        compares = {"name": "errors", "compare": "rate", "events": 'up{version="{{version}}"}', "bad_events": 'down{version="{{version}}"}'}
        fields = {"service": service, "stable": "1.0", "from": "2h", "analysis": {"condition": [compares]}}
        lines = [json.loads(line) for line in self.op("calibrate", 200, fields).text.splitlines()]
        self.assertEqual((lines[0]["type"], lines[1]["type"], lines[-1]["meaning"]), ("calibration", "window", "nothing"))
        for line in lines:
            self.assertEqual(self.closed.problems({"$ref": "#/components/schemas/CalibrationLine"}, line), [])
        self.op("calibrate", 422, {**fields, "from": "1m"})

    def freezes(self, service, rollout, names):
        self.op("getService", 200, **names)
        self.op("getService", 404, ns="default", name="nobody")
        self.op("getFreezeOfService", 404, **names)
        self.op("freezeService", 200, {"reason": "stocktaking", "by": "ana", "until": "2099-01-01T00:00:00Z"}, **names)
        self.op("getFreezeOfService", 200, **names)
        self.op("getService", 200, **names)
        self.op("advanceRollout", 409, id=rollout)
        self.op("thawService", 200, {"by": "ben"}, **names)
        self.op("thawService", 404, **names)
        self.op("getService", 200, **names)
        self.op("getFreezeOfEverything", 404)
        self.op("freezeEverything", 200, {"reason": "holidays"})
        self.op("getFreezeOfEverything", 200)
        self.op("thawEverything", 200)
        self.op("thawEverything", 404)
        self.op("freezeService", 422, {"reason": "x", "until": "2001-01-01T00:00:00Z"}, **names)
        self.refused.add("freezeEverything")  # no 404: there is always everything
        self.refused.add("freezeService")

    def deliveries(self, sick):
        self.deployer_here.by_kind = {"rollback": "refuse"}
        failing = self.op("registerRollout", 201, self.fields(self.service(errors=0.9), orchestrator="deployer")).json["id"]
        self.server.wait_for_state(failing, "rollback_failed")
        self.deployer_here.by_kind = {"rollback": "accept"}
        order = [one for one in self.server.api.orders(failing) if one["kind"] == "rollback"][-1]["id"]
        self.op("redeliverDelivery", 200, {"by": "ana", "reason": "it answers again"}, id=order)
        self.op("redeliverDelivery", 404, id="ord_none-1")
        self.op("redeliverDelivery", 409, {}, id=self.server.api.orders(sick)[0]["id"])
        wait_until(lambda: any(one["state"] == "accepted" for one in self.server.api.orders(failing)), "the rollback to be accepted", [self.server])
        self.op("acknowledgeDelivery", 200, {"status": "done", "detail": "done by hand"}, id=order)
        self.op("acknowledgeDelivery", 404, {"status": "done"}, id="ord_none-1")

    def told(self, rollout):
        api = self.server.api
        return {"rollout": [api.rollout(rollout)], "evaluation": api.evaluations(rollout), "event": api.events(rollout), "delivery": api.deliveries(rollout)}

    def exports(self, *rollouts):
        """What is exported is what is told; what goes on meanwhile may be in it, or not yet."""
        before = {rollout: self.told(rollout) for rollout in rollouts}
        lines = [json.loads(line) for line in self.op("exportHistory", 200).text.splitlines()]
        self.assertEqual((lines[0]["type"], lines[-1]["type"]), ("export", "end"))
        self.assertEqual(lines[-1]["data"]["lines"], len(lines))
        schemas = {"rollout": "Rollout", "evaluation": "Evaluation", "event": "Event", "delivery": "Delivery", "freeze": "Freeze"}
        for line in lines:
            self.assertEqual(self.closed.problems({"$ref": "#/components/schemas/ExportLine"}, line), [])
            if line["type"] in schemas:
                self.assertEqual(self.closed.problems({"$ref": "#/components/schemas/" + schemas[line["type"]]}, line["data"]), [])
        for rollout in rollouts:
            of = {kind: [line["data"] for line in lines if line["rollout"] == rollout and line["type"] == kind] for kind in
                  ("rollout", "evaluation", "event", "delivery", "decision")}
            after = self.told(rollout)
            for kind in ("evaluation", "event"):
                self.assertEqual(of[kind][:len(before[rollout][kind])], before[rollout][kind])
                self.assertEqual(of[kind], after[kind][:len(of[kind])])
            for kind, lasting in (("rollout", ("id", "service", "candidate", "state", "analysis", "created_at", "ended_at")), ("delivery", ("id", "kind", "target"))):
                self.assertEqual([{name: one[name] for name in lasting} for one in of[kind]], [{name: one[name] for name in lasting} for one in after[kind]])
            decided = [event["data"]["decision"] for event in of["event"] if event["type"] == "decided"]
            self.assertEqual([one["decision"]["id"] for one in of["decision"]], decided)
        none = [json.loads(line)["type"] for line in self.op("exportHistory", 200, query={"since": "2099-01-01T00:00:00Z", "namespace": "default"}).text.splitlines()]
        self.assertEqual((none[0], none[-1], "rollout" in none), ("export", "end", False))


if __name__ == "__main__":
    unittest.main()
