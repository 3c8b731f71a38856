"""Three nodes, one PostgreSQL, a deployer that fails at random, and everything that can be killed, stopped, cut or
restarted is. In the end each rollout got the verdict a single undisturbed node gives (one is started to say so), every
order took effect once, none with a stale fence, and every slot was evaluated or is marked as missed. Whoever followed the
events, at one node or at any, was given each of them once, in order.

ROLLWATCH_E2E_SEED repeats a schedule: who is hit by what, for how long, in which order;
ROLLWATCH_CHAOS_SECONDS and ROLLWATCH_CHAOS_ROLLOUTS set its size.
"""

import os
import random
import signal
import threading
import time
import unittest

from database import Database, Relay
from event_stream import Follower
from harness import wait_until
from rollout_case import RolloutCase

LEASE_SECONDS = 3
NODES = 3
SECONDS = float(os.environ.get("ROLLWATCH_CHAOS_SECONDS", 120))
ROLLOUTS = int(os.environ.get("ROLLWATCH_CHAOS_ROLLOUTS", 300))
INTERVAL_MS = 1000
# Patient: a store or a deployer that is away for a while is no reason to ask a person.
POLICY = '''
[policy.quick]
steps = [ { weight = 5, hold = "3s" }, { weight = 25, hold = "3s" }, { weight = 100 } ]
interval = "1s"
patience = "10m"
min_passes = 2
soak = "3s"

[[policy.quick.condition]]
name = "errors"
query = 'max(e2e_errors{service="{{service}}",version="{{candidate}}"}) > 0.05'
'''


