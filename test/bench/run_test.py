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
    def test_a_ratio_counts_when_its_pairs_agree_or_are_on_one_side(self):
        def judged(least, median, most, must=0.15, aim=0.1):
            return run.judged({"least": least, "median": median, "most": most, "spread": (most - least) / median,
                               "must": must, "aim": aim})
        self.assertEqual(judged(0.11, 0.12, 0.13), ("0.120 (0.110 to 0.130)", "must 0.15: met, aim 0.10: **missed**"))
        self.assertEqual(judged(0.14, 0.14, 0.16)[1], "must 0.15: met, aim 0.10: **missed**", "they agree")
        self.assertEqual(judged(0.08, 0.11, 0.14)[1], "must 0.15: met, aim 0.10: unknown")
        self.assertEqual(judged(0.11, 0.14, 0.17)[1], "must 0.15: unknown, aim 0.10: **missed**")
        self.assertEqual(judged(1.5, 1.5, 1.5, 0, 0), ("1.500 (1.500 to 1.500)", "–"))

    def test_every_benchmark_says_how_it_is_run(self):
        for full, quick in ((False, True), (False, False), (True, False)):
            size = run.Size(type("Arguments", (), {"full": full, "quick": quick}))
            for name, (program, arguments_of) in run.BENCHMARKS.items():
                with self.subTest(f"{name} {size.index}"):
                    self.assertTrue(program.startswith("rollwatch_bench_"))
                    self.assertTrue(all(isinstance(one, str) for one in arguments_of(size)))


if __name__ == "__main__":
    unittest.main()
