"""Slack by bot token: one message per rollout, edited in place, its thread, and what happens on bad roads."""

import html
import os
import re
import signal
import unittest

from fake_slack import CHANNELS, TOKEN, SlackApi
from harness import side_by_side, wait_until
from programs import Api, Browser
from rollout_case import RolloutCase

HELD = {"steps": [{"weight": 5, "hold": "1h"}]}  # stays where it is
FAIL_POINTS = os.environ.get("ROLLWATCH_TEST_FAIL_POINTS", "ON") == "ON"


def words(message):
    return html.unescape(message["text"])


class SlackBot(RolloutCase):
    def api_of_slack(self):
        return self.place.add(SlackApi())

    def bot_configuration(self, slack, deployer, channel="#releases", token=TOKEN):
        return self.configuration(deployer) + (f'[notifier.people]\ntype = "slack"\ntoken = "{token}"\n'
                                               f'channel = "{channel}"\napi_url = "{slack.url}"\n')

    def start(self, slack, name="daemon", **more):
        return self.daemon(self.bot_configuration(slack, self.deployer(), **more), name).start()

    def register(self, server, service, **more):
        return server.api.register(**self.fields(service, orchestrator="deployer", **more))["id"]

    def settle(self, server, rollout=None):
        """Until everything that was to be said is said; nothing tells a secret."""
        wait_until(lambda: server.metric("rollwatch_outbox_pending", kind="notification") == 0,
                   "every notification to be sent", [server])
        self.assertNotIn(TOKEN, server.log())
        if rollout:
            deliveries = server.api.get(f"/api/v1/rollouts/{rollout}/deliveries?limit=100").text
            self.assertNotIn(TOKEN, deliveries)

    def wait_for_root(self, server, slack, part):
        wait_until(lambda: any(part in words(root) for root in slack.roots()),
                   lambda: f"a root with {part!r}; there are {[words(r) for r in slack.roots()]}", [server])

    def notices(self, server, rollout):
        return [d for d in server.api.deliveries(rollout) if d["class"] == "notification"]

    # ---- What people see ----

    def test_a_good_release_is_one_message(self):
        slack = self.api_of_slack()
        server = self.start(slack)
        service = self.service()
        rollout = self.register(server, service, links={"change": "https://git.example.net/c/1"})
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "promoted")
        self.wait_for_root(server, slack, "promoted")
        self.settle(server, rollout)

        self.assertEqual(len(slack.shown_in_channel()), 1, slack.texts())
        root = slack.roots()[0]
        self.assertTrue(words(root).startswith(f"{service} 1.1: promoted"), root["text"])
        self.assertEqual(root["channel"], CHANNELS["#releases"])
        self.assertGreaterEqual(root["edits"], 1)
        replies = [words(reply) for reply in slack.replies(root)]
        self.assertEqual([r for r in replies if " began" in r],
                         [f":arrow_up: {service} 1.1: step 1 of 2 began at 5 %",
                          f":arrow_up: {service} 1.1: step 2 of 2 began at 25 %"])
        self.assertEqual({d["state"] for d in self.notices(server, rollout)}, {"done"})

        shown = str(root["attachments"])
        self.assertIn("*Value (limit)*", shown)
        self.assertIn("2 of 2 passing", html.unescape(shown))
        links = dict((label, html.unescape(url)) for url, label in re.findall(r"<(http[^|>]+)\|([^>]+)>", shown))
        self.assertEqual(set(links), {"Rollout", "Graph", "Query", "change"})
        page = Browser("").get(links["Rollout"], Accept="text/html")
        self.assertEqual((page.status, links["Rollout"]), (200, f"{server.url}/rollouts/{rollout}"))
        self.assertIn(f"{service} 1.1 was promoted", page.text)
        self.assertIn("decision", Api("").get(links["Query"]).json)
        self.assertTrue(links["Graph"].startswith(self.prometheus.url + "/graph?g0.expr="), links)

    def test_a_bad_one_is_one_more(self):
        slack = self.api_of_slack()
        server = self.start(slack)
        service = self.service(errors=0.2)
        rollout = self.register(server, service)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rolled_back")
        self.wait_for_root(server, slack, "rolled back")
        self.settle(server, rollout)
        seen = slack.shown_in_channel()
        self.assertEqual(len(seen), 2, [words(m) for m in seen])
        root, broadcast = seen
        self.assertIn("rolled back", words(root))
        self.assertTrue(broadcast["reply_broadcast"])
        self.assertEqual(broadcast["thread_ts"], root["ts"])
        self.assertIn(f"{service} 1.1: rolling back: errors 0.2 > 0.05", words(broadcast))
        self.assertIn("0.2 (> 0.05)", html.unescape(str(root["attachments"])))
        first = [words(r) for r in slack.replies(root) if "first failing check" in words(r)]
        self.assertEqual(len(first), 1, "the first one, not each")
        self.assertIn("errors 0.2 > 0.05", first[0])

    def test_what_people_do_is_in_the_thread_with_their_name(self):
        slack = self.api_of_slack()
        server = self.start(slack)
        service = self.service()
        rollout = self.register(server, service, analysis=HELD)
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.assertEqual(server.api.decide(rollout, "pause", reason="lunch <!channel>").status, 200)
        self.wait_for_root(server, slack, "paused")
        self.assertEqual(server.api.decide(rollout, "resume", reason="back").status, 200)
        self.assertEqual(server.api.decide(rollout, "promote", reason="it is fine").status, 200)
        self.wait_for_root(server, slack, "promoted")
        self.settle(server, rollout)
        self.assertEqual(len(slack.shown_in_channel()), 1, [words(m) for m in slack.shown_in_channel()])
        thread = [words(r) for r in slack.replies(slack.roots()[0])]
        for did in ("pause by anna: lunch <!channel>", "resume by anna: back", "promote by anna: it is fine"):
            self.assertEqual(sum(did in line for line in thread), 1, f"{did} in {thread}")
        self.assertNotIn("<!channel>", str(slack.messages), "nobody is paged by a reason")

    def test_what_concerns_many_rollouts_is_a_message_of_its_own(self):
        slack = self.api_of_slack()
        server = self.start(slack)
        rollouts = [self.register(server, self.service(), analysis=HELD) for _ in range(3)]
        for rollout in rollouts:
            server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.settle(server)
        roots = slack.roots()
        self.assertEqual(len(roots), 3)
        edits = [root["edits"] for root in roots]
        self.prometheus.stop()
        try:
            for rollout in rollouts:
                server.wait_for_state(rollout, "paused")
            self.settle(server)
        finally:
            self.prometheus.start()
        seen = [words(m) for m in slack.shown_in_channel()]
        self.assertEqual(len(seen), 4, seen)
        self.assertTrue(seen[3].startswith("datasource default gives no answers"), seen)
        self.assertEqual([root["edits"] for root in roots], edits, "no rollout's message moves for it")
        self.wait_for_root(server, slack, "datasource default answers again")

    # ---- Bad roads ----

    def test_a_restart_continues_the_thread(self):
        slack = self.api_of_slack()
        server = self.start(slack)
        rollout = self.register(server, self.service(), analysis=HELD)
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.settle(server)
        before = slack.roots()
        self.assertEqual(len(before), 1)
        server.kill9()
        server.start()
        self.assertEqual(server.api.decide(rollout, "promote").status, 200)
        self.wait_for_root(server, slack, "promoted")
        self.settle(server, rollout)
        self.assertEqual([root["ts"] for root in slack.roots()], [before[0]["ts"]], "no second message")
        self.assertTrue(any("promote by anna" in words(r) for r in slack.replies(before[0])))

    @unittest.skipUnless(FAIL_POINTS, "this build has no fail points")
    def test_a_crash_between_the_answer_and_the_commit_costs_one_message_at_most(self):
        service = self.service(errors=0.2)
        side_by_side({f"notification {n}": lambda n=n: self.die_once(n, service) for n in range(1, 6)})

    def die_once(self, number, service):
        slack = self.api_of_slack()
        deployer = self.deployer()
        server = self.daemon(self.bot_configuration(slack, deployer), f"crash-{number}")
        server.start(ROLLWATCH_FAIL_POINT=f"before_notice_commit:{number}")
        server.expected_dead = True
        fields = self.fields(service, orchestrator="deployer")
        try:
            server.api.call("POST", "/api/v1/rollouts", fields, Idempotency_Key="release")
        except OSError:
            pass  # it died before it answered
        self.assertEqual(server.wait_for_end(), -signal.SIGKILL)
        server.start()
        answer = server.api.call("POST", "/api/v1/rollouts", fields, Idempotency_Key="release")
        rollout = answer.json["id"]
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rolled_back")
        self.wait_for_root(server, slack, "rolled back")
        self.settle(server, rollout)
        self.assertEqual({d["state"] for d in self.notices(server, rollout)}, {"done"})
        posted = [words(m) for m in slack.messages.values()]
        # Two in the channel and what is in the thread; one of them may be there twice, nothing thrice.
        self.assertIn(len(slack.shown_in_channel()), (2, 3), posted)
        self.assertLessEqual(len(posted) - len(set(posted)), 1, posted)
        last = slack.roots()[-1]
        self.assertIn("rolled back", words(last))
        self.assertTrue(any(r.get("reply_broadcast") for r in slack.replies(last)), "the thread goes on below it")

    def test_limits_lost_answers_and_a_message_that_somebody_deleted(self):
        slack = self.api_of_slack()
        server = self.start(slack)
        slack.script.extend([("429", 1), "ok", "lost"])
        rollout = self.register(server, self.service(), analysis=HELD)
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.settle(server)
        self.assertEqual([answer for _, _, answer in slack.calls][:2], ["429", "ok"])
        self.assertEqual(len(slack.roots()), 1, "the limit cost no message")
        old = slack.roots()[0]
        slack.delete(old)
        self.assertEqual(server.api.decide(rollout, "pause", reason="lunch").status, 200)
        self.wait_for_root(server, slack, "paused")
        self.settle(server, rollout)
        new = slack.roots()
        self.assertEqual(len(new), 1)
        self.assertNotEqual(new[0]["ts"], old["ts"])
        self.assertEqual(len([r for r in slack.replies(new[0]) if "pause by anna" in words(r)]), 1)
        self.assertEqual(server.api.decide(rollout, "rollback").status, 200)
        server.wait_for_end_of(rollout)
        self.wait_for_root(server, slack, "rolled back")
        self.settle(server)
        self.assertEqual([root["ts"] for root in slack.roots()], [new[0]["ts"]], "remembered")

    def test_a_word_is_a_failure_that_is_seen_and_can_be_mended(self):
        slack = self.api_of_slack()
        for name, word, wrong in (("channel", "channel_not_found", {"channel": "#relases"}),
                                  ("private", "not_in_channel", {"channel": "#private"}),
                                  ("archived", "is_archived", {"channel": "#archive"}),
                                  ("token", "invalid_auth", {"token": "xoxb-e2e-another"})):
            with self.subTest(name):
                deployer = self.deployer()
                server = self.daemon(self.bot_configuration(slack, deployer, **wrong), name).start()
                service = self.service()
                rollout = self.register(server, service, analysis=HELD)
                wait_until(lambda: any(d["state"] == "dead" for d in self.notices(server, rollout)),
                           "the first one to be dead", [server])
                dead = next(d for d in self.notices(server, rollout) if d["state"] == "dead")
                self.assertIn(f"Slack says {word}", dead["attempts"][0]["error"])
                self.assertEqual(len(dead["attempts"]), 1, "not hammered")
                self.assertIn(f"Slack says {word}", server.log())
                server.configure(self.bot_configuration(slack, deployer))
                self.assertEqual(server.api.call("POST", "/-/reload").status, 200)
                self.assertEqual(server.api.decide(rollout, "promote").status, 200)
                self.wait_for_root(server, slack, f"{service} 1.1: promoted")
                self.settle(server, rollout)
                self.assertNotIn("xoxb-e2e-another", server.log())


if __name__ == "__main__":
    unittest.main()
