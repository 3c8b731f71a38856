"""Every state a page can show, as real rollouts of one daemon: what goes well, what goes wrong, what waits for a person,
what nobody took."""

from harness import side_by_side, wait_until
from receivers import Deployer
from page_case import POLICY, SECRET

HOUR = {"steps": [{"weight": 5, "hold": "2s"}, {"weight": 25, "hold": "1h"}, {"weight": 100}]}
# Also after a scrape that was lost.
READY = {"query": 'sum(last_over_time(up_replicas{app="{{service}}",version="{{candidate}}"}[5m]))', "at_least": 3, "timeout": "1h"}

CONFIGURATION = '''
[datasource.default]
url = "{prometheus}"

[datasource.archive]
url = "http://127.0.0.1:1"
timeout = "1s"

[orchestrator.deployer]
url = "{deployer}"
secret = "{secret}"

[orchestrator.edge]
url = "{edge}"
secret = "{secret}"
deadline = "30s"
rollback_deadline = "6s"

[notifier.releases]
type = "slack"
webhook_url = "{slack}"

[notifier.old-room]
type = "slack"
webhook_url = "{nobody}"
match = {{ namespace = "warehouse" }}
'''


class States:
    """Brings them about, all at once. `ids`: {name of a state: id of its rollout}."""

    def __init__(self, case):
        self.case = case
        self.deployer = case.deployer()
        self.edge = case.place.add(Deployer())
        self.edge.by_kind["rollback"] = "fail"  # until it expires
        self.slack = case.slack()
        self.configuration = CONFIGURATION.format(
            prometheus=case.prometheus.url, deployer=self.deployer.url, edge=self.edge.url, secret=SECRET,
            slack=self.slack.url, nobody=self.slack.url + "-removed") + POLICY
        self.daemon = case.daemon(self.configuration)
        self.ids = {}

    def start(self):
        self.daemon.start()
        stories = [self.passing, self.rolled_back, self.asked, self.paused, self.promoted, self.by_hand, self.dead, self.unknown,
                   self.waiting, self.frozen, self.compared, self.worse]
        side_by_side({story.__name__: story for story in stories})
        return self

    def release(self, name, *versions, **more):
        self.ids[name] = self.case.release(self.daemon, *versions, **{"notify": ["releases"], **more})
        return self.ids[name]

    def decide(self, rollout, what, by, reason, **more):
        answer = self.daemon.api.decide(rollout, what, by=by, reason=reason, **more)
        if answer.status != 200:
            raise AssertionError(f"{what}: {answer}")

    def passing(self):
        rollout = self.release("passing", "search", "7.3.0", "7.4.0", namespace="shop", analysis=HOUR,
                               labels={"tier": "web"}, links={"change": "https://git.example.net/shop/search/pull/812"})
        self.daemon.wait_for(rollout, lambda r: r["weight"] == 25 and r["verdict"] == "passing", "to pass at 25 %")

    def rolled_back(self):
        rollout = self.release("rolled_back", "checkout", "1.23.4", "1.24.0", namespace="payments", target="eu-1", analysis=HOUR)
        self.daemon.wait_for(rollout, lambda r: r["weight"] == 25 and r["verdict"] == "passing", "to pass at 25 %")
        self.case.traffic.serve("checkout", "1.24.0", errors=0.18)
        self.daemon.wait_for_state(rollout, "rolled_back")
        self.case.traffic.serve("checkout", "1.24.0")

    def asked(self):
        rollout = self.release("asked", "ledger", "4.0", "4.1", namespace="payments", policy="careful")
        self.daemon.wait_for(rollout, lambda r: r["question"], "to ask for its approval")

    def paused(self):
        conversions = {"name": "conversions", "query": 'shop_orders{app="{{service}}"} < 1', "datasource": "archive", "on_fail": "observe"}
        # An error in many words, of a datasource that answers.
        lag = {"name": "queue-lag", "query": 'max(http_requests_total * on () group_left up_replicas) > 300', "on_fail": "observe"}
        rollout = self.release("paused", "profile", "12", "13", namespace="shop", analysis={**HOUR, "condition": [conversions, lag]})
        self.daemon.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        self.decide(rollout, "pause", "anna@example.net", "the login page looks odd on phones, I am having a look")

    def promoted(self):
        rollout = self.release("promoted", "catalog", "3.9", "3.10", namespace="shop", analysis={"soak": "2s"})
        self.daemon.wait_for_state(rollout, "promoted")

    def by_hand(self):
        rollout = self.release("by_hand", "mailer", "0.9", "1.0", namespace="shop", analysis=HOUR)
        self.daemon.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        self.decide(rollout, "rollback", "ben@example.net", "customers get each mail twice")
        self.daemon.wait_for_state(rollout, "rolled_back")

    def dead(self):
        rollout = self.release("dead", "stock", "2.1", "2.2", namespace="warehouse", orchestrator="edge", notify=[], analysis=HOUR)
        self.daemon.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        self.case.traffic.serve("stock", "2.2", errors=0.4)
        self.daemon.wait_for_state(rollout, "rollback_failed")

    def unknown(self):
        rollout = self.release("unknown", "cart", "5.0", "5.1", namespace="shop", analysis={
            "patience": "3s",
            "steps": [{"weight": 5, "hold": "1h"}, {"weight": 100}],
            "condition": [{"name": "queue-age", "query": 'max(queue_oldest_age_seconds{app="{{service}}",version="{{candidate}}"}) > 300'}]})
        self.daemon.wait_for_state(rollout, "paused")

    def waiting(self):
        self.case.exposition.set("up_replicas", 2, app="images", version="2026-11")
        self.case.prometheus.wait_for('up_replicas{app="images"}', 2)
        rollout = self.release("waiting", "images", "2026-10", "2026-11", namespace="shop", analysis={"ready": READY})
        self.daemon.wait_for(rollout, lambda r: "2 of 3" in r["reason"], "to wait for its replicas")

    def compared(self):
        rollout = self.compare("compared", "gateway", "2.0", "2.1")
        self.daemon.wait_for(rollout, lambda r: r["weight"] == 25 and r["verdict"] == "passing", "to pass at 25 %")

    def worse(self):
        rollout = self.compare("worse", "payouts", "5", "6")
        self.daemon.wait_for(rollout, lambda r: r["weight"] == 25 and r["verdict"] == "passing", "to pass at 25 %")
        self.case.traffic.serve("payouts", "6", errors=0.06)
        self.daemon.wait_for_state(rollout, "rolled_back")

    def compare(self, name, service, stable, candidate):
        for version in (stable, candidate):
            self.case.exposition.set("up_replicas", 3, app=service, version=version)
        self.case.traffic.serve(service, stable)
        self.case.wait_for_traffic(service, stable)
        return self.release(name, service, stable, candidate, namespace="edge", policy="compared")

    def frozen(self):
        answer = self.daemon.api.call("PUT", "/api/v1/services/payments/billing/freeze",
                                      {"by": "carla@example.net", "reason": "end of the quarter", "until": "2099-01-01T00:00:00Z"})
        if answer.status != 200:
            raise AssertionError(f"freeze: {answer}")
        rollout = self.release("frozen", "billing", "8", "9", namespace="payments")
        self.daemon.wait_for_state(rollout, "waiting")

    def wait_for_history(self, name, slots):
        """Until that many slots of each condition are in its history: so much a chart has to show."""
        wait_until(lambda: all(sum(c["counts"].values()) >= slots for c in self.daemon.api.rollout(self.ids[name])["conditions"]),
                   f"{slots} slots of {name}", [self.daemon])
