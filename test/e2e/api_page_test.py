"""docs/api.md does what it says: its commands are run as they stand there, and what it shows is what the API's description
allows and nothing else."""

import json
import re
import subprocess
import unittest

from harness import SOURCE
from openapi import Document
from readme_test import blocks
from rollout_case import POLICY, RolloutCase

SERVER = "http://127.0.0.1:9797"
PAGE = (SOURCE / "docs" / "api.md").read_text()
# What each JSON block of a section shows, in order.
SHOWN = {
    "Register": ["Registration"],
    "A rollout": ["Rollout"],
    "Fleet": ["Fleet"],
    "Verdict, and waiting": ["VerdictAnswer"],
    "Lists and cursors": ["Evaluation", "Event", "Delivery"],
    "Deliveries of all rollouts": ["FleetDeliveries"],
    "Policies": ["PolicyList", "PolicyRecord"],
    "Check": ["CheckAnswer"],
    "Status": ["Status"],
    "Nodes": ["NodeList"],
    "Targets": ["TargetList"],
    "What an orchestrator would be sent": ["OrchestratorTest"],
    "A test message": ["NotifierTest"],
    "Freezing": ["Freeze"],
    "A service": ["Service"],
    "Errors": ["Problem"],
}
# Of these the page shows only what is worth it.
SHORTENED = {"OrchestratorTest", "Service"}
HTTP = POLICY.replace("policy.quick", "policy.http").replace('name = "errors"', 'name = "error-rate"').replace(
    'hold = "1s"', 'hold = "1h"')

COMPARED = '''
[policy.slo]
steps = [ { weight = 5, hold = "1h" } ]
interval = "5m"
[[policy.slo.condition]]
name = "errors"
compare = "rate"
events = 'requests_total{version="{{version}}"}'
bad_events = 'errors_total{version="{{version}}"}'
'''


def sections():
    parts = re.split(r"^## (.*)$", PAGE, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


class ApiPage(RolloutCase):
    def test_what_it_shows_is_what_the_document_describes(self):
        document = Document(json.loads((SOURCE / "daemon" / "api" / "openapi.json").read_text())).closed()
        for title, text in sections().items():
            shown = [content for language, _, content in blocks(text) if language == "json"]
            self.assertEqual(len(shown), len(SHOWN.get(title, [])), title)
            for schema, content in zip(SHOWN.get(title, []), shown):
                found = document.problems({"$ref": f"#/components/schemas/{schema}"}, json.loads(content), schema)
                if schema in SHORTENED:
                    found = [problem for problem in found if not problem.endswith("is missing")]
                self.assertEqual(found, [], title)

    def test_every_call_is_in_its_table_and_no_other(self):
        table = PAGE[:PAGE.index("\n## ")]
        described = set()
        for path in json.loads((SOURCE / "daemon" / "api" / "openapi.json").read_text())["paths"]:
            described.add(re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")))
        named = set()
        for row in re.findall(r"^\| (`.*?) \|", table, re.M):
            base = None  # what follows a whole path stands beside it
            for text in re.findall(r"`(?:[A-Z]+ )?(/[^`]*)`", row):
                path = re.sub(r"\{\w+\}", "{}", text.removeprefix("/api/v1"))
                if text.startswith("/api/v1"):
                    base = path.rsplit("/", 1)[0]
                elif base is not None:
                    path = base + path
                named.add(path)
        self.assertEqual(named, described)

    def test_its_commands(self):
        deployer, slack = self.deployer(), self.slack()
        policy = self.configuration(deployer, slack, policy=HTTP + COMPARED).replace("notifier.people", "notifier.releases")
        server = self.daemon(policy).start()
        for gauge, value in (("e2e_errors", 0.01), ("e2e_latency", 0.1)):
            self.exposition.set(gauge, value, service="checkout", version="1.24")
            self.prometheus.wait_for(f'{gauge}{{service="checkout",version="1.24"}}', value)
        of = sections()
        (self.place.folder / "rollout.json").write_text([text for language, _, text in blocks(of["Register"]) if language == "json"][0])
        rollout = self.run_example(of["Register"], server)
        self.assertEqual((rollout["service"], rollout["orchestrator"], rollout["notify"]), ("checkout", "deployer", ["releases"]))
        server.wait_for(rollout["id"], lambda r: r["conditions"][0]["last"], "to be judged")
        checked = self.run_example(of["Check"], server)
        self.assertEqual([(item["condition"], item["outcome"], item["value"]) for item in checked["items"]], [("error-rate", "pass", 0.01)])
        played = [json.loads(line) for line in self.run_example(of["Calibrate"], server, parse=False).splitlines()]
        self.assertEqual((played[0]["type"], played[-1]["type"], played[-1]["meaning"]), ("calibration", "end", "nothing"))
        self.assertEqual(server.api.decide(rollout["id"], "pause").status, 200)
        resumed = self.run_example(of["Decide"], server, id=rollout["id"])
        self.assertEqual((resumed["state"], resumed["question"]), ("analyzing", None))
        # The page's day has passed.
        until = [("2026-11-20T18:00:00Z", "2099-11-20T18:00:00Z")]
        frozen = self.run_example(of["Freezing"], server, until)
        self.assertEqual(frozen["text"], "frozen by ana: stocktaking")
        self.assertEqual(server.api.decide(rollout["id"], "cancel").status, 200)
        shown = self.run_example(of["Verdict, and waiting"], server, id=rollout["id"], parse=False)
        self.assertIn("cancel by anna", shown)
        listed = self.run_example(of["Export"], server, parse=False)
        lines = [json.loads(line) for line in (self.place.folder / "history.jsonl").read_text().splitlines()]
        self.assertEqual(lines[-1]["type"], "end")
        self.assertEqual(listed.splitlines(), [f'{rollout["id"]}\t{event["at"]}\t{event["type"]}' for event in server.api.events(rollout["id"])])

    def run_example(self, section, server, replaced=(), id="", parse=True):
        shell = [content for language, _, content in blocks(section) if language == "sh"][0]
        self.assertIn(SERVER, shell)
        shell = shell.replace(SERVER, server.url).replace("curl -X", "curl -sS -X")
        for old, new in replaced:
            self.assertIn(old, shell)
            shell = shell.replace(old, new)
        ran = subprocess.run(["bash", "-euc", f"id={id}\n{shell}"], cwd=self.place.folder, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""), ran.stdout)
        return json.loads(ran.stdout) if parse else ran.stdout


if __name__ == "__main__":
    unittest.main()
