"""The dashboards are alive: a real Prometheus scrapes a real daemon through rollouts that end in every way, and every
expression of every panel, variable, annotation and alert has data of the shape that its panel shows."""

import json
import math
import re
import sys
import time
import unittest
import urllib.error
import urllib.parse
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboards"))

from boards import RULES, boards, expressions, is_pushed, metrics_in, panels, rules  # noqa: E402
from event_stream import Follower  # noqa: E402
from fake_grafana import TOKEN, Grafana  # noqa: E402
from harness import free_port, wait_until  # noqa: E402
from metrics_server import DIRECT, Exposition, Prometheus, ToldMetrics  # noqa: E402
from programs import Daemon  # noqa: E402
from receivers import SECRET, Deployer, Hook  # noqa: E402
from rollout_case import POLICY, RolloutCase  # noqa: E402

RATE_WINDOW = "10s"  # of scrapes every second: what Grafana makes of them for $__rate_interval

# Alerts whose condition this story brings about (their `for` apart). Of the others it is seen that what they ask for is there;
# that they fire is in dashboards/prometheus/rollwatch.rules_test.yml.
COME_TRUE = {"RollwatchDown", "RollwatchDatasourceDown", "RollwatchConditionWithoutAnswers", "RollwatchDeadLetters",
             "RollwatchOrderNotConfirmed", "RollwatchRollbackNotAcknowledged", "RollwatchRollbackFailed", "RollwatchReloadFailed",
             "RollwatchPausedLong", "RollwatchRolledBack", "RollwatchTargetFails"}
MORE_POLICIES = '''
[policy.silent]
duration = "1h"
interval = "500ms"
patience = "1s"
[[policy.silent.condition]]
name = "nobody-answers"
datasource = "broken"
query = 'e2e_errors{service="{{service}}"} > 0.05'

[policy.slow]
duration = "1h"
interval = "500ms"
fail_after = 1000
[[policy.slow.condition]]
name = "errors"
query = 'max(e2e_errors{service="{{service}}",version="{{candidate}}"}) > 0.05'
[[policy.slow.condition]]
name = "never-there"
on_fail = "observe"
query = 'e2e_nothing{service="{{service}}"} > 0.05'

[policy.together]
duration = "1h"
interval = "1s"
share = "auto"
[[policy.together.condition]]
name = "asked-together"
datasource = "alone"
query = 'sum(e2e_errors{service="{{service}}"}) > 0.05'
'''


class OneByOne(ToldMetrics):
    """Fails what rollouts ask together, and answers what one asks alone."""

    def value_of(self, query, at, headers):
        return None if re.search(r"\bby\s*\(", query) else super().value_of(query, at, headers)


class Reader:
    """Asks Prometheus as Grafana would: variables filled in, instant or over the range of the story."""

    def __init__(self, prometheus, began, variables):
        self.prometheus, self.began, self.variables = prometheus, began, variables

    def filled(self, expression):
        span = f"{max(10, int(time.time() - self.began))}s"
        values = {**self.variables, "__range": span, "__rate_interval": RATE_WINDOW}
        text = re.sub(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)", lambda match: values[match[1] or match[2]], expression)
        return text

    def get(self, path, **parameters):
        try:
            body = DIRECT.open(f"{self.prometheus.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}", timeout=30).read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error
        answer = json.loads(body)
        if answer.get("warnings"):
            raise AssertionError(f"{parameters}: {answer['warnings']}")
        return answer["data"]

    def instant(self, expression):
        """[(labels, value)] now."""
        data = self.get("query", query=self.filled(expression))
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(row["metric"], float(row["value"][1])) for row in data["result"]]

    def over_time(self, expression):
        """[(labels, [value, …])] since the story began."""
        data = self.get("query_range", query=self.filled(expression), start=self.began, end=time.time(), step=1)
        return [(row["metric"], [float(value) for _, value in row["values"]]) for row in data["result"]]

    def values_of(self, variable):
        """Of label_values(selector, label)."""
        selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
        series = self.get("series", **{"match[]": self.filled(selector), "start": self.began, "end": time.time()})
        return {one[label] for one in series if label in one}


