"""From a person's decision to the order: two nodes over a real PostgreSQL, otherwise at rest, and a receiver. Each
`promote` is taken by the node that has the rollout, or by the other one, and its order is waited for before the next.

    decision_bench.py [--count 200]      takes so many each way; prints p50 and p99 in milliseconds

What is measured: from before the request is sent to when the order's webhook has been received. Through the other node
it is carried there through the database. ROLLWATCH_TEST_DAEMON names the daemon; measure a release build.
"""

import argparse
import json
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from database import Database  # noqa: E402
from harness import Place, free_port, wait_until  # noqa: E402
from programs import Daemon  # noqa: E402
from receivers import SECRET, Deployer  # noqa: E402

AIM_MS = 200
# Nothing is asked while it is measured: the next slot is an hour away. And nothing ends, so that no rollout moves.
CONFIGURATION = '''
[store]
url = "{store}"
[datasource.default]
url = "http://127.0.0.1:{nobody}"
timeout = "1s"
[orchestrator.deployer]
url = "{deployer}"
secret = "{secret}"
[policy.rest]
steps = [ {{ weight = 5, hold = "20h" }}, {{ weight = 100 }} ]
interval = "1h"
patience = "20h"
soak = "20h"
[[policy.rest.condition]]
name = "errors"
query = "errors > 1"
'''


class Receiver(Deployer):
    """Notes when each order of each rollout came first."""

    def __init__(self):
        self.came = {}
        self.changed = threading.Condition()
        super().__init__()

    def receive(self, path, headers, body):
        now = time.perf_counter()
        answer = super().receive(path, headers, body)
        data = json.loads(body)["data"]
        with self.changed:
            self.came.setdefault((data["rollout"]["id"], data["order"]["kind"]), now)
            self.changed.notify_all()
        return answer

    def wait_for(self, rollout, kind):
        with self.changed:
            if not self.changed.wait_for(lambda: (rollout, kind) in self.came, timeout=60):
                raise AssertionError(f"no order to {kind} {rollout} came")
            return self.came[(rollout, kind)]


def percentile(values, share):
    """The smallest value that so many are not above."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def start_node(place, database, receiver, name):
    configuration = CONFIGURATION.format(store=database.url(), nobody=free_port(), deployer=receiver.url, secret=SECRET)
    return place.add(Daemon(place.folder / name, configuration)).start()


def owners(database):
    """{id of a rollout: number of the node that has it}"""
    rows = database.sql("SELECT r.id, p.owner FROM rollouts r JOIN places p ON p.key = r.place")
    return {rollout: int(owner) for rollout, owner in rows if owner}


def number_of(node):
    return next(one["number"] for one in node.api.get("/api/v1/nodes").json["items"] if one["answering"])


def measure(count, place):
    database = place.add(Database(place.folder))
    receiver = place.add(Receiver())
    nodes = [start_node(place, database, receiver, name) for name in ("a", "b")]
    rollouts = []
    for number in range(2 * count):
        rollouts.append(nodes[0].api.register(service="shop", target=f"t{number}", stable="1.0", candidate="1.1", policy="rest",
                                              by="bench", orchestrator="deployer")["id"])
    for rollout in rollouts:
        receiver.wait_for(rollout, "advance")
    for rollout in rollouts:
        nodes[0].wait_for(rollout, lambda r: r["step"], "to have begun")
    wait_until(lambda: sorted(list(owners(database).values()).count(number_of(n)) for n in nodes) == [count, count],
               "the rollouts to be spread evenly", nodes)
    by_number = {number_of(node): node for node in nodes}
    owner_of, took = owners(database), {"owner": [], "other": []}
    for index, rollout in enumerate(rollouts):
        way = "owner" if index % 2 == 0 else "other"
        owner = by_number[owner_of[rollout]]
        node = owner if way == "owner" else next(n for n in nodes if n is not owner)
        begun = time.perf_counter()
        answer = node.api.decide(rollout, "promote")
        if answer.status != 200:
            raise AssertionError(f"promote: {answer}")
        took[way].append(1000 * (receiver.wait_for(rollout, "promote") - begun))
    return took


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    count = parser.parse_args().count
    if "ROLLWATCH_TEST_DAEMON" not in os.environ:
        sys.exit("set ROLLWATCH_TEST_DAEMON to the rollwatchd to measure")
    place = Place()
    try:
        took = measure(count, place)
    except BaseException:
        print(place.logs(), file=sys.stderr)
        raise
    finally:
        place.close()
        place.remove()
    print(f"from a decision to its order, {count} each way            p50 ms  p99 ms")
    for way, words in (("owner", "taken by the node that has the rollout"), ("other", "taken by the other node")):
        print(f"  {words:50} {percentile(took[way], 50):8.1f}{percentile(took[way], 99):8.1f}")
    p99 = percentile(took["other"], 99)
    print(f"aim {AIM_MS} ms for the p99 through the other node: {'met' if p99 < AIM_MS else 'missed'}")


if __name__ == "__main__":
    main()
