"""Who pages through a list while rollouts begin, move and end is given nothing twice, and all that was there when the
first page was: through a restart, and from node to node. A cursor that the list did not give is refused."""

import unittest
from itertools import count

from database import Database
from harness import wait_until
from rollout_case import RolloutCase

HOLDING = {"steps": [{"weight": 5, "hold": "1h"}, {"weight": 25, "hold": "1h"}]}
LIMIT = 3
GROWING = 6  # pages; after that nothing is added, so that there is an end


class Pages(RolloutCase):
    def begin(self, configuration, names):
        self.deployer_ = self.deployer()
        self.nodes = [self.daemon(configuration + self.configuration(self.deployer_), name).start() for name in names]
        self.service_, self.targets = self.service(), count()
        self.rollouts = [self.register() for _ in range(8)]
        self.main, self.other = self.rollouts[:2]
        for rollout in (self.main, self.other):
            self.nodes[0].wait_for(rollout, lambda r: r["step"], "to have begun")
            for _ in range(3):
                self.move(rollout)
        for rollout in (self.main, self.other):
            wait_until(lambda: len(self.api.evaluations(rollout)) > LIMIT, "some slots", self.nodes)

    @property
    def api(self):
        return self.nodes[0].api

    def register(self):
        return self.api.register(**self.fields(self.service_, target=f"t{next(self.targets)}", orchestrator="deployer", analysis=HOLDING))["id"]

    def move(self, rollout):
        for decision in ("pause", "resume"):
            answer = self.api.decide(rollout, decision)
            self.assertEqual(answer.status, 200, answer)

    def paths(self):
        """{list: (path, what names one of its items)}"""
        lists = {"rollouts": ("/api/v1/rollouts", "id")}
        for what, name in (("evaluations", "number"), ("events", "seq"), ("deliveries", "id")):
            lists[what] = (f"/api/v1/rollouts/{self.main}/{what}", name)
        return lists

    def pages(self, path, between=lambda page: None):
        """All items, each page from the next node; between(page) before each page but the first."""
        items, cursor, page = [], None, 0
        while True:
            answer = self.nodes[page % len(self.nodes)].api.get(f"{path}?limit={LIMIT}" + (f"&cursor={cursor}" if cursor else ""))
            self.assertEqual(answer.status, 200, answer)
            self.assertLessEqual(len(answer.json["items"]), LIMIT)
            items += answer.json["items"]
            cursor = answer.json.get("next_cursor")
            if cursor is None:
                return items
            page += 1
            between(page)

    def go_on(self, page):
        """One begins, one of those that were there ends, and the one that is looked at moves."""
        if page == 2 and len(self.nodes) == 1:
            self.assertEqual(self.nodes[0].stop(), 0)
            self.nodes[0].start()
        if page > GROWING:
            return
        self.register()
        if len(self.rollouts) > 3:
            self.assertEqual(self.api.decide(self.rollouts.pop(), "cancel").status, 200)
        slots = len(self.api.evaluations(self.main))
        self.move(self.main)
        wait_until(lambda: len(self.api.evaluations(self.main)) > slots, "another slot", self.nodes)

    def check_every_list(self):
        for what, (path, name) in self.paths().items():
            with self.subTest(what):
                before = [item[name] for item in self.pages(path)]
                self.assertGreater(len(before), LIMIT, "more than one page")
                items = self.pages(path, self.go_on)
                given = [item[name] for item in items]
                self.assertEqual(len(set(given)), len(given), "nothing twice")
                self.assertEqual([one for one in given if one in set(before)], before, "nothing is left out, in its order")
                if what != "rollouts":  # whose new ones come before the first page
                    self.assertGreater(len(given), len(before), "it has grown meanwhile")
                if what == "events":
                    self.check_decisions(items)

    def check_decisions(self, events):
        decisions = [event["data"]["decision"] for event in events if event["type"] == "decided"]
        self.assertEqual(len(set(decisions)), len(decisions))
        kinds = [self.api.explain(self.main, decision)["decision"]["kind"] for decision in decisions]
        self.assertEqual(kinds[:7], ["advance"] + 3 * ["pause", "resume"])

    def check_refusals(self):
        cursors = {}
        for what, (path, _) in self.paths().items():
            cursors[path] = self.api.get(f"{path}?limit=1").json["next_cursor"]
            cursors[path.replace(self.main, self.other)] = self.api.get(f"{path.replace(self.main, self.other)}?limit=1").json["next_cursor"]
        self.assertEqual(len(set(cursors.values())), 7, "each of its own list")
        for path, own in cursors.items():
            wrong = [cursor for cursor in cursors.values() if cursor != own]
            wrong += [own[:-1], own + "A", own[1:], own[::-1], own.swapcase(), "1", "x"]
            for cursor in wrong:
                for node in self.nodes:
                    answer = node.api.get(f"{path}?cursor={cursor}")
                    self.assertEqual(answer.status, 422, answer)
                    self.assertEqual([error["pointer"] for error in answer.json["errors"]], ["?cursor"])
                    self.assertIn("is not one that this list gave", answer.json["errors"][0]["detail"])
            self.assertEqual(self.api.get(f"{path}?cursor={own}").status, 200)

    def test_one_daemon(self):
        self.begin("", ["daemon"])
        self.check_every_list()
        self.check_refusals()

    def test_two_nodes(self):
        database = self.place.add(Database(self.place.folder))
        self.begin(f'[store]\nurl = "{database.url()}"\nlease = "5s"\n', ["a", "b"])
        self.check_every_list()
        self.check_refusals()


if __name__ == "__main__":
    unittest.main()
