"""Killed at any moment, the daemon finishes what it decided: every order has one id and takes effect once.

ROLLWATCH_E2E_SEED repeats the moments of an earlier run.
"""

import os
import random
import signal
import time
import unittest

from harness import side_by_side, wait_until
from rollout_case import RolloutCase

GOOD = [("advance", 5), ("advance", 25), ("promote", 100)]
BAD = [("advance", 5), ("rollback", 0)]
KILLS = 20
LATEST_KILL_SECONDS = 1.5


class Crash(RolloutCase):
    def register(self, server, service, **more):
        """Once, however often the daemon dies meanwhile: nothing else than a client of CI would do."""
        def registered():
            try:
                answer = server.api.call("POST", "/api/v1/rollouts", self.fields(service, orchestrator="deployer", **more),
                                         Idempotency_Key="release-" + service)
            except OSError:
                if server.process.poll() is not None:
                    server.expected_dead = True
                    self.assertEqual(server.process.returncode, -signal.SIGKILL, server.log()[-3000:])
                    server.start()
                return None
            if answer.status in (503, 504):  # it is starting, or the disk is busy: "try again"
                return None
            self.assertIn(answer.status, (200, 201), answer)
            return answer.json["id"]
        return wait_until(registered, f"the registration of {service}")

    def assert_story(self, server, deployer, rollout, good):
        """Ended as it should, every order under one id with one effect, and no gap that is not marked."""
        expected = GOOD if good else BAD
        view = server.wait_for_end_of(rollout)
        self.assertEqual(view["state"], "promoted" if good else "rolled_back", view["reason"])
        deliveries = self.assert_orders(server, deployer, rollout, expected)
        self.assertEqual({d["state"] for d in deliveries.values()}, {"done"})
        self.assertEqual(len(deliveries), len(expected), "one decision, one order")
        attempted = {order.id for order, _ in deployer.attempts_of(rollout)}
        self.assertEqual(attempted, set(deliveries), "no attempt under another id")
        by_condition = self.assert_no_gaps(server, rollout)
        decided = [e["data"]["kind"] for e in server.api.events(rollout) if e["type"] == "decided"]
        self.assertEqual(decided, [kind for kind, _ in expected])
        self.assertEqual(server.api.explain(rollout)["decision"]["kind"], expected[-1][0])
        causes = {e["cause"] for rows in by_condition.values() for e in rows if e["outcome"] == "missed"}
        self.assertLessEqual(causes, {"downtime", "late", "overlap", "ended"}, "missed with a reason")

    def test_killed_at_twenty_moments(self):
        seed = int(os.environ.get("ROLLWATCH_E2E_SEED", random.randrange(1 << 32)))
        print(f"moments from ROLLWATCH_E2E_SEED={seed}", flush=True)
        chance = random.Random(seed)
        deployer = self.deployer()
        deployer.delay = lambda: chance.choice((0, 0, 0.1, 0.3))
        server = self.daemon(self.configuration(deployer))
        server.start()
        rollouts = {}
        held = self.register(server, self.service(), analysis={"steps": [{"weight": 5, "hold": "1h"}]})
        server.wait_for(held, lambda r: r["step"], "to have begun")
        self.assertEqual(server.api.decide(held, "pause", reason="a person is looking").status, 200)
        asked = server.api.rollout(held)
        for number in range(KILLS):
            if number % 5 == 0:
                for good in (True, False):
                    service = self.service(errors=0.01 if good else 0.2)
                    rollouts[self.register(server, service, analysis={"soak": "1s"})] = good
            # Measured from the start of the process: some of the moments lie in its start.
            time.sleep(chance.uniform(0, LATEST_KILL_SECONDS))
            server.kill9()
            server.start(wait=False)
        wait_until(server.is_ready, "rollwatchd to be ready", [server])
        for rollout, good in rollouts.items():
            self.assert_story(server, deployer, rollout, good)
        # What a person said is not undone by any of that.
        view = server.api.rollout(held)
        self.assertEqual((view["state"], view["question"]), ("paused", asked["question"]))
        self.assert_no_gaps(server, held)
        self.assertEqual(server.api.decide(held, "cancel").status, 200)
        self.assertEqual(len(server.api.get("/api/v1/rollouts?limit=100").json["items"]), 1 + len(rollouts),
                         "each registration is one rollout")

    def test_killed_at_each_fail_point(self):
        """Before the commit, between commit and sending, between sending and answer, before the answer's commit."""
        if os.environ.get("ROLLWATCH_TEST_FAIL_POINTS", "ON") != "ON":
            self.skipTest("this build has no fail points")
        points = ("before_order_commit", "after_order_commit", "before_send", "after_send", "before_ack_commit")
        for good in (True, False):
            service = self.service(errors=0.01 if good else 0.2)
            stories = {}
            for point in points:
                for order in range(1, 1 + len(GOOD if good else BAD)):
                    row = (f"{point}:{order}", service, good)
                    stories[f"{row[0]}, a {'good' if good else 'bad'} version"] = lambda row=row: self.die_once(*row)
            side_by_side(stories)

    def die_once(self, point, service, good):
        deployer = self.deployer()
        server = self.daemon(self.configuration(deployer), f"{point.replace(':', '-')}-{service}")
        server.start(ROLLWATCH_FAIL_POINT=point)
        server.expected_dead = True
        try:
            server.api.call("POST", "/api/v1/rollouts", self.fields(service, orchestrator="deployer"),
                            Idempotency_Key="release-" + service)
        except OSError:
            pass  # it died before it answered
        self.assertEqual(server.wait_for_end(), -signal.SIGKILL, f"dies at {point}")
        server.start()
        rollout = self.register(server, service)  # the client asks again, and gets the same rollout
        self.assert_story(server, deployer, rollout, good)
        self.assertEqual(len(server.api.get("/api/v1/rollouts").json["items"]), 1)
        # Only what had been sent when it died comes twice; both times under one id, with one effect.
        name, _, number = point.partition(":")
        struck = deployer.effects_of(rollout)[int(number) - 1]
        sent = [order for order, _ in deployer.attempts_of(rollout) if order.id == struck.id]
        self.assertEqual(len(sent), 2 if name in ("after_send", "before_ack_commit") else 1)


if __name__ == "__main__":
    unittest.main()
