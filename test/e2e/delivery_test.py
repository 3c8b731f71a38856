"""Orders on bad roads: a deployer that is down, slow, forgetful, unwilling, or answers later."""

import unittest

from harness import free_port, wait_until
from receivers import Deployer
from rollout_case import RolloutCase

STEPS = [("advance", 5), ("advance", 25), ("promote", 100)]
HELD = {"steps": [{"weight": 5, "hold": "1h"}]}  # stays where it is


class Deliveries(RolloutCase):
    def release(self, deployer, orchestrator="", **more):
        server = self.daemon(self.configuration(deployer, orchestrator=orchestrator)).start()
        return server, server.api.register(**self.fields(self.service(), orchestrator="deployer", **more))["id"]

    def first_order(self, server, rollout, state):
        wait_until(lambda: any(o["state"] == state for o in server.api.orders(rollout)),
                   lambda: f"an order to be {state}: {server.api.orders(rollout)}", [server])
        return next(o for o in server.api.orders(rollout) if o["state"] == state)

    def test_a_deployer_that_was_down_gets_the_same_order(self):
        deployer = Deployer(port=free_port())
        deployer.stop()
        self.place.add(deployer)
        server, rollout = self.release(deployer)
        wait_until(lambda: len(server.api.orders(rollout)[0]["attempts"]) >= 2, "two attempts in vain", [server])
        waiting = server.api.orders(rollout)[0]
        self.assertEqual(waiting["state"], "pending")
        self.assertTrue(all(a["status"] is None and a["error"] for a in waiting["attempts"]), waiting)
        self.assertEqual(server.stop(), 0)  # a restart in between changes nothing
        server.start()
        deployer.start()
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        deliveries = self.assert_orders(server, deployer, rollout, STEPS)
        self.assertEqual(deployer.effects[0].id, waiting["id"])
        self.assertGreaterEqual(len(deliveries[waiting["id"]]["attempts"]), 3)
        self.assertEqual(deployer.bodies[waiting["id"]]["data"]["order"]["attempt"],
                         len(deliveries[waiting["id"]]["attempts"]))

    def test_bad_answers_are_tried_again_and_lost_ones_have_one_effect(self):
        deployer = self.deployer()
        deployer.script.extend(["fail", "hang_up", "lost", "ack", "ack", "lost"])
        server, rollout = self.release(deployer)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        deliveries = self.assert_orders(server, deployer, rollout, STEPS)
        self.assertEqual([[a["status"] for a in d["attempts"]] for d in deliveries.values()],
                         [[500, None, None, 200], [200], [None, 200]])

    def test_a_deployer_that_hangs_does_not_hold_up_a_rollback(self):
        deployer = self.deployer()
        deployer.by_kind["pause"] = "hang"
        server, rollout = self.release(deployer, orchestrator='timeout = "10m"', analysis=HELD)
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.assertEqual(server.api.decide(rollout, "pause").status, 200)
        wait_until(lambda: deployer.attempts_of(rollout, "pause"), "the order that hangs", [server])
        self.assertEqual(server.api.decide(rollout, "rollback").status, 200)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rolled_back")
        self.assertEqual(deployer.effects_of(rollout)[-1].kind, "rollback")
        states = {o["kind"]: o["state"] for o in server.api.orders(rollout)}
        self.assertEqual((states["pause"], states["rollback"]), ("withdrawn", "done"))
        deployer.released.set()

    def test_accepted_and_acknowledged_later(self):
        deployer = self.deployer()
        deployer.by_kind["advance"] = "accept"
        server, rollout = self.release(deployer)
        for weight in (5, 25):
            order = self.first_order(server, rollout, "accepted")
            self.assertEqual(order["weight"], weight)
            view = server.api.rollout(rollout)
            self.assertTrue(view["order"]["accepted"])
            answer = server.api.call("POST", f"/api/v1/deliveries/{order['id']}/ack", {"status": "done"})
            self.assertEqual(answer.status, 200, answer)
            again = server.api.call("POST", f"/api/v1/deliveries/{order['id']}/ack", {"status": "done"})
            self.assertEqual(again.status, 200, "a repeat changes nothing")
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        self.assert_orders(server, deployer, rollout, STEPS)
        self.assertEqual(server.api.call("POST", "/api/v1/deliveries/ord_none-1/ack", {"status": "done"}).status, 404)

    def test_acknowledged_after_its_deadline(self):
        deployer = self.deployer()
        deployer.script.append("accept")
        server, rollout = self.release(deployer, orchestrator='ack_deadline = "1s"')
        paused = server.wait_for_state(rollout, "paused")
        self.assertEqual(paused["question"]["kind"], "order_expired")
        order = server.api.orders(rollout)[0]
        self.assertEqual(order["state"], "dead")
        answer = server.api.call("POST", f"/api/v1/deliveries/{order['id']}/ack", {"status": "done"})
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        self.assert_orders(server, deployer, rollout, STEPS)

    def test_a_refused_order_asks_a_person(self):
        deployer = self.deployer()
        deployer.script.append("refuse")
        server, rollout = self.release(deployer)
        paused = server.wait_for_state(rollout, "paused")
        self.assertEqual(paused["question"]["kind"], "order_refused")
        self.assertIn("refuse advance", paused["reason"], "the deployer's own words")
        wrong = server.api.decide(rollout, "resume", question="q9")
        self.assertEqual(wrong.status, 409, wrong)
        self.assertEqual(server.api.decide(rollout, "resume", question=paused["question"]["id"]).status, 200)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        orders = server.api.orders(rollout)
        self.assertEqual([(o["kind"], o["weight"]) for o in orders if o["state"] == "refused"], [("advance", 5)])
        self.assertEqual([(o.kind, o.weight) for o in deployer.effects_of(rollout)], STEPS)

    def test_a_refused_rollback_is_a_failure_that_people_see(self):
        deployer, slack = self.deployer(), self.slack()
        deployer.by_kind["rollback"] = "refuse"
        server = self.daemon(self.configuration(deployer, slack)).start()
        service = self.service(errors=0.3)
        rollout = server.api.register(**self.fields(service, orchestrator="deployer"))["id"]
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rollback_failed")
        code, out, err = self.cli(server).run("wait", rollout)
        self.assertEqual(code, 5, out + err)
        self.wait_for_slack(slack, service, "rollback failed")

    def test_a_refused_rollback_is_sent_again_when_the_receiver_is_mended(self):
        deployer, slack = self.deployer(), self.slack()
        deployer.by_kind["rollback"] = "refuse"
        server = self.daemon(self.configuration(deployer, slack)).start()
        service = self.service(errors=0.3)
        rollout = server.api.register(**self.fields(service, orchestrator="deployer"))["id"]
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rollback_failed")
        refused = server.api.orders(rollout)[-1]
        self.assertEqual((refused["kind"], refused["state"]), ("rollback", "refused"))
        path = f"/api/v1/deliveries/{refused['id']}/redeliver"
        advance = server.api.orders(rollout)[0]["id"]
        self.assertEqual(server.api.call("POST", f"/api/v1/deliveries/{advance}/redeliver").status, 409)
        server.kill9()  # what is waited for survives
        server.start()
        deployer.by_kind.clear()
        answer = server.api.call("POST", path, {"by": "ana", "reason": "the balancer is back"})
        self.assertEqual((answer.status, answer.json["id"]), (200, refused["id"]), answer)
        wait_until(lambda: server.api.orders(rollout)[-1]["state"] == "done", "the rollback to be done", [server])

        # The receiver saw one order: id, fence and signature are checked there for every attempt.
        attempts = deployer.attempts_of(rollout, "rollback")
        self.assertEqual([mode for _, mode in attempts], ["refuse", "ack"])
        self.assertEqual(attempts[0][0], attempts[1][0])
        self.assertEqual(attempts[1][0].id, refused["id"])
        self.assertEqual(attempts[1][0].fence, refused["fence"])
        self.assertEqual(deployer.effects_of(rollout)[-1].id, refused["id"])
        self.assertEqual(deployer.problems, [])
        done = server.api.orders(rollout)[-1]
        self.assertEqual((done["id"], done["fence"], [a["status"] for a in done["attempts"]]),
                         (refused["id"], refused["fence"], [409, 200]))

        view = server.api.rollout(rollout)
        self.assertEqual(view["state"], "rollback_failed", "ended is ended")
        self.assertIn("carried out since", view["reason"])
        told = [e for e in server.api.events(rollout) if e["data"].get("by") == "ana"]
        self.assertEqual([(e["data"]["reason"], e["data"]["order"]) for e in told],
                         [("the balancer is back", refused["id"])], told)
        self.wait_for_slack(slack, service, "is carried out")
        again = server.api.call("POST", path, {"by": "ana"})
        self.assertEqual(again.status, 409, again)
        self.assertIn("it is done", again.json["detail"])

    def test_a_dead_notification_is_sent_again(self):
        deployer, slack = self.deployer(), self.slack()
        path, slack.path = slack.path, "/gone"  # 404: no such webhook
        server = self.daemon(self.configuration(deployer, slack).replace(slack.url, slack.url.replace("/gone", path)))
        server.start()
        service = self.service()
        rollout = server.api.register(**self.fields(service, orchestrator="deployer"))["id"]
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")

        def promoted():
            return next(d for d in server.api.deliveries(rollout) if d["kind"] == "promoted")

        wait_until(lambda: promoted()["state"] == "dead", lambda: f"it to be dead: {promoted()}", [server])
        slack.path = path
        self.assertEqual(slack.texts(), [])
        answer = server.api.call("POST", f"/api/v1/deliveries/{promoted()['id']}/redeliver",
                                 {"by": "ana", "reason": "the webhook is back"})
        self.assertEqual((answer.status, answer.json["state"]), (200, "pending"), answer)
        self.wait_for_slack(slack, service, "promoted")
        wait_until(lambda: promoted()["state"] == "done", lambda: f"it to be done: {promoted()}", [server])
        self.assertIn("the webhook is back", [e["data"].get("reason") for e in server.api.events(rollout)])

    def test_a_newer_rollout_supersedes_and_its_fence_is_ahead(self):
        deployer = self.deployer()
        server = self.daemon(self.configuration(deployer)).start()
        service = self.service()
        old = server.api.register(**self.fields(service, orchestrator="deployer", analysis=HELD))["id"]
        server.wait_for(old, lambda r: r["step"], "to have begun")
        self.exposition.set("e2e_errors", 0, service=service, version="1.2")
        self.exposition.set("e2e_latency", 0, service=service, version="1.2")
        new = server.api.register(**{**self.fields(service, orchestrator="deployer"), "candidate": "1.2"})["id"]
        self.assertEqual(server.wait_for_end_of(old)["state"], "superseded")
        self.assertEqual(server.wait_for_end_of(new)["state"], "promoted")
        self.assert_orders(server, deployer, new, STEPS)
        self.assertGreater(min(o.fence for o in deployer.effects_of(new)), max(o.fence for o in deployer.effects_of(old)))


if __name__ == "__main__":
    unittest.main()
