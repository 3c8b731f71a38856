"""Somebody says the day after whether a decision was right: it is recorded, shown and counted, and nothing follows from it."""

import unittest

from harness import wait_until
from programs import Browser
from receivers import SECRET, Hook
from rollout_case import RolloutCase

WHY = "the errors came from the load test"


class Labels(RolloutCase):
    def setUp(self):
        self.hook = self.place.add(Hook())
        text = self.configuration(self.deployer())
        text += f'[notifier.review]\ntype = "webhook"\nurl = "{self.hook.url}"\nsecret = "{SECRET}"\nevents = ["labelled"]\n'
        self.server = self.daemon(text).start()
        self.line = self.cli(self.server)

    def rolled_back(self):
        rollout = self.server.api.register(**self.fields(self.service(errors=0.9), orchestrator="deployer"))["id"]
        self.assertEqual(self.server.wait_for_end_of(rollout)["state"], "rolled_back")
        return rollout

    def counted(self, label):
        return self.server.metric("rollwatch_labelled_decisions_total", kind="rollback", label=label)

    def test_of_a_rollback(self):
        rollout = self.rolled_back()
        before = self.server.api.get(f"/api/v1/rollouts/{rollout}")
        self.assertIsNone(before.json["label"])
        code, out, err = self.line.run("label", rollout, "wrong", "--reason", WHY, "--by", "ana")
        self.assertEqual((code, out, err), (0, f"{rollout} rolled_back is labelled wrong by ana: {WHY}\n", ""))

        label = self.server.api.rollout(rollout)["label"]
        self.assertEqual((label["label"], label["reason"], label["by"]), ("wrong", WHY, "ana"))
        again = self.server.api.get(f"/api/v1/rollouts/{rollout}", If_None_Match=before.headers["ETag"])
        self.assertEqual(again.status, 200, "it is not as it was")
        self.assertEqual(again.json["revision"], before.json["revision"], "and nothing followed")
        self.assertEqual(self.server.api.get("/api/v1/rollouts").json["items"][0]["label"], label)
        event = [event for event in self.server.api.events(rollout) if event["type"] == "labelled"]
        self.assertEqual([(e["data"]["by"], e["data"]["reason"], e["data"]["kind"]) for e in event], [("ana", WHY, "rollback")])
        self.assertEqual((self.counted("wrong"), self.counted("right")), (1, 0))

        self.assertIn(f"label         wrong by ana: {WHY}\n", self.line.run("status", rollout)[1])
        self.assertIn(f"the rollback is labelled wrong by ana: {WHY}", self.line.run("history", rollout)[1])
        self.assertIn(f"wrong by ana: {WHY}", Browser(self.server.url).get(f"/rollouts/{rollout}", Accept="text/html").text)
        wait_until(lambda: self.hook.events, "who asks for it to be told", [self.server])
        self.assertEqual([event["type"] for event in self.hook.events.values()], ["rollout.labelled"])

    def test_the_latest_counts_and_stays(self):
        rollout = self.rolled_back()
        label = lambda word: self.server.api.decide(rollout, "label", label=word).status  # noqa: E731
        self.assertEqual([label("right"), label("right"), label("wrong")], [200] * 3)
        self.assertEqual((self.counted("right"), self.counted("wrong")), (1, 1), "what was said before is not counted again")
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.server.api.rollout(rollout)["label"]["label"], "wrong")
        self.assertEqual(len([e for e in self.server.api.events(rollout) if e["type"] == "labelled"]), 3)

    def test_what_cannot_be_labelled(self):
        rollout = self.server.api.register(**self.fields(self.service(), policy="quick"))["id"]
        answer = self.server.api.decide(rollout, "label", label="right")
        self.assertEqual(answer.status, 409, answer)
        self.assertIn("only a rollout that was promoted or rolled back", answer.json["detail"])
        self.assertEqual(self.server.api.decide("ro_none", "label", label="right").status, 404)
        for body in ({"label": "bad", "reason": "x"}, {"label": "right"}, {"label": "right", "reason": ""}):
            self.assertEqual(self.server.api.call("POST", f"/api/v1/rollouts/{rollout}/label", body).status, 422, body)
        code, _, err = self.line.run("label", rollout, "right", "--reason", "x")
        self.assertEqual(code, 1)
        self.assertIn("has a decision that can be labelled", err)
        self.assertEqual(self.line.run("label", rollout, "right")[0], 64, "why is not left out")


if __name__ == "__main__":
    unittest.main()