def shown(legend, labels):
    """A series' name; a label that it lacks is an error."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels[match[1]], legend)


def problem_of_panel(reader, panel):
    """Why it would be empty, or show nonsense; or None. A repeated one is shown once for each value."""
    if panel.get("repeat") == "condition":
        reader = Reader(reader.prometheus, reader.began, {**reader.variables, "condition": "errors"})
    columns, frames = set(), []
    for target in panel["targets"]:
        rows = [(labels, [value]) for labels, value in reader.instant(target["expr"])] if target["instant"] \
            else reader.over_time(target["expr"])
        numbers = [value for _, values in rows for value in values]
        if not any(math.isfinite(value) for value in numbers):
            return f'{target["refId"]}: no data: {reader.filled(target["expr"])}'
        if panel["type"] in ("stat", "bargauge") and not all(math.isfinite(value) for value in numbers):
            return f'{target["refId"]}: {numbers}'
        if panel["type"] == "table":
            frames.append([labels for labels, _ in rows])
            columns |= {label for labels, _ in rows for label in labels}
            columns |= {"Value" if len(panel["targets"]) == 1 else f'Value #{target["refId"]}'}
            continue
        names = [shown(target["legendFormat"], labels) for labels, _ in rows]
        if len(names) != len(set(names)):
            return f"several series of one name: {names}"
        if panel["type"] in ("state-timeline",) or panel["fieldConfig"]["defaults"].get("mappings"):
            named = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
            if {str(int(value)) for value in numbers} - set(named):
                return f"states without a name: {set(numbers)}"
        if panel["type"] == "heatmap":
            ends = [labels["le"] for labels, _ in rows]
            if "+Inf" not in ends or len(ends) < 5:
                return f"no buckets: {ends}"
    if panel["type"] == "table":
        return problem_of_rows(frames) or problem_of_columns(panel, columns)
    return None


def problem_of_rows(frames):
    """Answers are merged by the labels that all of them have. If one has two rows of the same, only one gets the others'."""
    shared = set.intersection(*({label for labels in frame for label in labels} for frame in frames))
    for frame in frames:
        keys = [tuple(labels.get(label) for label in sorted(shared)) for labels in frame]
        if len(keys) != len(set(keys)):
            return f"rows that cannot be told apart by {shared}: {keys}"
    return None


def problem_of_columns(panel, columns):
    """A transformation or an override that is about a column which is not there does nothing, and says nothing."""
    options = panel["transformations"][-1]["options"]
    named = (set(options["excludeByName"]) | set(options["indexByName"]) | set(options["renameByName"])) - {"Time"}
    if named - columns:
        return f"no such columns: {named - columns} in {columns}"
    after = {options["renameByName"].get(column, column) for column in columns}
    overridden = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
    if overridden - after:
        return f"overrides of no column: {overridden - after}"
    left = columns - {name for name, out in options["excludeByName"].items() if out}
    if left - set(options["indexByName"]):
        return f"columns without a place: {left - set(options['indexByName'])}"
    return None


