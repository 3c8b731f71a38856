"""How long each view of the page takes, with many rollouts and a long history: from the address to a view with its data, in
Debian's chromium on this machine. Prints the median and the worst of so many times, what came over the wire, and rows.

    page_bench.py [--rollouts 2000] [--evaluations 100000] [--times 10]

ROLLWATCH_TEST_DAEMON names the daemon (measure a release build), ROLLWATCH_TEST_JUDGES the folder that
test/judges/install.sh has filled.
"""

import argparse
import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "page"))

from many_case import ManyCase  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rollouts", type=int, default=2000)
    parser.add_argument("--evaluations", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=10)
    return parser.parse_args()


def main():
    given = arguments()
    if "ROLLWATCH_TEST_DAEMON" not in os.environ:
        sys.exit("set ROLLWATCH_TEST_DAEMON to the rollwatchd to measure")

    class Bench(ManyCase):
        def test_views(self):
            active = max(1, given.rollouts // 8)
            daemon, rollout = self.much(active, given.rollouts - active, given.evaluations)
            rows = self.play("views_timed.mjs", {"url": daemon.url, "rollout": rollout, "times": given.times})
            print(f"{given.rollouts} rollouts, {given.evaluations} evaluations, {given.times} times each"
                  "      median ms  worst ms     kB  requests  rows")
            for row in rows:
                print(f"  {row['view']:60} {row['median']:9.0f} {row['worst']:9.0f} {row['kilobytes']:6.0f} {row['requests']:9} {row['rows']:5}")

    ran = unittest.TextTestRunner(verbosity=0).run(unittest.defaultTestLoader.loadTestsFromTestCase(Bench))
    sys.exit(0 if ran.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
