"""Every view of the page, in every state there is to show, light and dark, wide and narrow: nobody is kept out, nothing
is cut off, nothing lies upon anything else, each asks once for its data, and its first sentence says it all.

    ROLLWATCH_WRITE_IMAGES=1      writes the pictures of docs/images anew
    ROLLWATCH_PAGE_IMAGES=FOLDER  leaves one of each there, to be looked at
"""

import os
import unittest
from pathlib import Path

from page_case import PageCase
from harness import wait_until
from pictures import write_pictures
from states import States

# What docs show, and what is looked at in each scheme and width; the others in one of each.
SHOWN = ("fleet", "rolled_back", "asked", "policies", "policy", "deliveries", "system")
# Looked at in each scheme and width as well.
THOROUGHLY = ("compared", "worse")


class Views(PageCase):
    def test_every_view(self):
        states = States(self).start()
        states.wait_for_history("passing", 60)
        states.wait_for_history("compared", 20)
        writes = os.environ.get("ROLLWATCH_WRITE_IMAGES") == "1"
        images = os.environ.get("ROLLWATCH_PAGE_IMAGES") or (str(self.place.folder / "images") if writes else None)
        self.play("views.mjs", {"url": states.daemon.url, "images": images, "views": self.views(states)})
        self.use(states, images)
        if writes:
            shown = [path for path in sorted(Path(images).glob("*.png")) if path.name.rsplit("-", 2)[0] in SHOWN]
            self.assertEqual(len(shown), 4 * len(SHOWN))
            write_pictures(shown)

    def use(self, states, images=None):
        stock = states.ids["dead"]

        def repair():
            states.edge.by_kind.clear()

        def delivered():
            wait_until(lambda: states.daemon.api.orders(stock)[-1]["state"] == "done", "the order to be taken", [states.daemon])

        self.play("uses.mjs", {"url": states.daemon.url, "images": images, "rolledBack": states.ids["rolled_back"],
                              "compared": states.ids["compared"], "worse": states.ids["worse"]}, repair=repair, delivered=delivered)

    def views(self, states):
        def rollout(state, says):
            return {"name": state, "path": f"/rollouts/{states.ids[state]}", "says": says}

        views = [
            {"name": "fleet", "path": "/", "says": r"(?=.*7 rollouts are active)(?=.*stock 2\.2 failed).*paused"},
            rollout("passing", r"search 7\.4\.0 .*25 ?%"),
            rollout("rolled_back", r"checkout 1\.24\.0 .*rolled back.*error-rate.* > 0\.05"),
            rollout("asked", r"ledger 4\.1 .*(approv|waits)"),
            rollout("paused", r"profile 13 .*paused.*looks odd on phones"),
            rollout("promoted", r"catalog 3\.10 .*promoted"),
            rollout("by_hand", r"mailer 1\.0 .*rolled back.*customers get each mail twice"),
            rollout("dead", r"stock 2\.2 .*rollback"),
            rollout("unknown", r"cart 5\.1 .*(no|unknown|answer)"),
            rollout("waiting", r"images 2026-11 .*2 of 3"),
            rollout("frozen", r"billing 9 .*frozen.*end of the quarter"),
            rollout("compared", r"gateway 2\.1 .*25 ?%"),
            rollout("worse", r"payouts 6 .*rolled back.*errors.*stable"),
            {"name": "policies", "path": "/policies", "says": r"4 policies"},
            {"name": "policy", "path": "/policies/http", "says": r"http"},
            {"name": "policy_compared", "path": "/policies/compared", "says": r"compared"},
            {"name": "deliveries", "path": "/deliveries?show=failed", "says": r"^\d+ deliveries failed"},
            {"name": "all_deliveries", "path": "/deliveries", "says": r"^\d+ deliveries failed"},
            {"name": "system", "path": "/system", "says": r"archive"},
        ]
        return [{**view, "shown": view["name"] in SHOWN + THOROUGHLY} for view in views]


if __name__ == "__main__":
    unittest.main()
