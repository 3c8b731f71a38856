"""The dashboards by themselves: nothing in them that Grafana would not show, or not know. The rules are those of Grafana's
dashboard-linter, and some of ours. That their expressions have data is seen by e2e.dashboards."""

import re
import unittest

from boards import GRAFANA, OF_GRAFANA, SOURCE, boards, expressions, is_pushed, metrics_in, panels, strings_in, variables_in

PANELS = {"timeseries", "stat", "table", "bargauge", "state-timeline", "heatmap"}  # all of today, none of Angular's
# An id of Grafana's value formats that is used here (@grafana/data, valueFormats).
UNITS = {"none", "short", "percent", "percentunit", "s", "bytes", "ops", "reqps", "dateTimeAsLocal"}
PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
# A rate over what is scraped every 15 s or 30 s needs a window that Grafana chooses, or one of hours.
WINDOWS = {"$__rate_interval", "$__range", "1h", "1d"}
COLUMNS = 24


class Dashboards(unittest.TestCase):
    def setUp(self):
        self.boards = boards()
        self.at = ""

    def each(self):
        for name, board in self.boards.items():
            self.at = name
            yield name, board

    def each_panel(self):
        for name, board in self.each():
            for panel in panels(board):
                self.at = f'{name}, "{panel["title"]}"'
                yield board, panel

    def _formatMessage(self, message, standard):
        """Where it is, with every failure."""
        return f"{self.at}: {super()._formatMessage(message, standard)}"

    def test_there_are_the_three_that_are_promised(self):
        self.assertEqual(list(self.boards), ["rollwatch-fleet.json", "rollwatch-gate.json", "rollwatch-rollout.json"])
        for name, board in self.each():
            self.assertEqual(f'{board["uid"]}.json', name, "the uid is the name, and stays")
            self.assertNotIn("id", board, "an id is one server's own")
            self.assertEqual(board["tags"], ["rollwatch"])
            self.assertIs(board["editable"], False, "what is provisioned is not changed in place")
            self.assertTrue(board["title"].startswith("Rollwatch / ") and board["description"])
            self.assertEqual(board["refresh"], "30s")

    def test_they_load_without_the_import_dialog(self):
        for _, board in self.each():
            self.assertFalse({"__inputs", "__requires", "__elements"} & set(board))
            for text in strings_in(board):
                self.assertNotIn("DS_PROMETHEUS", text)

    def test_ids_are_unique_and_panels_do_not_overlap(self):
        for _, board in self.each():
            taken, ids = {}, set()
            for panel in board["panels"]:
                self.assertNotIn(panel["id"], ids)
                ids.add(panel["id"])
                place = panel["gridPos"]
                self.assertGreaterEqual(place["x"], 0)
                self.assertLessEqual(place["x"] + place["w"], COLUMNS, panel["title"])
                for x in range(place["x"], place["x"] + place["w"]):
                    for y in range(place["y"], place["y"] + place["h"]):
                        self.assertNotIn((x, y), taken, f'{panel["title"]} lies over {taken.get((x, y))}')
                        taken[x, y] = panel["title"]

    def test_panels_are_of_types_that_grafana_has_and_say_what_they_show(self):
        for _, panel in self.each_panel():
            self.assertIn(panel["type"], PANELS)
            self.assertTrue(panel["title"].strip())
            self.assertGreater(len(panel["description"]), 15, "what to read from it")
            self.assertTrue(panel["description"].endswith("."), "in sentences")
            self.assertIn(panel["fieldConfig"]["defaults"]["unit"], UNITS)
            for override in panel["fieldConfig"]["overrides"]:
                self.assertEqual(override["matcher"]["id"], "byName")
                for one in override["properties"]:
                    if one["id"] == "unit":
                        self.assertIn(one["value"], UNITS)

    def test_titles_are_unique(self):
        for _, board in self.each():
            titles = [panel["title"] for panel in board["panels"]]
            self.assertEqual(len(titles), len(set(titles)))

    def test_numbers_that_mean_states_are_named(self):
        for _, panel in self.each_panel():
            if panel["type"] == "state-timeline":
                self.assertTrue(panel["fieldConfig"]["defaults"]["mappings"])

    def test_everything_asks_the_data_source_that_is_chosen(self):
        for _, board in self.each():
            first = board["templating"]["list"][0]
            self.assertEqual((first["name"], first["type"], first["query"], first["label"]),
                             ("datasource", "datasource", "prometheus", "Data source"))
            asking = [variable for variable in board["templating"]["list"] if variable["type"] == "query"]
            asking += [one for one in board["annotations"]["list"] if not is_pushed(one)]
            for panel in panels(board):
                asking += [panel, *panel["targets"]]
            for one in asking:
                self.assertEqual(one["datasource"], PROMETHEUS, one.get("name", one.get("title", one.get("expr"))))

    def test_every_variable_is_defined_and_used(self):
        for _, board in self.each():
            defined = [variable["name"] for variable in board["templating"]["list"]]
            self.assertEqual(len(defined), len(set(defined)))
            used = variables_in(board)
            self.assertEqual(used - set(defined) - OF_GRAFANA, set())
            self.assertEqual(set(defined) - used, set())
            for number, variable in enumerate(board["templating"]["list"]):
                if variable["type"] == "query":
                    self.assertEqual(variable["refresh"], 2, "anew when the time range changes")
                    self.assertTrue(variable["label"] and variable["description"])
                    # A chain: nothing is asked with a variable that comes later.
                    self.assertLessEqual(variables_in(variable["query"]), set(defined[:number]), variable["name"])
                    self.assertRegex(variable["query"]["query"], r"^label_values\(\w+(\{.*\})?, \w+\)$")

    def test_queries_are_whole(self):
        for _, panel in self.each_panel():
            self.assertTrue(panel["targets"])
            references = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(references), len(set(references)))
            for target in panel["targets"]:
                self.assertNotEqual(target["instant"], target["range"], "one of them")
                self.assertEqual(target["instant"], panel["type"] in ("stat", "bargauge", "table"), target["expr"])
                self.assertEqual(target.get("format", "time_series"),
                                 {"table": "table", "heatmap": "heatmap"}.get(panel["type"], "time_series"))
                if panel["type"] != "table":
                    self.assertTrue(target["legendFormat"], target["expr"])

    def test_every_selector_is_of_the_job_that_is_chosen(self):
        for _, board in self.each():
            for where, expression in expressions(board):
                for metric in metrics_in(expression):
                    selectors = re.findall(rf"\b{metric}\b(\{{[^}}]*\}})?", expression)
                    for selector in selectors:
                        if where != "$job":
                            self.assertIn('job=~"$job"', selector, f"{where}: {metric}")

    def test_counters_are_never_shown_bare(self):
        for _, board in self.each():
            for where, expression in expressions(board):
                for counter in re.finditer(r"(\w+)\(\s*\w+_(?:total|bucket|count|sum)\{[^}]*\}(\[[^\]]+\])?", expression):
                    self.assertIn(counter[1], ("rate", "increase"), f"{where}: {expression}")
                for _, window in re.findall(r"\b(rate|increase)\([^\[]*\[([^\]]+)\]", expression):
                    self.assertIn(window, WINDOWS, f"{where}: {expression}")
                bare = re.sub(r"\b(?:rate|increase)\(\w+\{[^}]*\}\[[^\]]+\]\)", "", expression)
                self.assertNotRegex(bare, r"\w+_(total|bucket|count)\b", where)

    def test_quantiles_keep_le(self):
        for _, board in self.each():
            for where, expression in expressions(board):
                if "histogram_quantile" in expression:
                    self.assertRegex(expression, r"histogram_quantile\([\d.]+, sum by \((instance, |datasource, |route, )?le\)", where)

    def test_legends_name_labels_that_are_left(self):
        """Those of the outermost aggregation; whether there are such series is seen by e2e.dashboards."""
        for _, panel in self.each_panel():
            for target in panel["targets"]:
                for label in re.findall(r"\{\{(\w+)\}\}", target.get("legendFormat", "")):
                    self.assertRegex(target["expr"], rf"(by|group_left) \([^)]*\b{label}\b[^)]*\)")

    def test_links_lead_to_the_other_dashboards_and_to_the_page(self):
        uids = {board["uid"] for board in self.boards.values()}
        for _, board in self.each():
            kinds = {link["type"]: link for link in board["links"]}
            self.assertEqual(kinds["dashboards"]["tags"], ["rollwatch"])
            self.assertTrue(kinds["dashboards"]["keepTime"] and kinds["dashboards"]["includeVars"])
            self.assertIn("${rollwatch_url}/", kinds["link"]["url"])
            for text in strings_in(board):
                for uid in re.findall(r"/d/([\w-]+)", text):
                    self.assertIn(uid, uids)
                    self.assertIn("${__url_time_range}", text, "what was looked at stays in view")
                for name in re.findall(r"var-(\w+)=", text):
                    target = next(b for b in self.boards.values() if b["uid"] in text)
                    self.assertIn(name, [v["name"] for v in target["templating"]["list"]])

    def test_annotations_say_what_happened(self):
        for name, board in self.each():
            names = [annotation["name"] for annotation in board["annotations"]["list"]]
            self.assertEqual(len(names), len(set(names)))
            if name != "rollwatch-gate.json":
                self.assertEqual({"Start", "Orders", "End: promoted", "End: rolled back"} - set(names), set())
                pushed = next(a for a in board["annotations"]["list"] if a["name"] == "Pushed by Rollwatch")
                self.assertEqual(pushed["datasource"], {"type": "grafana", "uid": "-- Grafana --"})
                self.assertEqual(pushed["target"], {"type": "tags", "tags": ["rollwatch"], "matchAny": False, "limit": 100})
            for annotation in board["annotations"]["list"]:
                self.assertTrue(annotation["enable"] and annotation["iconColor"])
                if not is_pushed(annotation):
                    self.assertTrue(annotation["titleFormat"] and annotation["textFormat"])

    def test_tables_rename_and_order_columns_by_their_transformations(self):
        for _, panel in self.each_panel():
            if panel["type"] != "table":
                continue
            steps = [step["id"] for step in panel["transformations"]]
            self.assertEqual(steps, ["merge", "organize"] if len(panel["targets"]) > 1 else ["organize"])
            self.assertIs(panel["transformations"][-1]["options"]["excludeByName"]["Time"], True)

    def test_the_documentation_shows_each_panel(self):
        text = (SOURCE / "docs" / "dashboards.md").read_text()
        for _, board in self.each():
            self.assertIn(f'## {board["title"]}\n\n{board["description"]}', text)
        for _, panel in self.each_panel():
            title = panel["title"].replace("$condition", "one for each condition")
            self.assertIn(f'| {title} | {panel["description"]} |\n', text)
        rows = sum(len(list(panels(board))) for board in self.boards.values())
        self.assertEqual(len(re.findall(r"^\| (?!\*\*|panel|`|file)[^|]+ \| [^|]+ \|$", text, re.M)), rows, "and no other")

    def test_provisioning_names_where_they_are(self):
        text = (GRAFANA / "provisioning" / "dashboards" / "rollwatch.yml").read_text()
        self.assertIn("apiVersion: 1", text)
        self.assertIn("allowUiUpdates: false", text)
        self.assertRegex(text, r"path: /\S+")
        self.assertIn("type: prometheus", (GRAFANA / "provisioning" / "datasources" / "rollwatch.example.yml").read_text())


if __name__ == "__main__":
    unittest.main()
