"""That the comparison of instruction counts lets small changes pass and no others."""

import sys
import unittest

sys.dont_write_bytecode = True

from instructions import compare  # noqa: E402


class Compare(unittest.TestCase):
    def holds(self, counts, stored):
        return compare(counts, stored)[1]

    def test_what_holds(self):
        rows = [
            ("the same", {"parse": 1000}, {"parse": 1000}, True),
            ("nine percent more", {"parse": 1090}, {"parse": 1000}, True),
            ("nine percent less", {"parse": 910}, {"parse": 1000}, True),
            ("eleven percent more", {"parse": 1110}, {"parse": 1000}, False),
            ("eleven percent less is to be written down", {"parse": 890}, {"parse": 1000}, False),
            ("one of two grew", {"parse": 1000, "judge": 120}, {"parse": 1000, "judge": 100}, False),
            ("one that nobody counted before", {"parse": 1000, "judge": 100}, {"parse": 1000}, False),
            ("one that is gone", {"parse": 1000}, {"parse": 1000, "judge": 100}, False),
        ]
        for name, counts, stored, expected in rows:
            with self.subTest(name):
                self.assertEqual(self.holds(counts, stored), expected)

    def test_a_growth_is_named(self):
        lines, _ = compare({"parse": 1500}, {"parse": 1000})
        self.assertRegex(lines[0], r"parse +1000 +1500 +\+50\.0 % +MORE")


if __name__ == "__main__":
    unittest.main()
