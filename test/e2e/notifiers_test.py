"""Notifiers but Slack: the real Alertmanager, a strict Grafana, a program's webhook; bad roads, fallbacks, tests."""

import json
import re
import unittest

from fake_grafana import TOKEN, Grafana, Shown
from harness import free_port, side_by_side, wait_until
from notifier_case import HELD, SLACK_PATH, NoSlack, NotifierCase, SpareHook, example, page
from programs import milliseconds
from readme_test import blocks
from receivers import SECRET, Hook


class Notifiers(NotifierCase):
    # ---- Alertmanager ----

    def test_what_waits_for_a_person_and_what_goes_wrong_are_alerts_until_they_are_over(self):
        deployer = self.deployer()
        deployer.by_kind["rollback"] = "accept"
        server = self.daemon("")
        alertmanager = self.alertmanager(server.url)
        # Its policy counts every alert of the service, ours among them.
        server.configure(self.configuration(deployer) + self.oncall(alertmanager.url))
        server.start()
        service = self.service()
        rollout = self.register(server, service, labels={"tier": "web"}, analysis={
            **HELD, "alerts": {"match": {"service": "{{service}}"}, "on_fire": "rollback"}})
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.settle(server)
        self.assertEqual(alertmanager.alerts(), [], "nothing is wrong")

        self.assertEqual(server.api.decide(rollout, "pause", reason="lunch").status, 200)
        alert = self.wait_for_alerts(server, alertmanager, ["RollwatchNeedsDecision"], rollout=rollout)["RollwatchNeedsDecision"]
        self.assertEqual(alert["labels"], {
            "alertname": "RollwatchNeedsDecision", "severity": "warning", "generator": "rollwatch", "namespace": "default",
            "service": service, "target": "default", "candidate": "1.1", "rollout": rollout, "tier": "web"})
        self.assertTrue(alert["annotations"]["summary"].startswith(f"{service} 1.1: paused"), alert)
        self.assertIn(f"rollwatch resume {rollout}", alert["annotations"]["answer"])
        self.assertEqual(alert["generatorURL"], f"{server.url}/rollouts/{rollout}")
        self.assertEqual(milliseconds(alert["endsAt"]) - milliseconds(alert["startsAt"]) > 89 * 60_000, True)
        self.people.wait_for("team", "RollwatchNeedsDecision", "firing")
        wait_until(lambda: alertmanager.sent()[0] >= 2, "our own hook to be told as well")

        server.kill9()
        server.start()
        self.assertEqual(server.api.rollout(rollout)["state"], "paused", "our own alert fails no rollout")
        self.assertEqual(server.api.decide(rollout, "resume", reason="back").status, 200)
        self.wait_for_alerts(server, alertmanager, [], rollout=rollout)
        self.people.wait_for("team", "RollwatchNeedsDecision", "resolved")

        self.assertEqual(server.api.decide(rollout, "rollback", reason="no").status, 200)
        self.wait_for_alerts(server, alertmanager, ["RollwatchRollingBack"], rollout=rollout)
        order = server.api.orders(rollout)[-1]["id"]
        refused = server.api.call("POST", f"/api/v1/deliveries/{order}/ack", {"status": "refused", "detail": "not now"})
        self.assertEqual(refused.status, 200)
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rollback_failed")
        alert = self.wait_for_alerts(server, alertmanager, ["RollwatchRollbackFailed"], rollout=rollout)["RollwatchRollbackFailed"]
        self.assertEqual(alert["labels"]["severity"], "critical")
        self.people.wait_for("pager", "RollwatchRollbackFailed", "firing")
        self.settle(server)
        self.assertEqual({d["state"] for d in self.notices(server, rollout)}, {"done"})

    def test_a_datasource_that_gives_no_answers_is_one_alert(self):
        alertmanager = self.alertmanager()
        server = self.start(self.oncall(alertmanager.url))
        rollouts = [self.register(server, self.service(), analysis=HELD) for _ in range(3)]
        for rollout in rollouts:
            server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.prometheus.stop()
        try:
            for rollout in rollouts:
                server.wait_for_state(rollout, "paused")
            self.settle(server)
            alerts = self.wait_for_alerts(server, alertmanager, ["RollwatchDatasourceSilent"])
            self.assertEqual(alerts["RollwatchDatasourceSilent"]["labels"]["datasource"], "default")
        finally:
            self.prometheus.start()
        self.wait_for_alerts(server, alertmanager, [])

    def test_a_rollback_is_an_alert_only_if_events_say_so(self):
        alertmanager = self.alertmanager()
        deployer = self.deployer()
        deployer.by_kind["rollback"] = "accept"
        server = self.start(self.oncall(alertmanager.url, **{'# events = ["paused", "rolling_back", ': 'events = ['}), deployer)
        rollout = self.register(server, self.service(errors=0.9))
        server.wait_for_state(rollout, "rolling_back")
        self.settle(server)
        self.assertEqual(alertmanager.alerts(), [])
        order = server.api.orders(rollout)[-1]["id"]
        server.api.call("POST", f"/api/v1/deliveries/{order}/ack", {"status": "refused"})
        self.wait_for_alerts(server, alertmanager, ["RollwatchRollbackFailed"], rollout=rollout)

    # ---- Grafana ----

    def wait_for_region(self, server, grafana, rollout, state):
        wait_until(lambda: any(f"state:{state}" in one["tags"] for one in grafana.of(rollout)),
                   lambda: f"a region that is {state}: {grafana.annotations} {grafana.calls}", [server])
        regions = grafana.of(rollout)
        self.assertEqual(len(regions), 1, regions)
        return regions[0]

    def test_a_rollout_is_a_region_from_its_start_to_its_end(self):
        grafana = self.place.add(Grafana())
        server = self.start(self.grafana(grafana, **{"# dashboard_uid": "dashboard_uid", "# panel_id": "panel_id"}))
        good, bad = self.service(), self.service(errors=0.9)
        rollouts = {service: self.register(server, service) for service in (good, bad)}
        for service, state in ((good, "promoted"), (bad, "rolled_back")):
            view = server.wait_for_end_of(rollouts[service])
            region = self.wait_for_region(server, grafana, rollouts[service], state)
            started = next(e for e in server.api.events(rollouts[service]) if e["type"] == "started")
            self.assertEqual(region["time"], milliseconds(started["at"]))
            self.assertEqual(region["timeEnd"], milliseconds(view["ended_at"]))
            self.assertEqual((region["dashboardUID"], region["panelId"]), ("abc-1", 3))
            self.assertIn(f"service:{service}", region["tags"])
            self.assertIn("deploys", region["tags"])
            shown = Shown(region["text"])
            self.assertTrue(shown.words.startswith(f"{service} 1.1: {state.replace('_', ' ')}"), shown.words)
            self.assertEqual(shown.links, [f"{server.url}/rollouts/{rollouts[service]}"])
        self.settle(server)

    def test_a_restart_closes_the_same_region_and_a_deleted_one_is_written_anew(self):
        grafana = self.place.add(Grafana())
        server = self.start(self.grafana(grafana))
        kept, deleted = (self.register(server, self.service(), analysis=HELD) for _ in range(2))
        regions = {rollout: self.wait_for_region(server, grafana, rollout, "analyzing") for rollout in (kept, deleted)}
        self.settle(server)
        server.kill9()
        grafana.delete(regions[deleted])
        server.start()
        for rollout in (kept, deleted):
            self.assertEqual(server.api.decide(rollout, "cancel").status, 200)
        ended = {rollout: self.wait_for_region(server, grafana, rollout, "cancelled") for rollout in (kept, deleted)}
        self.assertEqual(ended[kept]["id"], regions[kept]["id"])
        self.assertNotEqual(ended[deleted]["id"], regions[deleted]["id"])
        for rollout in (kept, deleted):
            self.assertEqual(ended[rollout]["time"], regions[rollout]["time"])
            self.assertGreater(ended[rollout]["timeEnd"], ended[rollout]["time"])
        self.settle(server)

    def test_only_rollouts_that_went_wrong(self):
        grafana = self.place.add(Grafana())
        events = re.search(r'`(events = \["rolled_back", "rollback_failed"\])`', page())[1]
        server = self.start(self.grafana(grafana) + events + "\n")
        good, bad = (self.register(server, self.service(errors=errors)) for errors in (0.01, 0.9))
        self.assertEqual(server.wait_for_end_of(good)["state"], "promoted")
        view = server.wait_for_end_of(bad)
        region = self.wait_for_region(server, grafana, bad, "rolled_back")
        self.assertEqual(region["time"], milliseconds(view["created_at"]))
        self.assertEqual(region["timeEnd"], milliseconds(view["ended_at"]))
        self.settle(server)
        self.assertEqual(len(grafana.annotations), 1)

    def test_a_grafana_that_does_not_take_it(self):
        grafana = self.place.add(Grafana())
        server = self.start(self.grafana(grafana, glsa_XXXX="glsa_e2e-another"))
        rollout = self.register(server, self.service(), analysis=HELD)
        wait_until(lambda: any(d["state"] == "dead" for d in self.notices(server, rollout)), "it to be dead", [server])
        dead = self.notices(server, rollout)[0]["attempts"]
        self.assertEqual([(a["status"], a["answer"]) for a in dead], [(401, '{"message": "Invalid API key"}')])
        server.configure(self.configuration(self.deployer()) + self.grafana(grafana))
        self.assertEqual(server.api.call("POST", "/-/reload").status, 200)
        grafana.script.extend([503, "login"])
        self.assertEqual(server.api.decide(rollout, "cancel").status, 200)
        wait_until(lambda: len(self.notices(server, rollout)[-1]["attempts"]) == 2, "two attempts", [server])
        last = self.notices(server, rollout)[-1]
        self.assertEqual([a["status"] for a in last["attempts"]], [503, 200])
        self.assertIn("no id of an annotation", last["attempts"][-1]["error"])
        self.assertNotIn("glsa_e2e-another", server.log())

    # ---- Webhook ----

    def test_a_program_is_told_what_moves_the_rollout_signed(self):
        hook = self.place.add(Hook())
        server = self.start(self.webhook(hook))
        rollout = self.register(server, self.service(errors=0.9), labels={"tier": "web"})
        self.assertEqual(server.wait_for_end_of(rollout)["state"], "rolled_back")
        wait_until(lambda: "rollout.rolled_back" in hook.types_of(rollout), lambda: f"its end: {hook.events}", [server])
        self.settle(server)
        self.assertEqual(hook.types_of(rollout), ["rollout.started", "rollout.step_began", "rollout.decided", "rollout.rolled_back"])
        documented = next(json.loads(content) for language, _, content in blocks(page()) if language == "json")
        for event in hook.events.values():
            self.assertEqual(self.shape(event), self.shape(documented))
            self.assertEqual(event["data"]["rollout"]["labels"], {"tier": "web"})
        decided = next(e for e in hook.events.values() if e["type"] == "rollout.decided")["data"]
        self.assertEqual((decided["event"]["decision"], decided["rollout"]["state"]), ("rollback", "rolling_back"))
        self.assertEqual((decided["reason"]["condition"], decided["reason"]["value"]), ("errors", 0.9))
        explained = server.api.get(decided["reason"]["explain_url"].removeprefix(server.url)).json
        self.assertEqual(explained["decision"]["kind"], "rollback")

    def shape(self, value):
        return {key: self.shape(one) if key in ("data", "event", "rollout", "reason") else None
                for key, one in value.items()} if isinstance(value, dict) else None

    def test_receivers_that_are_down_slow_endless_elsewhere_or_unwilling(self):
        side_by_side({
            "down": lambda: self.bad_road([], None, down=True),
            "slow": lambda: self.bad_road(["hang"], "timed out|timeout|no answer", timeout="300ms"),
            "hangs up": lambda: self.bad_road(["hang_up"], "closed the connection"),
            "redirects": lambda: self.bad_road(["away"], "redirects are not followed"),
            "broken": lambda: self.bad_road([500], "^$"),
        })

    def bad_road(self, script, says, timeout="10s", down=False):
        hook, elsewhere = self.place.add(Hook(port=free_port())), self.place.add(SpareHook())
        hook.script.extend(script)
        hook.elsewhere = elsewhere.url
        server = self.start(self.webhook(hook, **{'timeout = "10s"': f'timeout = "{timeout}"'}) + 'events = ["started"]\n',
                            name=f"daemon-{hook.port}")
        if down:
            hook.stop()
        rollout = self.register(server, self.service(), analysis=HELD)

        def attempts():
            return [a for d in self.notices(server, rollout) for a in d["attempts"]]

        wait_until(attempts, "an attempt", [server])
        if down:
            hook.start()
        wait_until(lambda: hook.types_of(rollout) and self.notices(server, rollout)[0]["state"] == "done",
                   lambda: f"to be told: {self.notices(server, rollout)}", [server])
        self.assertEqual(len(attempts()), 2)
        if says is not None:
            self.assertRegex(attempts()[0]["error"] or "", says)
        self.assertEqual(elsewhere.came, [], "nobody else is told")
        self.assertEqual(len(hook.events), 1)

    def test_an_answer_without_an_end_and_one_that_tells_a_secret(self):
        hook = self.place.add(Hook())
        hook.script.extend(["endless", 400])
        server = self.start(self.webhook(hook) + 'events = ["started", "cancelled"]\n')
        rollout = self.register(server, self.service(), analysis=HELD)
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.settle(server)
        self.assertEqual(server.api.decide(rollout, "cancel").status, 200)
        wait_until(lambda: len(self.notices(server, rollout)) == 2 and self.notices(server, rollout)[1]["state"] == "dead",
                   "the second one to be refused", [server])
        first, second = self.notices(server, rollout)
        self.assertEqual((first["state"], first["attempts"][0]["status"]), ("done", 200))
        self.assertEqual(first["attempts"][0]["answer"], "x" * 2048)
        self.assertEqual(second["attempts"][0]["status"], 400)
        self.assertNotIn("e2e-hook-path", json.dumps(second))
        self.settle(server)

    # ---- Who is told, and who instead ----

    def test_several_of_a_kind_by_labels_and_events(self):
        payments, bad_news = self.place.add(NoSlack()), self.place.add(Hook())
        payments.answer = (200, b"ok")
        text = self.changed(example("payments"), {SLACK_PATH: payments.url, "https://hooks.example.net/bad-news": bad_news.url,
                                                  "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": SECRET})
        everybody = self.place.add(SpareHook())
        text += self.webhook(everybody)
        server = self.start(text)
        ours = self.register(server, self.service(errors=0.9), namespace="payments")
        other = self.register(server, self.service(), namespace="search", notify=["automation"])
        self.assertEqual(server.wait_for_end_of(ours)["state"], "rolled_back")
        self.assertEqual(server.wait_for_end_of(other)["state"], "promoted")
        self.settle(server)
        self.assertEqual(bad_news.types_of(ours), ["rollout.decided", "rollout.rolled_back"])
        self.assertEqual(len(bad_news.events), 2)
        self.assertEqual(len(payments.came), 3, payments.came)
        self.assertEqual(everybody.types_of(ours), [])
        self.assertIn("rollout.promoted", everybody.types_of(other))

    def test_the_fallback_is_told_what_a_notifier_refuses(self):
        gone, alertmanager = self.place.add(NoSlack()), self.alertmanager()
        text = self.changed(example("main"), {SLACK_PATH: gone.url, "http://127.0.0.1:9093": alertmanager.url})
        deployer = self.deployer()
        server = self.start(text, deployer)
        rollout = self.register(server, self.service(), analysis=HELD)
        server.wait_for(rollout, lambda r: r["step"], "to have begun")
        self.assertEqual(server.api.decide(rollout, "pause", reason="lunch").status, 200)
        alert = self.wait_for_alerts(server, alertmanager, ["RollwatchNeedsDecision"], rollout=rollout)["RollwatchNeedsDecision"]
        self.assertTrue(alert["annotations"]["summary"].endswith("(told in place of main)"), alert)
        fails = self.wait_for_alerts(server, alertmanager, ["RollwatchNotifierFails"], notifier="main")["RollwatchNotifierFails"]
        self.assertIn("notifier main refuses what it is sent: HTTP 404, refused: no_service", fails["annotations"]["summary"])
        self.assertEqual({d["state"] for d in self.notices(server, rollout, "main")}, {"dead"})
        gone.answer = (200, b"ok")
        self.assertEqual(server.api.decide(rollout, "promote", reason="fine").status, 200)
        self.wait_for_alerts(server, alertmanager, [], notifier="main")
        self.settle(server)

    # ---- Does it work? ----

    def test_a_test_message_shows_the_raw_answer(self):
        hook, grafana, gone = self.place.add(Hook()), self.place.add(Grafana()), self.place.add(NoSlack())
        alertmanager = self.alertmanager()
        text = self.webhook(hook) + self.grafana(grafana) + self.oncall(alertmanager.url)
        text += f'[notifier.releases]\ntype = "slack"\nwebhook_url = "{gone.url}"\n'
        text += f'[notifier.away]\ntype = "alertmanager"\nurl = "http://127.0.0.1:{free_port()}"\n'
        server = self.start(text)
        cli = self.cli(server)

        def ask(name):
            code, out, err = cli.run("notify", "test", name, "--output", "json")
            self.assertEqual(err, "")
            for secret in (TOKEN, "e2e-hook-path", "e2e-slack-path", SECRET):
                self.assertNotIn(secret, out)
            return code, json.loads(out)

        code, answer = ask("automation")
        self.assertEqual((code, answer["outcome"], answer["status"]), (0, "done", 204))
        event, = hook.events.values()
        self.assertEqual((event["type"], event["data"]["rollout"]), ("rollwatch.test", None))
        self.assertIn("asked for by anna@", event["data"]["reason"]["summary"])
        hook.script.append(500)
        code, answer = ask("automation")
        self.assertEqual((code, answer["outcome"], answer["status"], answer["answer"]), (1, "failed", 500, "no … here"))

        code, answer = ask("dashboards")
        self.assertEqual((code, answer["status"]), (0, 200))
        self.assertIn('"Annotation added"', answer["answer"])
        annotation, = grafana.annotations.values()
        self.assertIn("test", annotation["tags"])

        code, answer = ask("oncall")
        self.assertEqual((code, answer["status"]), (0, 200))
        self.assertEqual(set(alertmanager.alerts_of(notifier="oncall")), {"RollwatchTest"})

        code, answer = ask("away")
        self.assertEqual((code, answer["outcome"], answer["status"]), (1, "failed", None))
        self.assertIn("refused", answer["error"])

        # As the page shows it.
        shown = next(content for _, _, content in blocks(page()) if content.startswith("$ rollwatch notify test"))
        code, out, err = cli.run("notify", "test", "releases")
        self.assertEqual((code, err), (1, ""))
        self.assertEqual(re.sub(r"\d+ ms", "83 ms", out), shown.split("\n", 1)[1])
        self.assertIn("test of notifier releases", gone.came[-1])
        code, out, err = cli.run("notify", "test", "nobody")
        self.assertEqual((code, out), (1, ""))
        self.assertIn('there is no notifier "nobody"', err)
        self.assertEqual(cli.run("notify", "look", "oncall")[0], 64)
        self.assertEqual(server.api.call("POST", "/api/v1/notifiers/oncall/test", {"bye": "x"}).status, 422)
        self.settle(server)


if __name__ == "__main__":
    unittest.main()
