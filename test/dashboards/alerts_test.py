"""Every alert has its section of the runbook, its stories, and what people need to see; and nothing else does."""

import re
import unittest

from boards import RULES_TEST, RUNBOOK, SOURCE, boards, metrics_in, panels, rules, runbook_sections

SEVERITIES = {"critical", "warning", "info"}


class Alerts(unittest.TestCase):
    def setUp(self):
        self.rules = {rule["alert"]: rule for rule in rules()}

    def test_they_are_read(self):
        self.assertGreaterEqual(len(self.rules), 25)
        for name, rule in self.rules.items():
            with self.subTest(name):
                self.assertRegex(name, r"^Rollwatch[A-Z]\w+$")
                self.assertTrue(metrics_in(rule["expr"]) or "up{" in rule["expr"], rule["expr"])

    def test_each_has_a_runbook_section_and_none_is_left_over(self):
        sections = {name for name in runbook_sections() if name.startswith("Rollwatch")}
        self.assertEqual(sections, set(self.rules))
        for name, rule in self.rules.items():
            with self.subTest(name):
                self.assertEqual(rule["annotations"]["runbook_url"], f"docs/runbook.md#{name.lower()}")

    def test_a_section_says_what_it_means_how_to_look_and_what_to_do(self):
        for name, text in runbook_sections().items():
            if name.startswith("Rollwatch"):
                with self.subTest(name):
                    for part in ("**Means.**", "**Look.**", "**Do.**"):
                        self.assertEqual(text.count(part), 1, part)
                        self.assertRegex(text, re.escape(part) + r"\s+(\S+\s+){5}", part)

    def test_the_runbook_names_panels_and_commands_that_there_are(self):
        text = RUNBOOK.read_text()
        titles = {panel["title"] for board in boards().values() for panel in panels(board)}
        titles |= {board["title"] for board in boards().values()}
        named = set(re.findall(r"(?<!\*)\*([A-Z][^*\n]+)\*(?!\*)", text))
        self.assertGreater(len(named), 15)
        self.assertEqual(named - titles - {"Targets"}, set())  # Prometheus' own page
        verbs = set(re.findall(r"^\| `((?:[a-z]+ )?[a-z]+)(?: [A-Z\[][^`]*)?` \|", (SOURCE / "docs" / "cli.md").read_text(), re.M))
        commands = set(re.findall(r"rollwatch ([a-z]+(?: (?:list|show|test|redeliver)\b)?)", text))
        self.assertGreater(len(commands), 8)
        self.assertEqual(commands - verbs, set())

    def test_each_says_how_bad_it_is_and_is_kept_out_of_the_gate(self):
        """An alert with the labels namespace and service could match a policy's `alerts` and roll a release back."""
        for name, rule in self.rules.items():
            with self.subTest(name):
                self.assertIn(rule["labels"]["severity"], SEVERITIES)
                self.assertEqual(rule["labels"]["generator"], "rollwatch")
                self.assertTrue(rule["annotations"]["summary"])

    def test_each_fires_in_a_story_and_there_are_stories_in_which_none_does(self):
        text = RULES_TEST.read_text()
        self.assertEqual(set(re.findall(r'alertname="(\w+)"', text)), set(self.rules))
        self.assertGreaterEqual(text.count("exp_samples: []"), 10)


if __name__ == "__main__":
    unittest.main()
