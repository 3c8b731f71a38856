"""With 2,000 rollouts, 250 of them active, and one that was evaluated 100,000 times, a view asks once and shows 200 rows at
most; what is not shown is found by the filter and behind "more"."""

import unittest

from many_case import ManyCase

ACTIVE, ENDED, EVALUATIONS = 250, 1_750, 100_000


class Many(ManyCase):
    def test_a_view_asks_once_and_shows_200_rows(self):
        daemon, rollout = self.much(ACTIVE, ENDED, EVALUATIONS)
        self.play("many.mjs", {"url": daemon.url, "rollout": rollout, "active": ACTIVE, "ended": ENDED})


if __name__ == "__main__":
    unittest.main()
