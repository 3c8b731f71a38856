"""The worked examples of docs/gates.md, taken from the page and run by what each tool does with them: its
loop, its expressions, the status codes it reads."""

import json
import re
import unittest

import small_yaml
from harness import SOURCE, wait_until
from programs import Api
from readme_test import blocks
from rollout_case import POLICY, RolloutCase

SERVER = "http://rollwatch.example.net:9797"
# The examples' policy: a while without weights. There is evidence at once, and seconds instead of minutes.
HTTP = POLICY.replace("policy.quick", "policy.http").replace(
    'steps = [ { weight = 5, hold = "1s" }, { weight = 25, hold = "1s" }, { weight = 100 } ]', 'duration = "2s"')


def examples(title):
    """The fenced blocks of one section of the page."""
    page = (SOURCE / "docs" / "gates.md").read_text()
    section = page[page.index(f"\n## {title}\n"):][4:]
    section = section[:section.find("\n## ")] if "\n## " in section else section
    return [content for _, _, content in blocks(section)]


class Dotted:
    """A JSON object as the tools' expressions see it."""

    def __init__(self, value):
        self.value = value

    def __getattr__(self, name):
        found = self.value[name.rstrip("_")]
        return Dotted(found) if isinstance(found, dict) else found


def holds(expression, **names):
    """One of the tools' small expressions; what is not there is an error, as with them."""
    python = expression.replace("&&", " and ").replace("||", " or ").replace(".pass", ".pass_")
    value = eval(python, {"__builtins__": {}}, {name: Dotted(value) for name, value in names.items()})
    if not isinstance(value, bool):
        raise AssertionError(f"{expression} is no boolean but {value!r}")
    return value


