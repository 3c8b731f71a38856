"""A release that goes wrong while somebody looks: the page shows it as it happens, its buttons do what they say, and it
says so when it is no longer live."""

import unittest

from page_case import PageCase
from harness import wait_until
from states import HOUR, States


class Wrong(PageCase):
    def setUp(self):
        self.states = States(self)
        self.daemon = self.states.daemon.start()

    def running(self, service, namespace="default", **more):
        """A release that stays at 25 %, and passes."""
        rollout = self.release(self.daemon, service, "1.0", "1.1", namespace=namespace, **{"analysis": HOUR, **more})
        self.daemon.wait_for(rollout, lambda r: r["weight"] == 25 and r["verdict"] == "passing", "to pass at 25 %")
        return rollout

    def test_the_engine_and_a_person_roll_back(self):
        engines = self.running("checkout")
        persons = self.running("ledger", analysis={**HOUR, "on_fail": "pause"})

        def worse(service):
            self.traffic.serve(service, "1.1", errors=0.18)

        self.play("wrong.mjs", {"url": self.daemon.url, "engines": engines, "persons": persons}, worse=worse)
        view = self.daemon.wait_for_state(persons, "rolled_back")
        decided = [event["data"] for event in self.daemon.api.events(persons)
                   if event["type"] == "decided" and event["data"].get("kind") == "rollback"]
        self.assertEqual([(one["by"], one["reason"]) for one in decided],
                         [("anna@example.net", "customers cannot pay: 18 % of requests fail")], view)
        self.assert_orders(self.daemon, self.states.deployer, persons,
                           [("advance", 5), ("advance", 25), ("pause", 25), ("rollback", 0)])

    def test_it_says_when_it_is_not_live(self):
        rollout = self.running("search")

        def stop():
            self.assertEqual(self.daemon.stop(), 0)

        def start():
            self.daemon.start()

        def pause():
            self.states.decide(rollout, "pause", "anna@example.net", "lunch")

        self.play("reconnect.mjs", {"url": self.daemon.url, "rollout": rollout}, stop=stop, start=start, pause=pause)

    def test_without_a_mouse(self):
        self.running("search")
        rollout = self.running("checkout")
        self.play("keyboard.mjs", {"url": self.daemon.url, "rollout": rollout})
        self.daemon.wait_for_state(rollout, "rolled_back")

    def test_without_javascript(self):
        rollout = self.running("checkout", namespace="payments")
        self.traffic.serve("checkout", "1.1", errors=0.18)
        self.daemon.wait_for_state(rollout, "rolled_back")
        self.play("noscript.mjs", {"url": self.daemon.url, "rollout": rollout})


if __name__ == "__main__":
    unittest.main()
