"""Registering twice is one rollout, and no label value changes what a query asks."""

import json
import subprocess
import threading
import unittest

from rollout_case import RolloutCase

# One slot decides, and without an orchestrator the rollback takes effect at once: then it is explained.
LABELS = '''
[defaults]
interval = "500ms"
duration = "10m"
[[policy.equal.condition]]
name = "tier"
query = 'e2e_tier{suite="labels",tier="{{labels.tier}}"} > 5'
fail_after = 1
[[policy.regex.condition]]
name = "tier"
query = "e2e_tier{suite='labels',tier=~'{{labels.tier}}'} > 5"
fail_after = 1
[[policy.window.condition]]
name = "tier"
query = 'rate(e2e_tier{suite="labels"}[{{labels.tier}}]) > 5'
[[policy.number.condition]]
name = "tier"
query = 'e2e_tier{suite="labels"} * {{labels.tier}} > 5'
'''

HOSTILE = {
    "a double quote": 'x"} or e2e_tier{tier!="',
    "a single quote": "x'} or e2e_tier{tier!='",
    "a backslash at the end": "x\\",
    "a backslash before a quote": 'x\\" or vector(1) #',
    "a newline": "x\ny",
    "braces": "{{service}} }{ {{labels.tier}}",
    "a regex for everything": ".*",
    "regex characters": "(x|y)[a-z]+$^?\\d",
    "a comment": "x # y",
    "a backtick": "`x`",
    "letters outside ASCII": "größe 🚢",
    "a shell's own": "$(touch /tmp/x); `y` & 'z'",
}


class Registration(RolloutCase):
    def test_twice_is_once(self):
        deployer = self.deployer()
        server = self.daemon(self.configuration(deployer).replace('hold = "1s"', 'hold = "3s"')).start()
        service = self.service()
        body = self.fields(service, orchestrator="deployer")
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(
            server.api.call("POST", "/api/v1/rollouts", body, Idempotency_Key="one"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answer.status for answer in answers), [200] * 7 + [201], answers)
        self.assertEqual(len({answer.json["id"] for answer in answers}), 1)
        rollout = answers[0].json["id"]

        # Without a key: the active rollout of that candidate.
        again = server.api.call("POST", "/api/v1/rollouts", body)
        self.assertEqual((again.status, again.json["id"]), (200, rollout))
        # The same key with another body is a mistake.
        other = server.api.call("POST", "/api/v1/rollouts", {**body, "candidate": "1.2"}, Idempotency_Key="one")
        self.assertEqual(other.status, 422, other)
        self.assertEqual(other.headers["Content-Type"], "application/problem+json")

        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        self.assert_orders(server, deployer, rollout, [("advance", 5), ("advance", 25), ("promote", 100)])
        # The key still names the rollout, over a restart too; without it the next attempt begins.
        self.assertEqual(server.stop(), 0)
        server.start()
        kept = server.api.call("POST", "/api/v1/rollouts", body, Idempotency_Key="one")
        self.assertEqual((kept.status, kept.json["id"], kept.json["state"]), (200, rollout, "promoted"))
        following = server.api.call("POST", "/api/v1/rollouts", body)
        self.assertEqual((following.status, following.json["attempt"]), (201, 2))
        self.assertNotEqual(following.json["id"], rollout)

    def test_after_a_rollback_the_attempt_is_asked_for(self):
        server = self.daemon(self.configuration(self.deployer())).start()
        service = self.service(errors=0.2)
        body = self.fields(service, orchestrator="deployer")
        rollout = server.api.register(**body)["id"]
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rolled_back")
        refused = server.api.call("POST", "/api/v1/rollouts", body)
        self.assertEqual((refused.status, refused.json["attempt"]), (409, 2), refused)
        second = server.api.call("POST", "/api/v1/rollouts", {**body, "attempt": 2})
        self.assertEqual((second.status, second.json["attempt"]), (201, 2), second)

    def test_label_values_do_not_change_the_query(self):
        server = self.daemon(self.configuration(policy=LABELS)).start()
        self.exposition.set("e2e_tier", 99, suite="labels", tier="x")
        self.exposition.set("e2e_tier", 98, suite="labels", tier="anything else")
        for number, value in enumerate(HOSTILE.values()):
            self.exposition.set("e2e_tier", 10 + number, suite="labels", tier=value)
        self.prometheus.wait_for('count(e2e_tier{suite="labels"})', len(HOSTILE) + 2)
        started = []
        for number, (name, value) in enumerate(HOSTILE.items()):
            for policy in ("equal", "regex"):
                fields = self.fields(f"labels-{number}-{policy}", policy=policy, labels={"tier": value})
                started.append((name, value, 10 + number, server.api.register(**fields)["id"]))
        for name, value, number, rollout in started:
            with self.subTest(name):
                view = server.wait_for_end_of(rollout)
                self.assertEqual((view["state"], view["labels"]), ("rolled_back", {"tier": value}))
                evaluation = server.api.explain(rollout)["evaluation"]
                series = json.loads(evaluation["response"])["data"]["result"]
                self.assertEqual([row["metric"]["tier"] for row in series], [value], evaluation["query"])
                self.assertEqual(evaluation["value"], number)
                # Asked by hand, it is the same series; also through the shell.
                self.assertEqual([labels["tier"] for labels, _ in self.prometheus.query(evaluation["query"])], [value])
                again = subprocess.run(["sh", "-c", evaluation["curl"]], capture_output=True, timeout=60, check=True)
                self.assertEqual(json.loads(again.stdout)["data"]["result"], series)
        # Nor does a newline break a line of the command line's table.
        rollout = next(rollout for name, _, _, rollout in started if name == "a newline")
        code, out, err = self.cli(server).run("status", rollout)
        self.assertEqual(code, 0, err)
        self.assertNotIn("\ny", out)

    def test_what_cannot_stand_there_is_refused_at_registration(self):
        server = self.daemon(self.configuration(policy=LABELS)).start()
        rows = [
            ("no duration", "window", "1m]) or vector(9", "labels.tier"),
            ("a duration", "window", "1m", None),
            ("no number", "number", "1) or vector(9", "labels.tier"),
            ("a number", "number", "0.5", None),
            ("no such label", "equal", None, "labels.tier"),
            ("an empty value", "equal", "", "/labels/tier"),
        ]
        for name, policy, value, told in rows:
            with self.subTest(name):
                labels = {} if value is None else {"tier": value}
                answer = server.api.call("POST", "/api/v1/rollouts",
                                         self.fields("refused-" + name.replace(" ", "-"), policy=policy, labels=labels))
                self.assertEqual(answer.status, 422 if told else 201, answer)
                if told:
                    self.assertIn(told, answer.json["detail"])
                    self.assertTrue(answer.json["errors"], answer)


if __name__ == "__main__":
    unittest.main()
