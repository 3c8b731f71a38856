"""That the tables of the documents are replaced, and nothing else; and what a ratio is worth."""

import sys
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

sys.dont_write_bytecode = True

_loader = SourceFileLoader("bench_run", str(Path(__file__).with_name("run")))
run = module_from_spec(spec_from_loader("bench_run", _loader))
_loader.exec_module(run)


class Tables(unittest.TestCase):
    def setUp(self):
        self.tables = dict(run.TABLES)
        run.TABLES.clear()
        run.TABLES.update({"one": lambda: "| new |\n", "none": lambda: None})

    def tearDown(self):
        run.TABLES.clear()
        run.TABLES.update(self.tables)

    def test_what_stands_between_the_markers_is_replaced(self):
        text = "before\n<!-- bench: one -->\nold\nold\n<!-- /bench -->\nafter\n"
        self.assertEqual(run.with_tables(text),
                         "before\n<!-- bench: one -->\n\n| new |\n\n<!-- /bench -->\nafter\n")
        self.assertEqual(run.with_tables(run.with_tables(text)), run.with_tables(text))

    def test_what_was_not_measured_stays(self):
        text = "<!-- bench: none -->\nold\n<!-- /bench -->\n"
        self.assertEqual(run.with_tables(text), text)

    def test_a_name_that_is_none_is_refused(self):
        with self.assertRaises(SystemExit):
            run.with_tables("<!-- bench: typo -->\n<!-- /bench -->\n")

    def test_every_marker_of_the_documents_has_a_table(self):
        names = [match.group(2) for file in (run.ROOT / "docs").glob("*.md")
                 for match in run.MARKED.finditer(file.read_text(encoding="utf-8"))]
        self.assertEqual(sorted(names), sorted(self.tables), "each table stands in one place")


class Ratios(unittest.TestCase):
    def test_a_ratio_counts_when_its_pairs_agree(self):
        self.assertEqual(run.judged({"median": 0.12, "spread": 0.2, "must": 0.15, "aim": 0.1}),
                         ("0.120 (spread 20 %)", "must 0.15: met, aim 0.10: **missed**"))
        self.assertEqual(run.judged({"median": 0.12, "spread": 0.25, "must": 0.15, "aim": 0.1}),
                         ("unknown (pairs differ by 25 %)", "–"))
        self.assertEqual(run.judged({"median": 1.5, "spread": 0, "must": 0, "aim": 0}), ("1.500 (spread 0 %)", "–"))

    def test_every_benchmark_says_how_it_is_run(self):
        for full, quick in ((False, True), (False, False), (True, False)):
            size = run.Size(type("Arguments", (), {"full": full, "quick": quick}))
            for name, (program, arguments_of) in run.BENCHMARKS.items():
                with self.subTest(f"{name} {size.index}"):
                    self.assertTrue(program.startswith("rollwatch_bench_"))
                    self.assertTrue(all(isinstance(one, str) for one in arguments_of(size)))


if __name__ == "__main__":
    unittest.main()
