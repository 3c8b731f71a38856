"""The dashboards and alerts as the tests read them: every panel, every expression and where it stands."""

import json
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True

SOURCE = Path(__file__).resolve().parents[2]
GRAFANA = SOURCE / "dashboards" / "grafana"
RULES = SOURCE / "dashboards" / "prometheus" / "rollwatch.rules.yml"
RULES_TEST = SOURCE / "dashboards" / "prometheus" / "rollwatch.rules_test.yml"
RUNBOOK = SOURCE / "docs" / "runbook.md"

METRIC = re.compile(r"\b((?:rollwatch|process)_[a-z0-9_]+)\b(?!\s*=[^=])")
VARIABLE = re.compile(r"\$(?:\{(\w+)(?:[:.][^}]*)?\}|(\w+))")
# What Grafana itself puts in (those of data links begin with "__").
OF_GRAFANA = {"__all", "__range", "__rate_interval", "__interval", "__url_time_range", "__data", "__field", "__value"}


def boards():
    """{file name: dashboard}, as they are."""
    return {file.name: json.loads(file.read_text()) for file in sorted((GRAFANA / "dashboards").glob("*.json"))}


def panels(board):
    """Every panel but rows, also those in a collapsed row."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel["panels"]
        else:
            yield panel


def is_pushed(annotation):
    """Not asked of Prometheus: Grafana's own, and those that were pushed to it."""
    return annotation["datasource"]["type"] == "grafana"


def expressions(board):
    """(where, expression) of everything that asks Prometheus."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield f'{panel["title"]}/{target["refId"]}', target["expr"]
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield f'${variable["name"]}', variable["query"]["query"]
    for annotation in board["annotations"]["list"]:
        if not is_pushed(annotation):
            yield f'annotation {annotation["name"]}', annotation["expr"]


def metrics_in(expression):
    """Names of metrics; a histogram's by the series that is asked for."""
    without_strings = re.sub(r'"[^"]*"', '""', expression)
    return set(METRIC.findall(without_strings))


def variables_in(value):
    """Names of the variables anywhere in it."""
    return {braced or bare for braced, bare in VARIABLE.findall(json.dumps(value))}


def strings_in(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from strings_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings_in(one)


def rules():
    """[{"alert", "expr", "for", "labels", "annotations"}] of the rules file, as it is written (no YAML library here)."""
    found = []
    for block in re.split(r"^      - alert: ", RULES.read_text(), flags=re.M)[1:]:
        name, _, rest = block.partition("\n")
        expr = re.search(r"^        expr: (?:\|\n((?:          .*\n)+)|(.*)\n)", rest, re.M)
        annotations = dict(re.findall(r'^          (\w+): "?(.*?)"?$', rest[rest.index("annotations:"):], re.M))
        found.append({"alert": name.strip(), "expr": (expr[1] or expr[2]).strip(),
                      "labels": dict(re.findall(r"(\w+): (\w+)", re.search(r"labels: \{(.*)\}", rest)[1])),
                      "annotations": annotations})
    return found


def runbook_sections():
    """{heading: text} of the second level."""
    parts = re.split(r"^## (.*)$", RUNBOOK.read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
