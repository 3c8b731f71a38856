"""The stage of those who test notifiers but Slack: configurations of docs/notifications.md with other addresses, a real
Alertmanager with the routes of the page, and receivers."""

import json

from alertmanager import Alertmanager
from fake_grafana import TOKEN
from harness import SOURCE, wait_until
from readme_test import blocks
from receivers import SECRET, Hook, Receiver
from rollout_case import RolloutCase

HELD = {"steps": [{"weight": 5, "hold": "1h"}]}  # stays where it is
SLACK_PATH = "https://hooks.slack.com/services/T000/B000/XXXX"


def page():
    return (SOURCE / "docs" / "notifications.md").read_text()


def example(name):
    """The block of the page with [notifier.NAME], as it stands there."""
    found = [content for language, _, content in blocks(page()) if language == "toml" and f"[notifier.{name}]" in content]
    if len(found) != 1:
        raise AssertionError(f"{len(found)} blocks with [notifier.{name}]")
    return found[0]


class SpareHook(Hook):
    path = "/spare/e2e-hook-path-0123"


class NoSlack(Receiver):
    """An incoming webhook that was removed."""

    path = "/services/T000/B000/e2e-slack-path"

    def __init__(self, port=0):
        self.came = []
        self.answer = (404, b"no_service")
        super().__init__(port)

    def receive(self, path, headers, body):
        with self.lock:
            self.came.append(json.loads(body)["text"])
            status, text = self.answer
        return status, "text/plain", text

    def close(self):
        self.stop()


class Pages(Receiver):
    """Whom Alertmanager pages."""

    path = ""

    def __init__(self):
        self.came = []  # (receiver, alertname, status)
        super().__init__()

    def receive(self, path, headers, body):
        with self.lock:
            self.came += [(path.strip("/"), a["labels"]["alertname"], a["status"]) for a in json.loads(body)["alerts"]]
        return 200, "text/plain", b""

    def wait_for(self, *page_of):
        wait_until(lambda: page_of in self.came, lambda: f"{page_of}; there came {self.came}")

    def close(self):
        self.stop()


class NotifierCase(RolloutCase):
    def webhook(self, hook, **changed):
        return self.changed(example("automation"), {"https://hooks.example.net/rollwatch": hook.url,
                                                    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": SECRET, **changed})

    def grafana(self, grafana, **changed):
        return self.changed(example("dashboards"), {"https://grafana.example.net": grafana.url, "glsa_XXXX": TOKEN, **changed})

    def oncall(self, url, **changed):
        return self.changed(example("oncall"), {"http://127.0.0.1:9093": url, **changed})

    def changed(self, text, changes):
        for old, new in changes.items():
            self.assertIn(old, text)
            text = text.replace(old, new)
        return text

    def start(self, notifiers, deployer=None, name="daemon", **environment):
        return self.daemon(self.configuration(deployer or self.deployer()) + notifiers, name, **environment).start()

    def register(self, server, service, **more):
        return server.api.register(**self.fields(service, orchestrator="deployer", **more))["id"]

    def settle(self, server):
        """Until everything that was to be said is said; nothing tells a secret."""
        wait_until(lambda: server.metric("rollwatch_outbox_pending", kind="notification") == 0,
                   "every notification to be sent", [server])
        for secret in (TOKEN, "e2e-hook-path", "e2e-slack-path", SECRET):
            self.assertNotIn(secret, server.log())

    def notices(self, server, rollout, target=None):
        return [d for d in server.api.deliveries(rollout)
                if d["class"] == "notification" and target in (None, d["target"])]

    def alertmanager(self, rollwatch=None):
        """With the routes of the page. What reaches people goes to `people`; all of it to our own hook as well."""
        route = next(content for language, _, content in blocks(page()) if language == "yaml")
        self.people = self.place.add(Pages())
        for name in ("team", "pager"):
            self.assertIn(f"- name: {name}\n", route)
            hooks = [f"{self.people.url}/{name}"] + ([f"{rollwatch}/hooks/alertmanager"] if rollwatch else [])
            configs = "".join(f"      - {{ url: '{url}', send_resolved: true }}\n" for url in hooks)
            route = route.replace(f"- name: {name}\n", f"- name: {name}\n    webhook_configs:\n{configs}")
        route = route.replace("  receiver: team\n", "  receiver: team\n  group_wait: 0s\n  group_interval: 1s\n", 1)
        return self.place.add(Alertmanager(self.place.folder, route))

    def wait_for_alerts(self, server, alertmanager, names, **labels):
        wait_until(lambda: set(alertmanager.alerts_of(**labels)) == set(names),
                   lambda: f"the alerts {names} of {labels}; there are {alertmanager.alerts()}\n{server.log()[-3000:]}", [server])
        return alertmanager.alerts_of(**labels)
