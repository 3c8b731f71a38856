"""A daemon with many rollouts, of which one was evaluated very often."""

from page_case import PageCase
from big_store import copy_rollout, lengthen_history
from harness import side_by_side
from states import HOUR, States


class ManyCase(PageCase):
    def much(self, active, ended, evaluations):
        """(the daemon, the id of the rollout with the long history)"""
        daemon = States(self).daemon.start()
        rollout = self.release(daemon, "checkout", "1.23", "1.24", analysis={**HOUR, "recovery": "0s"})
        daemon.wait_for(rollout, lambda r: r["verdict"] == "passing", "to pass")
        self.traffic.serve("checkout", "1.24", errors=0.18)
        daemon.wait_for_state(rollout, "rolled_back")
        self.assertEqual(daemon.stop(), 0)
        file = daemon.folder / "rollwatch.db"
        copy_rollout(file, rollout, ended - 1)
        lengthen_history(file, rollout, evaluations, every_ms=1000)
        daemon.start()

        def register(part):
            for number in range(part, active, 4):
                daemon.api.register(service=f"active-{number:03}", stable="1", candidate="2", policy="batch", by="ci")

        side_by_side({f"part {part}": lambda part=part: register(part) for part in range(4)})
        return daemon, rollout