class Chaos(RolloutCase):
    def setUp(self):
        self.seed = int(os.environ.get("ROLLWATCH_E2E_SEED", random.randrange(1 << 32)))
        print(f"schedule from ROLLWATCH_E2E_SEED={self.seed}, {SECONDS:.0f} s, {ROLLOUTS} rollouts", flush=True)
        self.chance = random.Random(self.seed)
        # Of its own: what runs beside the blows must not change what comes next.
        self.who_is_called = random.Random(self.seed + 2)
        self.database = self.place.add(Database(self.place.folder))
        self.deployer_ = self.deployer()
        fails = random.Random(self.seed + 1)
        moods = ("ack", "ack", "ack", "ack", "ack", "fail", "lost", "hang_up")
        self.deployer_.by_kind = Moods(fails, moods)
        self.deployer_.delay = lambda: fails.choice((0, 0, 0, 0.05, 0.2))
        self.relays = [self.place.add(Relay(self.database.port)) for _ in range(NODES)]
        self.nodes = [self.daemon(self.configured(relay), f"node{i + 1}") for i, relay in enumerate(self.relays)]
        for node in self.nodes:
            node.start()

    def configured(self, relay):
        return (f'[store]\nurl = "{self.database.url(relay.port)}"\nlease = "{LEASE_SECONDS}s"\n'
                + self.configuration(self.deployer_, policy=POLICY, orchestrator='deadline = "1h"\nrollback_deadline = "1h"'))

    # ---- What happens to them ----

    def kill(self, number):
        self.nodes[number].kill9()
        time.sleep(self.chance.uniform(0, 1.5 * LEASE_SECONDS))
        self.nodes[number].start(wait=False)

    def stand_still(self, number, leases=(1.2, 2.5)):
        node = self.nodes[number]
        node.process.send_signal(signal.SIGSTOP)
        time.sleep(self.chance.uniform(*leases) * LEASE_SECONDS)
        node.process.send_signal(signal.SIGCONT)

    def stumble(self, number):
        """It stands still for less than its lease, or for about as long."""
        self.stand_still(number, (0.3, 1.1))

    def cut_off(self, number):
        self.relays[number].cut()
        time.sleep(self.chance.uniform(0.3, 2) * LEASE_SECONDS)
        self.relays[number].mend()

    def listens(self, node):
        try:
            return node.api.get("/-/healthy").status == 200
        except OSError:
            return False

    def leave(self, number):
        node = self.nodes[number]
        # One that was started a moment ago may not even have said yet that it wants to hear of SIGTERM.
        wait_until(lambda: self.listens(node), "it to listen", [node])
        self.assertEqual(node.stop(), 0, node.log()[-3000:])
        self.nodes[number].start(wait=False)

    def restart_database(self, _):
        self.database.restart()

    def cut_sessions(self, _):
        self.database.cut_sessions()

    # ---- What is asked of them ----

    def register(self, service, candidate="1.1"):
        """Through whichever node answers, as a pipeline behind a load balancer would."""
        def registered():
            node = self.who_is_called.choice(self.nodes)
            try:
                answer = node.api.call("POST", "/api/v1/rollouts", self.fields(service, candidate=candidate, orchestrator="deployer"),
                                       Idempotency_Key=f"release-{service}")
            except OSError:
                return None
            return answer.json["id"] if answer.status in (200, 201) else None
        return wait_until(registered, f"the registration of {service}")

    def blows(self):
        """Each kind comes up once before any comes up again."""
        while True:
            deck = [self.kill, self.stand_still, self.stumble, self.cut_off, self.leave, self.restart_database, self.cut_sessions]
            self.chance.shuffle(deck)
            for blow in deck:
                yield blow, self.chance.randrange(NODES)

    def undisturbed(self):
        """{good: (state, verdict, orders, effects)} as a single node gives it, with its own store and nothing that fails."""
        deployer = self.deployer()
        node = self.daemon(self.configuration(deployer, policy=POLICY), "undisturbed").start()
        expected = {}
        for good in (True, False):
            service = f"calm{next(self.numbers)}"
            self.exposition.set("e2e_errors", 0.01 if good else 0.2, service=service, version="1.1")
            self.prometheus.wait_for(f'e2e_errors{{service="{service}"}}', 0.01 if good else 0.2)
            rollout = node.api.register(**self.fields(service, orchestrator="deployer"))["id"]
            expected[good] = self.outcome_of(node, deployer, rollout)
        self.assertEqual((expected[True][0], expected[False][0]), ("promoted", "rolled_back"))
        self.assertEqual(node.stop(), 0)
        return expected

    def outcome_of(self, node, deployer, rollout):
        view = node.wait_for_end_of(rollout)
        effects = [(order.kind, order.weight) for order in deployer.effects_of(rollout)]
        return view["state"], view["verdict"], [(d["kind"], d["weight"], d["state"]) for d in node.api.orders(rollout)], effects

    def assert_no_stale_fence(self):
        """What was carried out later, in one place, has the larger fence; whatever had a smaller one was refused."""
        latest = {}
        with self.deployer_.lock:
            for order in self.deployer_.effects:
                self.assertGreater(order.fence, latest.get(order.rollout, 0), order)
                latest[order.rollout] = order.fence
            self.assertEqual(len({order.id for order in self.deployer_.effects}), len(self.deployer_.effects), "no effect twice")

    def test_everything_that_can_fail_does(self):
        services = {}
        for number in range(ROLLOUTS):
            good = self.chance.random() < 0.6
            name = f"chaos{next(self.numbers)}"
            self.exposition.set("e2e_errors", 0.01 if good else 0.2, service=name, version="1.1")
            services[name] = good
        last = list(services)[-1]
        self.prometheus.wait_for(f'e2e_errors{{service="{last}"}}', 0.01 if services[last] else 0.2)

        wanders = random.Random(self.seed + 2)
        followers = [self.place.add(Follower(url, after=0)) for url in
                     (*[node.url for node in self.nodes], lambda: wanders.choice(self.nodes).url)]
        rollouts, done = {}, threading.Event()

        def register_all():
            for name, good in services.items():
                rollouts[self.register(name)] = good
                time.sleep(SECONDS / ROLLOUTS * 0.8)
            done.set()

        registering = threading.Thread(target=register_all, daemon=True)
        registering.start()
        end = time.monotonic() + SECONDS
        for blow, number in self.blows():
            if time.monotonic() >= end:
                break
            print(f"{blow.__name__} {number + 1}", flush=True)
            blow(number)
            time.sleep(self.chance.uniform(0, 2))
        registering.join()  # which gives up by itself where one cannot be; many take a while on a busy machine
        self.assertTrue(done.is_set(), "all are registered")

        # From here on nothing fails any more.
        self.deployer_.by_kind = {}
        for node in self.nodes:
            wait_until(node.is_ready, lambda: f"{node.folder.name} to be ready:\n{node.log()[-3000:]}", [node])
        reader = self.nodes[0]
        expected = self.undisturbed()
        missed = 0
        for rollout, good in rollouts.items():
            self.assertEqual(self.outcome_of(reader, self.deployer_, rollout), expected[good], reader.api.rollout(rollout)["reason"])
            self.assert_orders(reader, self.deployer_, rollout, expected[good][3])
            for evaluations in self.assert_no_gaps(reader, rollout, INTERVAL_MS).values():
                missed += sum(e.get("slots", 1) for e in evaluations if e["outcome"] == "missed")
        self.assert_no_stale_fence()
        self.assertEqual(len(rollouts), ROLLOUTS, "each registration is one rollout")
        self.assertEqual(self.deployer_.problems, [])
        seqs = [int(row[0]) for row in self.database.sql("SELECT seq FROM events ORDER BY seq")]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)), "events are numbered without a gap")
        for follower in followers:
            self.assertEqual(follower.wait_for(seqs[-1]).seqs(), seqs, f"after {follower.connections} connections")
        attempts = len(self.deployer_.attempts)
        print(f"{len(self.deployer_.effects)} orders took effect, with {attempts} attempts; {missed} slots were missed; "
              f"{len(seqs)} events; fenced writes and lease moves of the latest processes: "
              + ", ".join(f"{n.metric('rollwatch_fenced_writes_total'):.0f} and {n.metric('rollwatch_lease_transitions_total'):.0f}"
                          for n in self.nodes), flush=True)


class Moods(dict):
    """As by_kind of a deployer: something else for every attempt."""

    def __init__(self, chance, moods):
        super().__init__()
        self.chance, self.moods = chance, moods

    def get(self, _kind, _default=None):
        return self.chance.choice(self.moods)


if __name__ == "__main__":
    unittest.main()
