"""A datasource that is killed under twenty rollouts is told once, and once more when it is back."""

import unittest

from harness import wait_until
from receivers import Slack
from rollout_case import RolloutCase

MANY = 20
HELD = {"steps": [{"weight": 5, "hold": "1h"}]}  # stays where it is


class ToldOnce(RolloutCase):
    def services(self, count):
        """Names of services nobody else uses, whose gauges are all in Prometheus."""
        names = [f"many{next(self.numbers)}" for _ in range(count)]
        gauges = {"e2e_errors": 0.01, "e2e_latency": 0.1}
        for name in names:
            for gauge, value in gauges.items():
                self.exposition.set(gauge, value, service=name, version="1.1")
        for name in names:
            for gauge, value in gauges.items():
                self.prometheus.wait_for(f'{gauge}{{service="{name}"}}', value)
        return names

    def wait_for_all(self, server, rollouts, state):
        def states():
            return {server.api.rollout(rollout)["state"] for rollout in rollouts}
        wait_until(lambda: states() == {state}, lambda: f"all to be {state}; they are {states()}", [server])

    def said(self, server, slack):
        """What was said about the datasource or a pause, once nothing more is on its way."""
        wait_until(lambda: server.metric("rollwatch_outbox_pending", kind="notification") == 0,
                   "every notification to be sent", [server])
        return [text for text in slack.texts() if "started" not in text]

    def test_one_message_when_it_goes_and_one_when_it_is_back(self):
        shop, everybody = self.slack(), self.place.add(Slack())
        names = self.services(MANY)
        configuration = (self.configuration(self.deployer(), everybody)
                         + f'[notifier.shop]\ntype = "slack"\nwebhook_url = "{shop.url}"\n'
                         + f'match = {{ service = "{names[0]}" }}\n')
        server = self.daemon(configuration).start()
        rollouts = [server.api.register(**self.fields(name, orchestrator="deployer", analysis=HELD, notify=["people"]))
                    ["id"] for name in names]
        for rollout in rollouts:
            server.wait_for(rollout, lambda r: r["step"], "to have begun")

        self.prometheus.stop()
        self.wait_for_all(server, rollouts, "paused")
        gone = self.said(server, everybody)
        self.assertEqual(len(gone), 1, gone)
        self.assertRegex(gone[0], r"^datasource default gives no answers: the datasource cannot be reached.*; "
                                  r"many\d+ 1\.1 waits for it$")
        self.assertEqual([text.rsplit("; ", 1)[1] for text in self.said(server, shop)],
                         [f"{names[0]} 1.1 waits for it"], "one of them is told elsewhere as well")

        server.kill9()
        server.start()
        self.assertEqual(self.said(server, everybody), gone, "a restart repeats nothing")
        self.prometheus.start()
        self.wait_for_all(server, rollouts, "analyzing")
        self.wait_for_slack(everybody, "answers again")
        said = self.said(server, everybody)
        self.assertEqual(said[:1], gone)
        self.assertEqual(len(said), 2, said)
        self.assertRegex(said[1], r"^datasource default answers again after \d+[sm]; 20 rollouts go on by themselves$")
        self.assertRegex(self.said(server, shop)[1],
                         r"^datasource default answers again after \d+[sm]; 1 rollout goes on by itself$")
        self.assertEqual(len(self.said(server, shop)), 2)

        events = [event["type"] for rollout in rollouts for event in server.api.events(rollout)]
        self.assertEqual((events.count("paused"), events.count("resumed")), (MANY, MANY), "each has its history")


if __name__ == "__main__":
    unittest.main()
