"""Secrets appear in no answer, no log line, no error and no output."""

import base64
import json
import socket
import unittest

from fake_slack import TOKEN, SlackApi
from harness import wait_until
from programs import Daemon, check_config
from receivers import Deployer, Slack
from rollout_case import POLICY, RolloutCase

SIGNING_KEY = "whsec_" + base64.b64encode(b"e2e-signing-key-of-32-bytes-long").decode()
SECRETS = {
    "E2E_SIGNING_KEY": SIGNING_KEY,
    "E2E_BEARER": "e2e-bearer-token",
    "E2E_PASSWORD": "e2e-basic-password",
    "E2E_HEADER": "e2e-header-value",
    "E2E_HOOK": "e2e-deployer-path",
}
# Also as they travel: a header's base64, a Slack address's path.
FORBIDDEN = [*SECRETS.values(), base64.b64encode(b"reader:e2e-basic-password").decode(), "e2e-slack-path",
             "e2e-file-secret", "e2e-slack-token", SIGNING_KEY.removeprefix("whsec_")]

OTHERS = '''
[datasource.basic]
url = "{basic}"
basic_auth = {{ username = "reader", password_file = "password" }}
headers = {{ X-Tenant = "${{E2E_HEADER}}" }}
[datasource.away]
url = "http://127.0.0.1:{nobody}"
bearer_token = "${{E2E_BEARER}}"

[[policy.quick.condition]]
name = "basic"
query = 'e2e_errors{{service="{{{{service}}}}"}} > 0.5'
datasource = "basic"
[[policy.quick.condition]]
name = "away"
query = 'e2e_errors{{service="{{{{service}}}}"}} > 0.5'
datasource = "away"
on_fail = "observe"
'''


def whole(answer):
    """All that a client gets to see."""
    return f"{answer.status}\n{answer.headers}\n{answer.text}"