class Dashboards(RolloutCase):
    @classmethod
    def setUpClass(cls):
        cls.numbers = count(1)  # each test has a Prometheus of its own

    def test_every_expression_has_data(self):
        self.began = time.time()
        self.port = free_port()
        self.exposition = self.place.add(Exposition())
        self.grafana, self.refusing = self.place.add(Grafana()), self.place.add(Hook())
        self.refusing.script.extend([400] * 1000)
        self.good, self.stubborn, self.slow, self.down = (self.place.add(Deployer()) for _ in range(4))
        self.stubborn.by_kind["rollback"] = "refuse"
        self.slow.by_kind.update({"advance": "accept", "rollback": "accept"})
        self.down.by_kind["advance"] = "fail"
        self.alone = self.place.add(OneByOne())
        self.prometheus = self.place.add(self.scraping_prometheus())
        self.server = self.place.add(Daemon(self.place.folder / "daemon", self.whole_configuration(), port=self.port)).start()
        self.place.add(Follower(self.server.url))
        self.play()

        reader = Reader(self.prometheus, self.began, {"job": "rollwatch.*", "instance": ".*", "namespace": ".*", "service": ".*",
                                                     "condition": ".*", "rollout": self.bad, "datasource": "prometheus"})
        self.wait_for_nothing(lambda: dict(self.problems_of_boards(reader)), "every panel, variable and annotation to have data")
        self.wait_for_nothing(lambda: dict(self.problems_of_alerts(reader)), "every alert to have what it asks for")
        self.assert_names(reader)
        self.assert_pushed_annotations()
        for kind, verdict in (("promote", "failing"), ("rollback", "passing")):
            self.assertEqual(self.server.metric("rollwatch_overridden_decisions_total", kind=kind, verdict=verdict), 1)

    # ---- The stage ----

    def scraping_prometheus(self):
        (self.place.folder / "rollwatch.rules.yml").write_text(RULES.read_text())
        return Prometheus(self.place.folder, self.exposition,
                          f"  - job_name: rollwatch\n    honor_labels: true\n"
                          f"    static_configs: [ {{ targets: ['127.0.0.1:{self.port}'] }} ]\n"
                          "  - job_name: rollwatch-gone\n"
                          f"    static_configs: [ {{ targets: ['127.0.0.1:{free_port()}'] }} ]\n"
                          f"rule_files: [ '{self.place.folder}/rollwatch.rules.yml' ]\n")

    def whole_configuration(self):
        text = self.configuration(policy=POLICY + MORE_POLICIES)
        text += f'[datasource.broken]\nurl = "http://127.0.0.1:{free_port()}"\ntimeout = "1s"\n'
        text += f'[datasource.alone]\nurl = "{self.alone.url}"\n'
        for name in ("good", "stubborn", "slow", "down"):
            text += f'[orchestrator.{name}]\nurl = "{getattr(self, name).url}"\nsecret = "{SECRET}"\n'
        text += f'[notifier.grafana]\ntype = "grafana"\nurl = "{self.grafana.url}"\ntoken = "{TOKEN}"\n'
        return text + f'[notifier.refusing]\ntype = "webhook"\nurl = "{self.refusing.url}"\nsecret = "{SECRET}"\n'

    # ---- The story ----

    def play(self):
        api = self.server.api
        services = {name: self.service(errors=errors) for name, errors in
                    (("good", 0.01), ("bad", 0.9), ("failed", 0.9), ("accepted", 0.01), ("held", 0.9), ("passing", 0.01))}
        first = api.register(**self.fields(services["passing"], policy="slow"))["id"]
        self.server.wait_for(first, lambda r: r["conditions"][0]["verdict"] == "passing", "to pass")
        self.prometheus.wait_for("sum(rollwatch_rollouts)", 1)
        self.assertEqual(self.server.stop(), 0)
        self.server.start()

        register = lambda name, **more: api.register(**self.fields(services[name], **more))["id"]  # noqa: E731
        good = register("good", orchestrator="good")
        self.bad = register("bad", orchestrator="good")
        failed = register("failed", orchestrator="stubborn")
        accepted = register("accepted", orchestrator="slow")
        register_down = api.register(**self.fields(services["passing"], target="eu-2", orchestrator="down"))["id"]
        silent = api.register(**self.fields(self.service(), policy="silent"))["id"]
        together = [api.register(**self.fields(f"together{number}", policy="together"))["id"] for number in range(6)]
        held = register("held", policy="slow")
        self.server.wait_for(held, lambda r: r["verdict"] == "failing", "to fail")
        self.assertEqual(api.decide(held, "promote").status, 200)  # against the verdict
        self.server.wait_for(first, lambda r: r["verdict"] == "passing", "to pass again")
        self.assertEqual(api.decide(first, "rollback").status, 200)  # the same
        self.assertEqual(api.decide(together[0], "cancel").status, 200)
        newer = api.register(**self.fields("together1", policy="together", candidate="1.2"))["id"]
        self.server.wait_for_state(together[1], "superseded")
        self.assertEqual(api.call("PUT", f"/api/v1/services/default/{services['good']}x/freeze",
                                  {"by": "ana", "reason": "stocktaking"}).status, 200)

        self.server.wait_for_state(silent, "paused")
        self.server.wait_for_state(self.bad, "rolled_back")
        self.server.wait_for_state(failed, "rollback_failed")
        self.server.wait_for_state(good, "promoted")
        self.server.wait_for_state(newer, "analyzing")
        for rollout, label in ((self.bad, "wrong"), (failed, "right"), (good, "right")):
            answer = api.call("POST", f"/api/v1/rollouts/{rollout}/label", {"label": label, "reason": "seen later", "by": "ana"})
            self.assertEqual(answer.status, 200, answer)
        # Out for longer than a scrape, and not acknowledged; the orchestrator accepts and says no more.
        self.assertEqual(api.decide(accepted, "rollback").status, 200)
        self.server.wait_for_state(accepted, "rolling_back")
        self.server.wait_for_state(register_down, "analyzing", "waiting")
        self.reload()

    def reload(self):
        """One that is refused, for several scrapes, and a good one."""
        good = self.server.file.read_text()
        refused = "count_over_time({0}[1h]) - sum_over_time({0}[1h])".format("rollwatch_config_last_reload_successful")
        before = self.prometheus.query(refused)[0][1]
        self.server.file.write_text(good + "\n[nonsense]\n")
        self.assertEqual(self.server.api.call("POST", "/-/reload").status, 422)
        wait_until(lambda: self.prometheus.query(refused)[0][1] >= before + 3, "three scrapes to see it", [self.server])
        self.server.file.write_text(good)
        self.assertEqual(self.server.api.call("POST", "/-/reload").status, 200)

    # ---- What must hold ----

    def wait_for_nothing(self, problems, what):
        wait_until(lambda: not problems(), lambda: f"{what}:\n" + "\n".join(f"{where}: {why}" for where, why in problems().items()),
                   [self.server])

    def problems_of_boards(self, reader):
        for name, board in boards().items():
            for panel in panels(board):
                problem = problem_of_panel(reader, panel)
                if problem:
                    yield f'{name}, "{panel["title"]}"', problem
            for variable in board["templating"]["list"]:
                if variable["type"] == "query" and not reader.values_of(variable):
                    yield f'{name}, ${variable["name"]}', reader.filled(variable["query"]["query"])
            for annotation in board["annotations"]["list"]:
                if not is_pushed(annotation):
                    problem = self.problem_of_annotation(reader, annotation)
                    if problem:
                        yield f'{name}, annotation {annotation["name"]}', problem

    def problem_of_annotation(self, reader, annotation):
        expression = annotation["expr"]
        # The fleet shows all of them; a rollout's own has one end only.
        if 'rollout="$rollout"' in expression and annotation["name"] in ("End: promoted", "End: cancelled or superseded"):
            expression = expression.replace('rollout="$rollout"', 'rollout=~".+"')
        rows = reader.over_time(expression)
        if not rows:
            return reader.filled(expression)
        for labels, values in rows:
            for text in (annotation["titleFormat"], annotation["textFormat"]):
                self.assertTrue(shown(text, labels))
            if annotation["useValueForTime"] == "on" and abs(values[-1] / 1000 - time.time()) > 3600:
                return f"no milliseconds of now: {values}"
        return None

    def problems_of_alerts(self, reader):
        for rule in rules():
            if rule["alert"] in COME_TRUE and not reader.over_time(rule["expr"]):
                yield rule["alert"], f'never true: {rule["expr"]}'
            reader.over_time(rule["expr"])  # Prometheus understands it, without a warning
            selectors = re.findall(r'\b((?:rollwatch|process)_\w+|up)(\{[^}]*\})?', re.sub(r"by \([^)]*\)", "", rule["expr"]))
            for metric, matchers in selectors:
                if not reader.over_time(f"last_over_time({metric}{matchers}[1h])"):
                    yield rule["alert"], f"nothing has {metric}{matchers}"

    def assert_names(self, reader):
        """Every metric that is shown or alerted on is one that the daemon exports; and every one of its own that it exports
        is shown somewhere."""
        text = self.server.api.get("/metrics").text
        exported = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge)", text, re.M))
        for histogram in re.findall(r"^# TYPE (\S+) histogram", text, re.M):
            exported |= {f"{histogram}_bucket", f"{histogram}_count"}
        used = {metric for board in boards().values() for _, expression in expressions(board) for metric in metrics_in(expression)}
        used |= {metric for rule in rules() for metric in metrics_in(rule["expr"])}
        self.assertEqual(used - exported, set())
        families = {re.sub(r"_(bucket|count)$", "", name) for name in exported if name.startswith("rollwatch_")}
        self.assertEqual(families - {re.sub(r"_(bucket|count)$", "", name) for name in used}, set())

    def assert_pushed_annotations(self):
        """The fleet's tag query finds what the notifier pushed: Grafana shows those that have all of its tags."""
        fleet = boards()["rollwatch-fleet.json"]
        query = next(one["target"] for one in fleet["annotations"]["list"] if one["name"] == "Pushed by Rollwatch")
        wait_until(lambda: self.grafana.of(self.bad) and "state:rolled_back" in self.grafana.of(self.bad)[0]["tags"],
                   "the annotation of the rollout that was rolled back")
        self.assertLessEqual(set(query["tags"]), set(self.grafana.of(self.bad)[0]["tags"]))


if __name__ == "__main__":
    unittest.main()
