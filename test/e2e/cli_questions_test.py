"""The command line asks what is configured, what conditions say now, and for all history."""

import json
import unittest

from programs import Cli
from rollout_case import RolloutCase


class Questions(RolloutCase):
    def setUp(self):
        self.receiver = self.deployer()
        self.server = self.daemon(self.configuration(self.receiver)).start()
        self.line = self.cli(self.server)

    def ends(self, code, *arguments, line=None):
        ended, out, err = (line or self.line).run(*arguments)
        self.assertEqual(ended, code, f"rollwatch {arguments}: {out}{err}")
        return out

    def test_policies(self):
        self.assertEqual(json.loads(self.ends(0, "policy", "list", "--output", "jsonl"))["name"], "quick")
        self.assertIn("errors, latency", self.ends(0, "policy", "list"))
        shown = json.loads(self.ends(0, "policy", "show", "quick", "--output", "json"))
        self.assertEqual([one["name"] for one in shown["analysis"]["condition"]], ["errors", "latency"])
        page = self.ends(0, "policy", "show", "quick")
        self.assertRegex(page, r"patience +\S.* +policy quick rollwatch\.toml:\d+")
        self.assertIn('max(e2e_errors{service="{{service}}"', page)
        code, out, err = self.line.run("policy", "show", "quikc")
        self.assertEqual((code, out), (1, ""), err)
        self.assertIn("quick", err, "the nearest is named")

    def test_checks_say_what_a_rollout_would(self):
        good, bad, unknown = self.service(), self.service(errors=0.5), self.service(latency=None)
        for service, code, outcomes in ((good, 0, {"errors": "pass", "latency": "pass"}),
                                        (bad, 2, {"errors": "fail", "latency": "pass"}),
                                        (unknown, 3, {"errors": "pass", "latency": "no_data"})):
            with self.subTest(outcomes):
                arguments = ("check", "--service", service, "--stable", "1.0", "--candidate", "1.1", "--policy", "quick")
                items = json.loads(self.ends(code, *arguments, "--output", "json"))["items"]
                self.assertEqual({item["condition"]: item["outcome"] for item in items}, outcomes)
                self.assertIn("CONDITION", self.ends(code, *arguments))
        self.ends(0, *arguments, "--condition", "errors")
        self.assertEqual(self.server.api.get("/api/v1/rollouts").json["items"], [], "nothing is recorded")
        self.ends(1, *arguments, "--condition", "eror")
        self.ends(1, *arguments, line=Cli("http://127.0.0.1:1"))
        self.ends(64, "check", "--service", "x")

    def test_an_export_has_everything(self):
        rollouts = []
        for _ in range(3):
            rollouts.append(self.server.api.register(**self.fields(self.service(), orchestrator="deployer"))["id"])
        for rollout in rollouts:
            self.server.wait_for_end_of(rollout)
        file = self.place.folder / "history.jsonl"
        self.ends(0, "export", "--file", str(file))
        code, piped, err = self.line.run("export")
        self.assertEqual(code, 0, err)
        self.assertRegex(err, r"^exported \d+ lines, ")
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        self.assertEqual(len(lines), len(piped.splitlines()))
        self.assertEqual(lines[-1]["type"], "end")
        for rollout in rollouts:
            mine = [line for line in lines if line["rollout"] == rollout]
            events = [line["data"] for line in mine if line["type"] == "event"]
            self.assertEqual(events, self.server.api.events(rollout))
            evaluations = [line["data"] for line in mine if line["type"] == "evaluation"]
            self.assertEqual(evaluations, self.server.api.evaluations(rollout))
        self.assertEqual(json.loads(self.ends(0, "export", "--namespace", "nobody").splitlines()[-1])["type"], "end")
        self.ends(0, "export", "--since", "1h")
        self.ends(64, "export", "--since", "yesterday")
        self.ends(1, "export", line=Cli("http://127.0.0.1:1"))


if __name__ == "__main__":
    unittest.main()
