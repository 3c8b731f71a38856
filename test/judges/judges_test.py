"""What the daemon really sent, before other people's implementations of the same formats."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from judging import ask_about, type_check  # noqa: E402
from receivers import SECRET, Deployer, signature  # noqa: E402
from rollout_case import RolloutCase  # noqa: E402


class RecordingDeployer(Deployer):
    """Keeps what came, as it came."""

    def __init__(self, **options):
        self.came = []  # {"headers", "body"}
        super().__init__(**options)

    def receive(self, path, headers, body):
        with self.lock:
            self.came.append({"headers": {name.lower(): value for name, value in headers.items()}, "body": body.decode()})
        return super().receive(path, headers, body)


class Judges(RolloutCase):
    def test_what_is_told_of_a_good_a_bad_and_a_paused_rollout(self):
        deployer, slack = self.place.add(RecordingDeployer()), self.slack()
        server = self.daemon(self.configuration(deployer, slack)).start()
        good, bad, stopped = self.service(), self.service(errors=0.9), self.service()
        rollouts = {name: server.api.register(**self.fields(name, orchestrator="deployer"))["id"] for name in (good, bad, stopped)}
        server.wait_for_state(rollouts[stopped], "analyzing")
        self.assertEqual(server.api.decide(rollouts[stopped], "pause", reason="<!channel> & `look`").status, 200)
        self.assertEqual(server.wait_for_end_of(rollouts[good])["state"], "promoted")
        self.assertEqual(server.wait_for_end_of(rollouts[bad])["state"], "rolled_back")
        for service, words in ((good, "promoted"), (bad, "rolled back"), (stopped, "paused")):
            self.wait_for_slack(slack, service, words)

        with deployer.lock:
            came = list(deployer.came)
        self.assertEqual({one["body"].split('"')[3] for one in came},
                         {"rollout.advance", "rollout.promote", "rollout.rollback", "rollout.pause"})
        for one in came:
            self.assertEqual(ask_about("standardwebhooks", self.place.folder, {"secret": SECRET, **one}), "genuine")
        with slack.lock:
            messages = list(slack.messages)
        type_check([("WebhookMessage", message) for message in messages])

    def test_the_judges_refuse_what_is_wrong(self):
        headers = {"webhook-id": "ord_1", "webhook-timestamp": "1614265330"}
        headers["webhook-signature"] = signature(SECRET, "ord_1", "1614265330", b"{}")
        for wrong, words in (({"headers": headers, "body": "{}"}, "too old"), ({"headers": {}, "body": "{}"}, "headers")):
            with self.assertRaisesRegex(AssertionError, words):
                ask_about("standardwebhooks", self.place.folder, {"secret": SECRET, **wrong})
        section = {"type": "section", "text": {"type": "mrkdwn", "text": "a"}}
        whole = {"text": "a", "attachments": [{"color": "#fff", "fallback": "a", "blocks": [section]}]}
        type_check([("WebhookMessage", whole)])
        misspelt = {**whole, "attachments": [{"blocks": [{**section, "type": "sectoin"}]}]}
        for message in (misspelt, {"text": "a"}, {**whole, "channel": "C1"}):
            with self.assertRaisesRegex(AssertionError, "not what Slack takes"):
                type_check([("WebhookMessage", message)])


if __name__ == "__main__":
    unittest.main()
