"""The dashboards as Grafana's own types (@grafana/schema) have them."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboards"))

from boards import boards, panels  # noqa: E402
from judging import type_check_dashboards  # noqa: E402


def panel_of(board, kind):
    return next(panel for panel in panels(board) if panel["type"] == kind)


def spoil(change):
    board = boards()["rollwatch-gate.json"]
    change(board)
    return board


def defaults_of(board, kind):
    return panel_of(board, kind)["fieldConfig"]["defaults"]


class DashboardTypes(unittest.TestCase):
    def test_they_are_what_grafana_takes_and_mistakes_are_not(self):
        """One mistake of each kind at a time."""
        type_check_dashboards(boards(), {name: spoil(change) for name, change in {
            "a mode of thresholds that there is not": lambda b: defaults_of(b, "stat")["thresholds"].update(mode="absolut"),
            "a number as a unit": lambda b: defaults_of(b, "stat").update(unit=5),
            "a cursor that there is not": lambda b: b.update(graphTooltip=7),
            "an option that there is not": lambda b: panel_of(b, "state-timeline")["options"].update(rowHight=1),
            "a word that there is not": lambda b: panel_of(b, "timeseries")["options"]["tooltip"].update(mode="many"),
            "a style that there is not": lambda b: defaults_of(b, "timeseries")["custom"].update(drawStyle="dots"),
            "another type's options": lambda b: panel_of(b, "heatmap").update(options=panel_of(b, "stat")["options"]),
            "a data source by name": lambda b: panel_of(b, "bargauge").update(datasource="Prometheus"),
            "a panel of Angular's": lambda b: panel_of(b, "stat").update(type="singlestat"),
            "a variable's type": lambda b: b["templating"]["list"][1].update(type="querry"),
            "a refresh that there is not": lambda b: b["templating"]["list"][1].update(refresh=3),
            "a mapping that is none": lambda b: defaults_of(b, "state-timeline").update(mappings=[{"type": "valeu", "options": {}}]),
            "a link without its icon": lambda b: b["links"][0].update(icon=None),
        }.items()})


if __name__ == "__main__":
    unittest.main()
