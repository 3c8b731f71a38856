"""Several daemons over one PostgreSQL are one system: any node answers any call, each rollout has one owner, and
a node that dies, leaves, or is cut off is replaced without an order lost or given twice."""

import signal
import threading
import unittest

from database import Database, Relay
from harness import wait_until
from metrics_server import BusyMetrics
from receivers import SECRET
from rollout_case import POLICY, RolloutCase

LEASE_SECONDS = 3
HOLDING = {"steps": [{"weight": 5, "hold": "1h"}]}


class Nodes(RolloutCase):
    def setUp(self):
        self.database = self.place.add(Database(self.place.folder))
        self.nodes = []

    def configured(self, deployer, url=None, slack=None):
        return (f'[store]\nurl = "{url or self.database.url()}"\nlease = "{LEASE_SECONDS}s"\n'
                + self.configuration(deployer, slack))

    def start_node(self, deployer, url=None, slack=None):
        node = self.daemon(self.configured(deployer, url, slack), f"node{len(self.nodes) + 1}")
        node.start()
        self.nodes.append(node)
        return node

    def owners(self):
        """{name of the node: active rollouts} as any node tells."""
        answer = self.alive()[0].api.get("/api/v1/nodes")
        if answer.status == 503:  # the store is away for a moment
            return {}
        self.assertEqual(answer.status, 200, answer)
        return {node["name"]: node["rollouts"] for node in answer.json["items"]}

    def alive(self):
        return [node for node in self.nodes if not node.expected_dead]

    def register_held(self, node, count):
        """In their first step, and looked at, so that there is a history whatever happens then."""
        service = self.service()
        rollouts = [node.api.register(**self.fields(service, target=f"t{number}", orchestrator="deployer", analysis=HOLDING))["id"]
                    for number in range(count)]
        for rollout in rollouts:
            node.wait_for(rollout, lambda r: all(sum(c["counts"].values()) for c in r["conditions"]), "to be evaluated")
        return rollouts

    def replaced_when_cut_off(self, deployer):
        """The relay that cuts a off from the database, a, b that took over, and the four rollouts that a had."""
        relay = self.place.add(Relay(self.database.port))
        a = self.start_node(deployer, self.database.url(relay.port))
        rollouts = self.register_held(a, 4)
        relay.cut()
        b = self.start_node(deployer)
        self.nodes = [b, a]
        wait_until(lambda: sum(self.owners().values()) == 4, lambda: f"b to have them: {self.owners()}")
        return relay, a, b, rollouts

    def is_even(self, total):
        counts = self.owners().values()
        return bool(counts) and sum(counts) == total and len(counts) == len(self.alive()) and max(counts) <= -(-total // len(self.alive()))

    def test_any_node_answers_any_call(self):
        deployer = self.deployer()
        a, b = self.start_node(deployer), self.start_node(deployer)
        service = self.service()
        rollout = a.api.register(**self.fields(service, orchestrator="deployer", analysis=HOLDING))["id"]
        a.wait_for(rollout, lambda r: r["step"], "to have begun")
        # Read, decided and asked through the node that does not have it.
        self.assertEqual(b.api.rollout(rollout)["id"], rollout)
        self.assertEqual(b.api.decide(rollout, "pause", reason="through the other").status, 200)
        self.assertEqual(a.api.rollout(rollout)["state"], "paused")
        self.assertEqual(b.api.decide(rollout, "resume").status, 200)
        again = b.api.call("POST", "/api/v1/rollouts", self.fields(service, orchestrator="deployer", analysis=HOLDING))
        self.assertEqual((again.status, again.json["id"]), (200, rollout), "the same, wherever it is registered again")
        newer = b.api.register(**self.fields(service, candidate="1.2", orchestrator="deployer", analysis=HOLDING))["id"]
        a.wait_for_state(rollout, "superseded")
        self.assertEqual(b.api.decide(newer, "rollback", reason="not this one either").status, 200)
        for node in (a, b):
            node.wait_for_state(newer, "rolled_back")
            self.assertEqual([e["type"] for e in node.api.events(newer)], [e["type"] for e in a.api.events(newer)])
        # A refusal is the owner's own words.
        self.assertEqual(b.api.decide(newer, "promote").status, 409)
        self.assertEqual(b.api.decide("ro_none", "promote").status, 404)

    def test_a_verdict_is_waited_for_at_any_node(self):
        deployer = self.deployer()
        a, b = self.start_node(deployer), self.start_node(deployer)
        rollout = a.api.register(**self.fields(self.service(), orchestrator="deployer", analysis=HOLDING))["id"]
        a.wait_for(rollout, lambda r: r["step"], "to have begun")
        path = f"/api/v1/rollouts/{rollout}/verdict"
        tag = b.api.get(path).headers["ETag"]
        answers = []
        waiter = threading.Thread(target=lambda: answers.append(b.api.get(path + "?wait=60s", If_None_Match=tag)))
        waiter.start()
        self.assertEqual(a.api.decide(rollout, "rollback").status, 200)
        waiter.join()
        self.assertEqual(answers[0].status, 200, answers)
        self.assertNotEqual(answers[0].headers["ETag"], tag)

    def test_a_freeze_holds_on_every_node(self):
        deployer = self.deployer()
        a, b = self.start_node(deployer), self.start_node(deployer)
        rollouts = self.register_held(a, 4)
        wait_until(lambda: self.is_even(4), lambda: f"two each: {self.owners()}")
        frozen = b.api.call("PUT", "/api/v1/freeze", {"by": "anna", "reason": "a holiday"})
        self.assertEqual((frozen.status, frozen.json["active_rollouts"]), (200, 4), "those of both nodes")
        wait_until(lambda: a.api.get("/api/v1/freeze").status == 200, "the other node to hear of it", [a, b])
        for node in (a, b):
            self.assertEqual(node.api.get("/api/v1/freeze").json["active_rollouts"], 4)
        for rollout in rollouts:
            a.wait_for(rollout, lambda r: r["freeze"], "to be frozen")

    def test_a_freeze_that_a_node_was_cut_off_from_hearing_of_holds_there_too(self):
        deployer = self.deployer()
        relay, a, b, rollouts = self.replaced_when_cut_off(deployer)
        self.assertEqual(b.api.call("PUT", "/api/v1/freeze", {"by": "anna", "reason": "an incident"}).status, 200)
        for rollout in rollouts:
            b.wait_for(rollout, lambda r: r["freeze"], "to be frozen")
        relay.mend()
        wait_until(lambda: self.is_even(4), lambda: f"two each again: {self.owners()}", [a, b])
        wait_until(lambda: a.api.get("/api/v1/freeze").status == 200, "a to know of the freeze", [a])
        for rollout in rollouts:
            # Recorded after whatever its node did first with it.
            self.assertEqual(a.api.decide(rollout, "pause", reason="to look at it").status, 200)
            self.assertTrue(a.api.rollout(rollout)["freeze"])
            self.assertNotIn("thawed", [event["type"] for event in a.api.events(rollout)])

    def test_a_dead_nodes_rollouts_go_on_elsewhere(self):
        deployer = self.deployer()
        a, b = self.start_node(deployer), self.start_node(deployer)
        rollouts = self.register_held(a, 6)
        wait_until(lambda: self.is_even(6), lambda: f"three each: {self.owners()}")
        a.kill9()
        wait_until(lambda: self.is_even(6), lambda: f"all six: {self.owners()}")
        for rollout in rollouts:
            self.assertEqual(b.api.decide(rollout, "rollback").status, 200)
            b.wait_for_state(rollout, "rolled_back")
            self.assert_orders(b, deployer, rollout, [("advance", 5), ("rollback", 0)])
            self.assert_no_gaps(b, rollout)

    def test_one_that_leaves_hands_over_at_once(self):
        deployer = self.deployer()
        a, b, c = (self.start_node(deployer) for _ in range(3))
        rollouts = self.register_held(a, 9)
        wait_until(lambda: self.is_even(9), lambda: f"three each: {self.owners()}")
        self.assertEqual(b.stop(), 0)
        wait_until(lambda: self.is_even(9), lambda: f"nine on two: {self.owners()}")
        for rollout in rollouts:
            self.assertEqual(c.api.rollout(rollout)["state"], "analyzing")

    def test_one_that_stood_still_for_longer_than_its_lease_does_nothing_more(self):
        deployer = self.deployer()
        a = self.start_node(deployer)
        rollouts = self.register_held(a, 4)
        a.process.send_signal(signal.SIGSTOP)
        a.expected_dead = True
        b = self.start_node(deployer)
        wait_until(lambda: sum(self.owners().values()) == 4, lambda: f"b to have them: {self.owners()}")
        for rollout in rollouts:
            self.assertEqual(b.api.decide(rollout, "rollback").status, 200)
        a.process.send_signal(signal.SIGCONT)
        a.expected_dead = False
        for rollout in rollouts:
            b.wait_for_state(rollout, "rolled_back")
            self.assert_orders(b, deployer, rollout, [("advance", 5), ("rollback", 0)])
        wait_until(a.is_ready, "a to be a member again", [a])
        self.assertEqual(len(self.owners()), 2)

    def test_one_that_is_cut_off_from_the_database_is_replaced(self):
        deployer = self.deployer()
        relay, a, b, rollouts = self.replaced_when_cut_off(deployer)
        wait_until(lambda: a.api.get("/-/ready").status == 503, "a to say that it is not ready")
        for rollout in rollouts:
            self.assertEqual(b.api.decide(rollout, "rollback").status, 200)
            b.wait_for_state(rollout, "rolled_back")
        relay.mend()
        wait_until(a.is_ready, "a to be a member again", [a])
        for rollout in rollouts:
            self.assert_orders(a, deployer, rollout, [("advance", 5), ("rollback", 0)])
            self.assert_no_gaps(a, rollout)

    def test_a_database_that_is_restarted_is_come_back_to(self):
        deployer = self.deployer()
        a, b = self.start_node(deployer), self.start_node(deployer)
        rollouts = self.register_held(a, 4)
        wait_until(lambda: self.is_even(4), lambda: f"two each: {self.owners()}")
        self.database.stop()
        wait_until(lambda: a.api.get("/-/ready").status == 503, "a to say that the store is away")
        self.assertTrue(self.database.start())
        for node in (a, b):
            wait_until(node.is_ready, "it to be ready again", [node])
        for rollout in rollouts:
            wait_until(lambda: b.api.decide(rollout, "rollback").status == 200, "the rollback to be taken")
            b.wait_for_state(rollout, "rolled_back")
            self.assert_orders(b, deployer, rollout, [("advance", 5), ("rollback", 0)])
            self.assert_no_gaps(b, rollout)

    def test_one_that_starts_while_its_connections_are_cut_comes_to_take_part(self):
        deployer = self.deployer()
        a = self.start_node(deployer)
        b = self.daemon(self.configured(deployer), "node2")
        b.start(wait=False)
        for _ in range(40):  # in the middle of opening, loading and joining, one time or another
            self.database.cut_sessions()
        self.nodes.append(b)
        wait_until(lambda: len(self.owners()) == 2, "both to be members", [a, b])

    def test_max_concurrency_is_for_all_nodes_together_as_they_come_and_go(self):
        deployer, metrics = self.deployer(), self.place.add(BusyMetrics())
        busy = (f'[datasource.default]\nurl = "{metrics.url}"\nmax_concurrency = 6\n'
                f'headers = {{ X-Node = "NAME" }}\n[orchestrator.deployer]\nurl = "{deployer.url}"\nsecret = "{SECRET}"\n'
                + POLICY)

        def start(name):
            node = self.daemon(f'[store]\nurl = "{self.database.url()}"\nlease = "{LEASE_SECONDS}s"\n'
                               + busy.replace("NAME", name), name)
            self.nodes.append(node.start())
            return node

        def at_most(expected):
            """Each node, and all together, has so many out at once after a while, and never more."""
            metrics.begin_anew()
            wait_until(lambda: {name: metrics.most.get(name) for name in expected} == expected,
                       lambda: f"{expected} at once; it is {metrics.most}")

        a = start("a")
        for _ in range(24):  # of one service they would ask the same question, which is asked once
            a.api.register(**self.fields(self.service(), orchestrator="deployer", analysis=HOLDING))
        metrics.seconds = 0.3  # from now on there is always somebody who waits
        at_most({"a": 6, "all": 6})
        b = start("b")
        wait_until(lambda: self.is_even(24), lambda: f"twelve each: {self.owners()}")
        # What a had sent by then goes on as it was.
        wait_until(lambda: metrics.out.get("a", 0) <= 3, "a to have no more than its part out")
        at_most({"a": 3, "b": 3, "all": 6})
        a.kill9()
        wait_until(lambda: self.is_even(24), lambda: f"all with b: {self.owners()}")
        at_most({"b": 6})

    def test_slack_is_told_once_whoever_speaks(self):
        deployer, slack = self.deployer(), self.slack()
        a, b = self.start_node(deployer, slack=slack), self.start_node(deployer, slack=slack)
        rollout = a.api.register(**self.fields(self.service(), orchestrator="deployer", analysis=HOLDING))["id"]
        a.wait_for(rollout, lambda r: r["step"], "to have begun")
        a.kill9()
        wait_until(lambda: b.api.decide(rollout, "rollback").status == 200, "b to have it")
        b.wait_for_state(rollout, "rolled_back")
        self.wait_for_slack(slack, "rolled back")
        self.assertEqual(len([text for text in slack.texts() if "rolled back" in text]), 1)


if __name__ == "__main__":
    unittest.main()
