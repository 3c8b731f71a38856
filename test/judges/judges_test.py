"""What the daemon really sent, before other people's implementations of the same formats."""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from fake_slack import TOKEN, SlackApi  # noqa: E402
from judging import ask, ask_about, type_check  # noqa: E402
from receivers import SECRET, Deployer, Hook, signature  # noqa: E402
from harness import wait_until  # noqa: E402
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


class RecordingSlack(SlackApi):
    def __init__(self):
        self.sent = []  # (method, message)
        super().__init__()

    def receive(self, path, headers, body):
        with self.lock:
            self.sent.append((path.removeprefix(self.path + "/"), json.loads(body)))
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

    def test_orders_as_cloud_events(self):
        deployer = self.place.add(RecordingDeployer())
        server = self.daemon(self.configuration(deployer, orchestrator='format = "cloudevents"')).start()
        rollout = server.api.register(**self.fields(self.service(errors=0.9), orchestrator="deployer"))["id"]
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rolled_back")
        with deployer.lock:
            came = list(deployer.came)
        kinds = []
        for one in came:
            event = json.loads(ask_about("cloudevents", self.place.folder, one))
            self.assertEqual(event["data"]["rollout"]["id"], rollout)
            self.assertEqual(event["id"], one["headers"]["webhook-id"])
            kinds.append(event["type"])
            self.assertEqual(ask_about("standardwebhooks", self.place.folder, {"secret": SECRET, **one}), "genuine")
        self.assertEqual(kinds, ["io.rollwatch.rollout.advance.v1", "io.rollwatch.rollout.rollback.v1"])
        for wrong in ({"specversion": "1.0"}, {"specversion": "1.0", "id": "1", "source": "", "type": "x"}):
            message = {"headers": {"content-type": "application/cloudevents+json"}, "body": json.dumps(wrong)}
            with self.assertRaisesRegex(AssertionError, "cloudevents refuses"):
                ask_about("cloudevents", self.place.folder, message)

    def test_notifications_signed_and_as_cloud_events(self):
        hook, events = self.place.add(Hook()), self.place.add(Hook())
        server = self.daemon(self.configuration(self.deployer()) + "".join(
            f'[notifier.{name}]\ntype = "webhook"\nurl = "{one.url}"\nsecret = "{SECRET}"\nformat = "{form}"\n'
            for name, one, form in (("hook", hook, "standard"), ("events", events, "cloudevents")))).start()
        rollouts = [server.api.register(**self.fields(self.service(errors=errors), orchestrator="deployer"))["id"]
                    for errors in (0.01, 0.9)]
        self.assertEqual([server.wait_for_end_of(one)["state"] for one in rollouts], ["promoted", "rolled_back"])
        self.assertEqual(server.api.call("PUT", "/api/v1/freeze", {"by": "ana", "reason": "stocktaking"}).status, 200)
        held = server.api.register(**self.fields(self.service(), orchestrator="deployer"))["id"]
        self.assertEqual(server.api.call("POST", "/api/v1/notifiers/events/test").json["outcome"], "done")
        wait_until(lambda: {"freeze.frozen", "rollout.rolled_back"} <= {e["type"] for e in hook.events.values()},
                   lambda: f"everything to be told of {held}: {hook.events}", [server])
        wait_until(lambda: server.metric("rollwatch_outbox_pending", kind="notification") == 0, "everything to be told")
        for one in hook.came + events.came:
            self.assertEqual(ask_about("standardwebhooks", self.place.folder, {"secret": SECRET, **one}), "genuine")
        judged = [json.loads(ask_about("cloudevents", self.place.folder, one)) for one in events.came]
        self.assertEqual({event["type"] for event in judged},
                         {f"io.rollwatch.{e['type']}.v1" for e in hook.events.values()} | {"io.rollwatch.rollwatch.test.v1"})
        for event, one in zip(judged, events.came, strict=True):
            self.assertEqual(event["id"], one["headers"]["webhook-id"])

    def test_slack_by_bot_token(self):
        slack = self.place.add(RecordingSlack())
        bot = f'[notifier.people]\ntype = "slack"\ntoken = "{TOKEN}"\nchannel = "#releases"\napi_url = "{slack.url}"\n'
        server = self.daemon(self.configuration(self.deployer()) + bot).start()
        rollouts = [server.api.register(**self.fields(self.service(errors=errors), orchestrator="deployer"))["id"]
                    for errors in (0.01, 0.9)]
        self.assertEqual([server.wait_for_end_of(one)["state"] for one in rollouts], ["promoted", "rolled_back"])
        wait_until(lambda: server.metric("rollwatch_outbox_pending", kind="notification") == 0, "everything to be told")
        with slack.lock:
            sent = list(slack.sent)
        kinds = {"chat.postMessage": "PostedMessage", "chat.update": "EditedMessage"}
        self.assertEqual({method for method, _ in sent}, set(kinds))
        self.assertTrue(any(message.get("reply_broadcast") for _, message in sent), "the rollback is broadcast")
        type_check([(kinds[method], message) for method, message in sent])

    def test_slacks_own_client_takes_the_slack_of_the_tests_for_slack(self):
        slack = self.place.add(SlackApi())
        answers = json.loads(ask("slack-api", slack.url, TOKEN, "#releases"))
        self.assertEqual(answers, {"root_ts": "string", "reply_differs": True, "reply_thread": True, "same_message": True,
                                   "text": "root, edited", "no_channel": "channel_not_found",
                                   "no_message": "message_not_found", "no_token": "invalid_auth"})
        root = slack.roots()[0]
        self.assertEqual((root["text"], root["edits"]), ("root, edited", 1))
        self.assertTrue(slack.replies(root)[0]["reply_broadcast"])

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
