"""The recipes of docs/orchestrators.md, as they stand there: what leaves for an advance, a promotion and a rollback,
that what is already so is not done twice, and that somebody else's rollout is left alone."""

import json
import re
import threading
import unittest
import urllib.parse
from http.server import BaseHTTPRequestHandler

from harness import SOURCE, wait_until
from metrics_server import QuietServer
from readme_test import blocks
from rollout_case import RolloutCase

# What the deployer sends along for each recipe.
LABELS = {"deployment": "d-1", "promote_job": "11", "rollback_job": "12", "execution": "e-1", "stage": "s-1", "hash": "h"}
ARGS = {"app": "shop", "image": "registry/shop", "container": "web", "owner": "acme", "repo": "shop", "project": "7"}

ARGO = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts/{service}"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/{service}"
ACTION = "/api/v1/applications/shop/resource/actions/v2"

# (orders of a rollout that is promoted, orders of one that is rolled back), as "METHOD path body's part".
EXPECTED = {
    "shop": (["POST /default/{service}/promote 100"], ["PUT /default/{service}/version 1.0"]),
    "argo-rollouts": (["PATCH " + ARGO + "/status pauseConditions", "PATCH " + ARGO + "/status pauseConditions",
                       "PATCH " + ARGO + "/status promoteFull"],
                      ["PATCH " + ARGO + "/status pauseConditions", "PATCH " + ARGO + "/status abort"]),
    "deployments": ([], ["PATCH " + DEPLOYMENT + " registry/shop:1.0"]),
    "argo-cd": (["POST " + ACTION + " resume", "POST " + ACTION + " resume", "POST " + ACTION + " promote-full"],
                ["POST " + ACTION + " resume", "POST " + ACTION + " abort"]),
    "nomad": (["POST /v1/deployment/promote/d-1 All"], ["POST /v1/deployment/fail/d-1 "]),
    "github": (["POST /repos/acme/shop/dispatches rollwatch-advance", "POST /repos/acme/shop/dispatches rollwatch-advance",
                "POST /repos/acme/shop/dispatches rollwatch-promote"],
               ["POST /repos/acme/shop/dispatches rollwatch-advance", "POST /repos/acme/shop/dispatches rollwatch-rollback"]),
    "gitlab": (["POST /api/v4/projects/7/jobs/11/play "], ["POST /api/v4/projects/7/jobs/12/play "]),
    "spinnaker": (["PATCH /pipelines/e-1/stages/s-1 continue"], ["PATCH /pipelines/e-1/stages/s-1 stop"]),
}

# What a target answers when it is looked at, by what its path contains.
STATES = {
    "/apis/argoproj.io/": {"spec": {"template": {"metadata": {"labels": {"version": "1.1"}}}}},
    "/apis/apps/": {"spec": {"template": {"spec": {"containers": [{"image": "registry/shop:1.1"}]}}}},
    "/v1/deployment/": {"Status": "running"},
    "/default/": {"version": "1.1"},
}


class SomebodysApi:
    """Answers a look with the state that was set, takes everything else, and keeps what came."""

    def __init__(self):
        self.lock = threading.Lock()
        self.came = []  # (method, path, headers, body)
        self.states = dict(STATES)
        api = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                with api.lock:
                    answer = {}
                    if self.command == "GET":
                        answer = next((state for part, state in api.states.items() if part in self.path), {})
                    else:
                        api.came.append((self.command, urllib.parse.unquote(self.path), {k.lower(): v for k, v in self.headers.items()}, body))
                text = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_PATCH = answer

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def of(self, service=""):
        with self.lock:
            return [one for one in self.came if service in one[1] + one[3]]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def recipes():
    """Every orchestrator of the page by name: its block of TOML."""
    page = (SOURCE / "docs" / "orchestrators.md").read_text()
    return {re.search(r"^\[orchestrator\.([\w-]+)\]", content, re.M)[1]: content
            for language, _, content in blocks(page) if language == "toml"}


