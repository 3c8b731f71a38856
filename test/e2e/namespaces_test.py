"""The wire between one node and the database is cut, by two network namespaces: no packet passes, and neither side is
told. Metrics and the deployer it still reaches, so that whatever it does not do, it does not do for want of a lease."""

import sys
import unittest

import network
from database import Database, Relay
from harness import wait_until
from rollout_case import RolloutCase

LEASE_SECONDS = 6
HOLDING = {"steps": [{"weight": 5, "hold": "1h"}]}
SKIPPED = 77


class Namespaces(RolloutCase):
    def setUp(self):
        self.wire = self.place.add(network.Namespace())
        self.database = self.place.add(Database(
            self.place.folder, listen=f"127.0.0.1,{self.wire.address}",
            hba=f"local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all {self.wire.range} trust\n"))
        self.deployer_ = self.deployer()

    def node(self, name, address):
        url = f"postgresql://rollwatch@{address}:{self.database.port}/rollwatch"
        return self.daemon(f'[store]\nurl = "{url}"\nlease = "{LEASE_SECONDS}s"\n' + self.configuration(self.deployer_), name)

    def far_node(self):
        """Inside; its loopback is ours but for the database: metrics, the deployer, and its own API."""
        far = self.node("far", self.wire.address)
        far.prefix = self.wire.prefix
        for port in (self.prometheus.port, self.deployer_.port):
            relay = self.place.add(Relay(port, port, at_clients=self.wire.inside))
        self.to_deployer = relay
        self.place.add(Relay(far.port, far.port, at_server=self.wire.inside))
        return far

    def rollouts_of(self, node):
        """{name of the node: how many rollouts it has} as this one tells."""
        answer = node.api.get("/api/v1/nodes")
        return {one["name"].rpartition(":")[2]: one["rollouts"] for one in answer.json["items"]} if answer.status == 200 else {}

    def test_the_wire_between_a_node_and_the_database_is_cut(self):
        near, far = self.node("near", "127.0.0.1").start(), self.far_node().start()
        service = self.service()
        rollouts = [near.api.register(**self.fields(service, target=f"t{number}", orchestrator="deployer",
                                                    analysis=HOLDING))["id"] for number in range(6)]
        even = {str(near.port): 3, str(far.port): 3}
        wait_until(lambda: self.rollouts_of(near) == even, lambda: f"three each: {self.rollouts_of(near)}", [near, far])
        for rollout in rollouts:
            near.wait_for(rollout, lambda r: r["step"], "to have begun")

        self.wire.cut()
        wait_until(lambda: self.rollouts_of(near) == {str(near.port): 6},
                   lambda: f"the near one to have all of them: {self.rollouts_of(near)}", [near, far])
        not_ready = wait_until(lambda: (lambda a: a.status == 503 and a)(far.api.get("/-/ready")),
                               "the far one to say that it is not ready", [far])
        self.assertIn("lease", not_ready.text)
        self.assertEqual(far.metric("rollwatch_nodes"), 0)
        self.assertEqual(far.metric("rollwatch_leases"), 0)
        sent = self.to_deployer.passed_on
        self.assertEqual(far.api.decide(rollouts[0], "rollback").status, 503, "nor does it take a decision")
        for rollout in rollouts:
            self.assertEqual(near.api.decide(rollout, "rollback").status, 200)
            near.wait_for_state(rollout, "rolled_back")
        self.assertEqual(self.to_deployer.passed_on, sent, "the far one ordered nothing, though it could have")

        # What it had sent before is sent again by the system now, and comes too late.
        self.wire.mend()
        wait_until(far.is_ready, lambda: f"the far one to be a member again:\n{far.log()[-3000:]}", [far])
        again = [near.api.register(**self.fields(service, candidate="1.2", target=f"t{number}", orchestrator="deployer",
                                                 analysis=HOLDING))["id"] for number in range(6)]
        wait_until(lambda: self.rollouts_of(far) == even, lambda: f"three each again: {self.rollouts_of(far)}", [near, far])
        for rollout in rollouts:
            self.assert_orders(far, self.deployer_, rollout, [("advance", 5), ("rollback", 0)])
            self.assert_no_gaps(far, rollout)
        for rollout in again:
            far.wait_for(rollout, lambda r: r["step"], "to have begun")


if __name__ == "__main__":
    reason = network.unusable()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