class Examples(RolloutCase):
    def setUp(self):
        self.server = self.daemon(self.configuration(policy=HTTP)).start()
        # A service by the examples' name; a candidate of its own for each test.
        self.version = f"1.{next(self.numbers) + 100}"

    def gauges(self, errors):
        for gauge, value in (("e2e_errors", errors), ("e2e_latency", 0.1)):
            self.exposition.set(gauge, value, service="checkout", version=self.version)
            self.prometheus.wait_for(f'{gauge}{{service="checkout",version="{self.version}"}}', value)

    def here(self, text):
        """The example with what a test cannot have: the server's address, and the version it releases."""
        self.assertIn(SERVER, text)
        return text.replace(SERVER, self.server.url).replace('"1.24"', f'"{self.version}"')

    def call(self, method, url, body=None, headers=None):
        return Api("").call(method, url, body, **(headers or {}))

    def latest(self):
        return self.server.api.get("/api/v1/rollouts?limit=1").json["items"][0]

    # ---- Flagger

    def flagger(self, webhooks, weights):
        """Flagger's loop over one canary, as pkg/controller/scheduler.go has it; how it ended, and what it did."""
        done, weight, phase = [], 0, "Waiting"

        def ask(kind):
            answers = []
            for hook in webhooks:
                if hook["type"] == kind:
                    body = {"name": "checkout", "namespace": "payments", "phase": "Progressing", "checksum": "5d8f",
                            "metadata": hook.get("metadata", {})}
                    answer = self.call("POST", hook["url"], body)
                    self.assertLess(answer.status, 500, answer)
                    answers.append(answer.status <= 202)
            return answers

        def tick():
            nonlocal weight, phase
            if phase == "Waiting":
                if all(ask("confirm-rollout")):
                    phase = "Progressing"
                    done.append("scaled up")
                return None
            if any(ask("rollback")):
                return "rolled back"
            if weight and not all(ask("rollout")):
                raise AssertionError("no example uses it")
            if weight < weights[-1]:
                if all(ask("confirm-traffic-increase")):
                    weight = next(w for w in weights if w > weight)
                    done.append(weight)
                return None
            return "promoted" if all(ask("confirm-promotion")) else None

        return wait_until(tick, lambda: f"Flagger to end; it did {done}, {self.latest()}", [self.server]), done

    def test_flagger(self):
        canary, = [small_yaml.parse(self.here(text)) for text in examples("Flagger")]
        registration = json.loads(re.search(r"registers `(\{.*?\})`", (SOURCE / "docs" / "gates.md").read_text())[1])
        registration["candidate"] = self.version
        hooks, weights = canary["spec"]["analysis"]["webhooks"], canary["spec"]["analysis"]["stepWeights"]
        self.assertEqual({hook["type"] for hook in hooks},
                         {"confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "rollback"})
        for hook in hooks:
            status = self.call("POST", hook["url"], {"name": "checkout", "namespace": "payments"}).status
            self.assertEqual(status, 403, f"{hook['type']}: nobody has registered it")

        self.gauges(0.01)
        self.server.api.register(**registration)
        self.assertEqual(self.flagger(hooks, weights), ("promoted", ["scaled up", 5, 25, 50]))
        self.assertEqual(self.latest()["state"], "promoted")

        self.version += "1"
        self.gauges(0.2)
        before = next(hook for hook in hooks if hook["type"] == "confirm-rollout")["url"]
        answer = self.call("POST", before, {"name": "checkout", "namespace": "payments"})
        self.assertEqual(answer.status, 403, "the next version is not registered yet")
        self.assertRegex(answer.text, r"^checkout \S+ \(default, ro_\w+\) is promoted: .*\n$")
        self.server.api.register(**{**registration, "candidate": self.version})
        self.assertEqual(self.flagger(hooks, weights)[0], "rolled back")
        self.assertEqual(self.latest()["state"], "rolled_back")

    # ---- Argo Rollouts

    def argo(self, template, rollout):
        """An AnalysisRun's single metric, until it has ended."""
        metric, = template["spec"]["metrics"]
        web = metric["provider"]["web"]
        self.assertEqual(web["jsonPath"], "{$}", "the whole answer is the result")
        url = web["url"].replace("{{args.rollout}}", rollout)
        inconclusive = 0

        def measure():
            nonlocal inconclusive
            answer = self.call("GET", url)
            self.assertEqual(answer.status, 200, "anything but 2xx is an error of the metric")
            failed = holds(metric["failureCondition"], result=answer.json)
            if failed:
                return "Failed"
            if holds(metric["successCondition"], result=answer.json):
                return "Successful"
            inconclusive += 1
            self.assertLessEqual(inconclusive, metric["inconclusiveLimit"])
            return None

        ended = wait_until(measure, "the analysis to end", [self.server])
        self.assertGreater(inconclusive, 0, "it was not in at once")
        return ended

    def test_argo_rollouts(self):
        template, = [small_yaml.parse(self.here(text)) for text in examples("Argo Rollouts")]
        for errors, ended in ((0.01, "Successful"), (0.2, "Failed")):
            with self.subTest(ended):
                self.version += "1"
                self.gauges(errors)
                rollout = self.server.api.register(namespace="payments", service="checkout", stable="1.23",
                                                   candidate=self.version, policy="http")["id"]
                self.assertEqual(self.argo(template, rollout), ended)

    # ---- Kargo

    def kargo(self, steps):
        """The steps of a promotion, one after the other."""
        promotion, outputs = f"promotion-{self.version}", {}

        def filled(text):
            text = text.replace("${{ ctx.promotion }}", promotion)
            return re.sub(r"\$\{\{ outputs\.(\w+)\.(\w+) \}\}", lambda m: outputs[m[1]][m[2]], text)

        for step in steps:
            config = step["config"]
            headers = {header["name"]: filled(header["value"]) for header in config.get("headers", [])}

            def attempt():
                answer = self.call(config["method"], filled(config["url"]),
                                   config["body"].encode() if "body" in config else None, headers)
                response = {"status": answer.status, "body": answer.json}
                if "failureExpression" in config and holds(config["failureExpression"], response=response):
                    return "Failed"
                if holds(config["successExpression"], response=response):
                    outputs[step["as"]] = {output["name"]: eval_path(output["fromExpression"], response)
                                           for output in config.get("outputs", [])}
                    return "Succeeded"
                self.assertIn("retry", step, f"it is tried once only: {answer}")
                return None

            if wait_until(attempt, lambda: f"{step['as']} to end", [self.server]) == "Failed":
                return "Failed"
        return "Succeeded"

    def test_kargo(self):
        text, = examples("Kargo")
        for errors, ended in ((0.01, "Succeeded"), (0.2, "Failed")):
            with self.subTest(ended):
                self.version += "1"
                self.gauges(errors)
                self.assertEqual(self.kargo(small_yaml.parse(self.here(text))["steps"]), ended)

    # ---- Spinnaker

    def spinnaker(self, stage, execution, stop=lambda: False):
        """One webhook stage, as orca's CreateWebhookTask, MonitorWebhookTask and its cancelling do it."""
        def filled(text):
            text = text.replace("${execution.id}", execution["id"])
            return re.sub(r"\$\{#stage\('(\w+)'\)\['context'\]\['webhook'\]\['body'\]\['id'\]\}",
                          lambda m: execution[m[1]]["id"], text)

        headers = {name: filled(value) for name, value in stage.get("customHeaders", {}).items()}
        url = filled(stage["url"])
        created = self.call(stage["method"], url, stage.get("payload"), headers)
        self.assertIn(created.status // 100, (2, 3), created)
        execution[stage["name"]] = created.json
        if not stage["waitForCompletion"]:
            return "SUCCEEDED"
        status_url = {"getMethod": url, "locationHeader": created.headers["Location"]}[stage["statusUrlResolution"]]
        self.assertTrue(status_url, "the status URL could not be resolved")
        words = {word.strip().upper(): status
                 for status, key in (("SUCCEEDED", "successStatuses"), ("CANCELED", "canceledStatuses"),
                                     ("TERMINAL", "terminalStatuses")) for word in stage[key].split(",")}

        def monitor():
            if stop():
                return "STOPPED"
            answer = self.call("GET", status_url, None, headers)
            if answer.status // 100 == 4:
                return "TERMINAL"
            status = answer.json[stage["statusJsonPath"].removeprefix("$.")]
            self.assertIsInstance(status, str, "one scalar; a number would be percent")
            self.assertIsInstance(answer.json[stage["progressJsonPath"].removeprefix("$.")], str)
            return words.get(status.upper())

        ended = wait_until(monitor, "the stage to end", [self.server])
        if ended != "SUCCEEDED" and "cancelEndpoint" in stage:  # no payload is given, so no body is sent
            execution["cancelled"] = self.call(stage["cancelMethod"], filled(stage["cancelEndpoint"]), None, headers)
        return ended

    def stages(self):
        one, judge = [json.loads(self.here(text)) for text in examples("Spinnaker")]
        return one, {**one, "name": "Register", "waitForCompletion": False}, judge

    def test_spinnaker_one_stage(self):
        for errors, ended in ((0.01, "SUCCEEDED"), (0.2, "TERMINAL")):
            with self.subTest(ended):
                self.version += "1"
                self.gauges(errors)
                stage, _, _ = self.stages()
                execution = {"id": f"01-{self.version}"}
                self.assertEqual(self.spinnaker(stage, execution), ended)
                again = self.call("POST", stage["url"], stage["payload"], {"Idempotency-Key": execution["id"]})
                self.assertEqual((again.status, again.headers["Location"].rsplit("/", 1)[-1]),
                                 (200, execution["Rollwatch"]["id"]), "a repeat after a 5xx resolves as well")

    def test_spinnaker_two_stages(self):
        for errors, ended, cancel in ((0.01, "SUCCEEDED", None), (0.2, "TERMINAL", 409)):
            with self.subTest(ended):
                self.version += "1"
                self.gauges(errors)
                _, register, judge = self.stages()
                execution = {"id": f"02-{self.version}"}
                self.assertEqual(self.spinnaker(register, execution), "SUCCEEDED")
                self.assertEqual(self.spinnaker(judge, execution), ended)
                self.assertEqual(execution["cancelled"].status if cancel else None, cancel, execution)

    def test_spinnaker_cancels(self):
        self.gauges(0.01)
        _, register, judge = self.stages()
        register["payload"]["analysis"] = {"duration": "1h"}
        execution = {"id": f"03-{self.version}"}
        self.spinnaker(register, execution)
        asked = iter((False, False, True))
        self.assertEqual(self.spinnaker(judge, execution, lambda: next(asked)), "STOPPED")
        self.assertEqual(execution["cancelled"].status, 200, execution)
        self.assertEqual(self.latest()["state"], "cancelled")


def eval_path(path, response):
    value = {"response": response}
    for part in path.split("."):
        value = value[part]
    return value


if __name__ == "__main__":
    unittest.main()