class Orchestrators(RolloutCase):
    def stage(self):
        api = self.place.add(SomebodysApi())
        text = "\n".join(recipes().values())
        variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "e2e-api-token")
        text = re.sub(r"https://[\w.-]+(:\d+)?", api.url, text)
        text = re.sub(r"^tls = .*\n", "", text, flags=re.M)
        token = self.place.folder / "token"
        token.write_text("e2e-service-account\n")
        token.chmod(0o600)
        text = text.replace("/var/run/secrets/kubernetes.io/serviceaccount/token", str(token))
        server = self.daemon(self.configuration() + text, **variables).start()
        return api, server

    def register(self, server, name, service):
        return server.api.register(**self.fields(service, orchestrator=name, labels=LABELS, args=ARGS))["id"]

    def told(self, api, before, expected, service):
        """Waits for exactly these requests after the first `before`, in order."""
        def came():
            with api.lock:
                return [f"{method} {path} {body}" for method, path, _, body in api.came[before:]]

        wait_until(lambda: len(came()) >= len(expected), lambda: f"{expected}; there came {came()}")
        for line, wanted in zip(came(), expected, strict=True):
            method_and_path, _, part = wanted.format(service=service).rpartition(" ")
            self.assertTrue(line.startswith(method_and_path + " "), f"{line}; wanted {wanted}")
            self.assertIn(part, line)

    def test_every_recipe(self):
        self.assertEqual(recipes().keys(), EXPECTED.keys())
        api, server = self.stage()
        for name, (promoted, rolled_back) in EXPECTED.items():
            for errors, state, expected in ((0.01, "promoted", promoted), (0.9, "rolled_back", rolled_back)):
                with self.subTest(name, state=state):
                    service = self.service(errors=errors)
                    before = len(api.of())
                    rollout = self.register(server, name, service)
                    self.assertEqual(server.wait_for_end_of(rollout)["state"], state)
                    self.told(api, before, expected, service)
        tokens = {headers.get("authorization") for _, path, headers, _ in api.of() if path.startswith("/apis/")}
        self.assertEqual(tokens, {"Bearer e2e-service-account"})
        kinds = {headers["content-type"] for _, path, headers, _ in api.of() if path.startswith("/apis/")}
        self.assertEqual(kinds, {"application/merge-patch+json", "application/strategic-merge-patch+json"})
        self.assertNotIn("e2e-api-token", server.log())
        self.assertNotIn("e2e-service-account", server.log())

    def test_what_is_already_so_and_what_is_somebody_elses(self):
        api, server = self.stage()
        with api.lock:
            api.states["/v1/deployment/"] = {"Status": "failed"}
            api.states["/apis/apps/"] = {"spec": {"template": {"spec": {"containers": [{"image": "registry/shop:1.2"}]}}}}
        service = self.service(errors=0.9)
        already = self.register(server, "nomad", service)
        self.assertEqual(server.wait_for_end_of(already)["state"], "rolled_back")
        theirs = self.register(server, "deployments", self.service(errors=0.9))
        ended = server.wait_for_end_of(theirs)
        self.assertEqual(ended["state"], "rollback_failed")
        self.assertIn("somebody else's by now", ended["reason"])
        self.assertIn('"registry/shop:1.2"', ended["reason"])
        self.assertEqual(api.of(), [], "nothing was sent")

    def test_a_registration_without_what_its_orders_need_is_refused(self):
        _, server = self.stage()
        service = self.service()
        refused = server.api.call("POST", "/api/v1/rollouts", self.fields(service, orchestrator="nomad"))
        self.assertEqual(refused.status, 422)
        self.assertEqual([error["pointer"] for error in refused.json["errors"]], ["/labels/deployment"])
        self.assertIn("{{labels.deployment}}", refused.text)
        first = self.fields(service, orchestrator="shop")
        del first["stable"]
        refused = server.api.call("POST", "/api/v1/rollouts", first)
        self.assertEqual([error["pointer"] for error in refused.json["errors"]], ["/stable"])

    def test_what_would_be_sent_is_shown_and_not_sent(self):
        api, server = self.stage()
        code, out, err = self.cli(server).run("orchestrator", "test", "argo-rollouts", "--service", "shop", "--candidate", "2.0")
        self.assertEqual(code, 0, err)
        self.assertIn(f"rollback: PATCH {api.url}{ARGO.format(service='shop')}/status", out)
        self.assertIn('"abort": true', out)
        self.assertIn("nothing was sent", out)
        code, out, err = self.cli(server).run("orchestrator", "test", "nomad", "--output", "json")
        self.assertEqual(code, 0, err)
        notes = {order["kind"]: order["note"] for order in json.loads(out)["orders"]}
        self.assertIn("{{labels.deployment}} has no value", notes["promote"])
        self.assertIn("counts as done", notes["advance"])
        code, out, err = self.cli(server).run("orchestrator", "test", "nobody")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("there is no orchestrator", err)
        self.assertEqual(self.cli(server).run("orchestrator", "look", "nomad")[0], 64)
        self.assertEqual(api.of(), [])


if __name__ == "__main__":
    unittest.main()