class Secrets(RolloutCase):
    def assert_clean(self, text, where):
        for secret in FORBIDDEN:
            at = text.find(secret)
            self.assertEqual(at, -1, f"{where} tells a secret: {text[max(at - 100, 0):at + 100]}")

    def secret_configuration(self, deployer, slack, bot, nobody):
        folder = self.place.folder / "daemon"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "password").write_text(SECRETS["E2E_PASSWORD"] + "\n")
        (folder / "slack.token").write_text(TOKEN + "\n")
        (folder / "slack.webhook").write_text(slack.url + "\n")
        return (f'[datasource.default]\nurl = "{self.prometheus.url}"\nbearer_token = "${{E2E_BEARER}}"\n'
                f'[orchestrator.deployer]\nurl = "http://127.0.0.1:{deployer.port}/${{E2E_HOOK}}"\n'
                'secret = "${E2E_SIGNING_KEY}"\n'
                f'[orchestrator.away]\nurl = "http://127.0.0.1:{nobody}/${{E2E_HOOK}}"\nsecret = "${{E2E_SIGNING_KEY}}"\n'
                'deadline = "2s"\nrollback_deadline = "2s"\n'
                '[notifier.people]\ntype = "slack"\nwebhook_url_file = "slack.webhook"\n'
                '[notifier.bot]\ntype = "slack"\ntoken_file = "slack.token"\nchannel = "#releases"\n'
                f'api_url = "{bot.url}"\n'
                '[notifier.away]\ntype = "slack"\n'
                f'webhook_url = "http://127.0.0.1:{nobody}/e2e-slack-path"\n'
                + POLICY + OTHERS.format(basic=self.prometheus.url, nobody=nobody))

    def test_nowhere(self):
        with socket.socket() as reserved:  # bound and not listening: nobody answers here
            reserved.bind(("127.0.0.1", 0))
            self.everything(reserved.getsockname()[1])

    def everything(self, nobody):
        deployer = self.place.add(SecretDeployer(SIGNING_KEY))
        slack = self.slack()
        bot = self.place.add(TellingSlack())
        bot.script.extend(["ok", "invalid_auth", "internal_error"])
        configuration = self.secret_configuration(deployer, slack, bot, nobody)
        server = self.place.add(Daemon(self.place.folder / "daemon", configuration, SECRETS)).start()
        api = server.api
        good, bad, lost, refused = self.service(), self.service(errors=0.9), self.service(), self.service()
        deployer.script.append("refuse")
        rollout = api.register(**self.fields(refused, orchestrator="deployer"))["id"]
        self.assertIn("Cannot POST", server.wait_for_state(rollout, "paused")["reason"], "its words are shown")
        deployer.script.append("fail")
        rollouts = [
            rollout,
            api.register(**self.fields(good, orchestrator="deployer"))["id"],
            api.register(**self.fields(bad, orchestrator="deployer"))["id"],
            api.register(**self.fields(lost, orchestrator="away", notify=["away", "people"]))["id"],
        ]
        server.wait_for_state(rollouts[2], "rolled_back")
        server.wait_for_state(rollouts[3], "paused")
        wait_until(lambda: any(d["attempts"] and d["target"] == "away" and d["class"] == "notification"
                               for d in api.deliveries(rollouts[3])), "an attempt to tell Slack in vain", [server])
        self.assertTrue(deployer.effects, "the key was the right one")
        self.assertTrue(slack.messages, "the address was the right one")
        self.assertTrue(bot.messages, "the token was the right one")
        wait_until(lambda: len(bot.calls) > 3, "Slack to have told what it knows", [server])

        said = []
        paths = ["/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/rollouts", "/api/v1/rollouts/none", "/nothing"]
        for rollout in rollouts:
            paths += [f"/api/v1/rollouts/{rollout}{below}"
                      for below in ("", "/verdict", "/evaluations", "/events", "/deliveries", "/explain")]
            decisions = [e["data"].get("decision") for e in api.events(rollout)]
            paths += [f"/api/v1/rollouts/{rollout}/explain?decision={decision}" for decision in decisions if decision]
        said += [(path, whole(api.call("GET", path, described=path != "/nothing"))) for path in paths]
        bodies = [
            ("POST", "/api/v1/rollouts", {"service": "x", "candidate": "2", "orchestrator": "deploy"}),
            ("POST", "/api/v1/rollouts", {"service": "x", "candidate": "2", "policy": "quick", "notify": ["peopl"]}),
            ("POST", "/api/v1/rollouts", {"service": "x", "candidate": "2", "policy": "quick",
                                          "analysis": {"datasource": "basi"}}),
            ("POST", "/api/v1/rollouts", {"service": "x", "candidate": "2", "analysis": {"condition": [
                {"name": "a", "query": "${E2E_BEARER} > 1"}]}}),
            ("POST", "/api/v1/rollouts", b"not JSON"),
            ("POST", "/-/reload", None),
        ]
        said += [(f"{method} {path} {body}", whole(api.call(method, path, body))) for method, path, body in bodies]
        for rollout in rollouts:
            for decision in ("pause", "rollback"):
                said.append((decision, whole(api.decide(rollout, decision))))
            for verb in ("status", "history", "explain"):
                said.append((verb, str(self.cli(server).run(verb, rollout))))
                said.append((verb, str(self.cli(server).run(verb, rollout, "--output", "json"))))
        server.wait_for_end_of(rollouts[3])

        # A reload that fails on a secret, and one that works.
        server.configure(configuration.replace('secret = "${E2E_SIGNING_KEY}"', 'secret = "${E2E_BEARER}"'))
        answer = api.call("POST", "/-/reload")
        self.assertEqual(answer.status, 422)
        said.append(("a bad reload", whole(answer)))
        server.configure(configuration)
        self.assertEqual(api.call("POST", "/-/reload").status, 200)
        self.assertEqual(server.stop(), 0)
        said.append(("the log", server.log()))
        for file in server.folder.glob("rollwatch.db*"):
            said.append((file.name, file.read_bytes().decode("latin-1")))
        self.assertIn("rollwatch.db", [where for where, _ in said])
        said.append(("Slack", str(slack.messages)))
        said.append(("the deployer", str(list(deployer.bodies.values()))))
        for where, text in said:
            self.assert_clean(text, where)

    def test_check_config_tells_none(self):
        folder = self.place.folder
        (folder / "secret").write_text("e2e-file-secret\n")
        signed = 'url = "http://127.0.0.1:1/"\nsecret = '
        rows = [
            ("a good file", '[datasource.default]\nurl = "http://127.0.0.1:1"\nbearer_token = "${E2E_BEARER}"\n', 0),
            ("no signing key", f'[orchestrator.a]\n{signed}"${{E2E_BEARER}}"\n', 1),
            ("written into the file", f'[orchestrator.a]\n{signed}"e2e-file-secret"\n', 1),
            ("from a file", '[orchestrator.a]\nurl = "http://127.0.0.1:1/"\nsecret_file = "secret"\n', 1),
            ("a wrong type", f'[orchestrator.a]\n{signed}["${{E2E_SIGNING_KEY}}"]\n', 1),
            ("no address", '[notifier.a]\ntype = "slack"\nwebhook_url = "${E2E_BEARER}"\n', 1),
            ("an address with a password", '[datasource.a]\nurl = "http://reader:${E2E_PASSWORD}@127.0.0.1:1"\n', 1),
            ("two kinds of login", '[datasource.a]\nurl = "http://127.0.0.1:1"\nbearer_token = "${E2E_BEARER}"\n'
                                   'basic_auth = { username = "reader", password = "${E2E_PASSWORD}" }\n', 1),
            ("in the wrong place", '[policy.a]\nduration = "${E2E_PASSWORD}"\n', 1),
            ("as a choice", '[notifier.a]\ntype = "${E2E_BEARER}"\n', 1),
            ("unknown key", '[datasource.a]\nurl = "http://127.0.0.1:1"\nbearer = "${E2E_BEARER}"\n', 1),
            ("broken TOML", '[orchestrator.a]\nsecret = "e2e-file-secret\n', 1),
        ]
        for name, text, expected in rows:
            with self.subTest(name):
                (folder / "rollwatch.toml").write_text(text)
                code, said = check_config(folder / "rollwatch.toml", **SECRETS)
                self.assertEqual(code, expected, said)
                self.assert_clean(said, name)


class SecretDeployer(Deployer):
    """Its address is a secret too, and it tells everybody, as many a web framework does."""

    path = "/" + SECRETS["E2E_HOOK"]

    def receive(self, path, headers, body):
        status, content_type, text = super().receive(path, headers, body)
        return status, content_type, f"Cannot POST {path}: {text.decode()}".encode()


class TellingSlack(SlackApi):
    """Repeats the token in every answer, good or bad."""

    def receive(self, path, headers, body):
        status, content_type, text, *more = super().receive(path, headers, body)
        answer = {**json.loads(text), "provided": headers["Authorization"]}
        return status, content_type, json.dumps(answer).encode(), *more


if __name__ == "__main__":
    unittest.main()
