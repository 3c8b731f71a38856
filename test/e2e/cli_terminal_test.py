"""What a person sees: the command line in a real terminal."""

import unittest

from harness import built, wait_until
from rollout_case import RolloutCase
from tmux import Terminal

HELD = {"steps": [{"weight": 5, "hold": "1h"}, {"weight": 25, "hold": "1h"}]}
WIDE = {"condition", "verdict", "value", "rule", "trend", "next"}


class AtATerminal(RolloutCase):
    def setUp(self):
        self.assertTrue(Terminal.is_here(), "tmux is installed by config/packages.sh check")
        self.receiver = self.deployer()
        self.server = self.daemon(self.configuration(self.receiver)).start()
        self.service_ = self.service()
        self.rollout = self.server.api.register(**self.fields(self.service_, orchestrator="deployer", analysis=HELD))["id"]
        self.server.wait_for(self.rollout, lambda r: r["verdict"] == "passing", "to pass")

    def terminal(self, columns, rows=24, **environment):
        terminal = self.place.add(Terminal(self.place.folder, columns, rows, {
            "ROLLWATCH_SERVER": self.server.url, "USER": "anna", **environment}))
        terminal.run(f"rollwatch() {{ {built('ROLLWATCH_TEST_CLI', 'rollwatch')} \"$@\"; }}; clear")
        return terminal

    def row(self, screen, name):
        return next(line for line in screen if line.startswith(name))

    def test_the_view_is_drawn_in_place(self):
        terminal = self.terminal(80)
        terminal.run(f"rollwatch wait {self.rollout}; echo ended $?")
        screen = terminal.wait_for("▸ 5 % for", " of 1h", "errors", "> 0.05", "passing", "next slot in", "▂▂")
        self.assertLessEqual(WIDE, set(self.row(screen, "condition").split()), screen)
        self.assertEqual(self.row(screen, "errors").split()[1:5], ["passing", "0.01", ">", "0.05"])
        # It counts on, and stands where it stood: nothing is left of what was drawn over.
        self.exposition.set("e2e_errors", 0.04, service=self.service_, version="1.1")
        terminal.wait_for("0.04")
        whole = terminal.all()
        self.assertEqual(sum(line.startswith("condition") for line in whole), 1, whole)
        self.assertEqual(sum(line.startswith(self.service_) for line in whole), 1, whole)
        self.assertIn("\x1b[32m", terminal.colours())
        # A daemon that goes away and comes back.
        self.server.kill9()
        terminal.wait_for("lost the server, trying again")
        self.server.start()
        wait_until(lambda: not any("lost" in line for line in terminal.screen()), "it to be back")
        self.assertEqual(self.server.api.decide(self.rollout, "rollback").status, 200)
        terminal.wait_for("ended 2", f"{self.rollout[:20]}")
        whole = terminal.all()
        self.assertEqual(sum(line.startswith("condition") for line in whole), 1, whole)

    def test_a_window_may_be_small_and_change(self):
        terminal = self.terminal(40)
        terminal.run(f"rollwatch wait {self.rollout}; echo ended $?")
        screen = terminal.wait_for("▸ 5 % for", "errors", "0.01")
        self.assertTrue(all(len(line) <= 40 for line in screen), screen)
        self.assertIn("> 0.05", self.row(screen, "errors"))
        self.assertNotIn("missed", self.row(screen, "condition"))
        for columns in (100, 40, 80):
            terminal.resize(columns)
            wide = "trend" if columns >= 80 else "value"

            def is_drawn_anew():
                heads = [line for line in terminal.screen() if line.startswith("condition")]
                return len(heads) == 1 and wide in heads[0] and (columns > 40) == ("trend" in heads[0])

            wait_until(is_drawn_anew, lambda: f"one view of {columns} columns:\n" + "\n".join(terminal.screen()))
        terminal.resize(80, 10)
        wait_until(lambda: len(terminal.screen()) <= 10, "a low window")
        self.assertEqual(self.server.api.decide(self.rollout, "cancel").status, 200)
        terminal.wait_for("ended 4")

    def test_where_nothing_may_be_redrawn(self):
        for environment, colours in (({"CI": "true"}, False), ({"NO_COLOR": "1"}, True)):
            with self.subTest(**environment):
                terminal = self.terminal(100, 30 + colours, **environment)
                terminal.run(f"rollwatch wait {self.rollout} --timeout 2s; echo ended $?")
                terminal.wait_for("ended 124")
                self.assertNotIn("\x1b[32m", terminal.colours())
                self.assertEqual(any(line.startswith("condition") for line in terminal.all()), colours)

    def test_it_asks_before_it_acts(self):
        terminal = self.terminal(100)
        terminal.run(f"rollwatch rollback {self.rollout}; echo ended $?")
        terminal.wait_for(f"{self.service_} 1.0 → 1.1: traffic goes back to 1.0", "rollback? [y/N]")
        terminal.run("n")
        terminal.wait_for("nothing done", "ended 1")
        self.assertEqual(self.server.api.rollout(self.rollout)["state"], "analyzing")
        # What is typed before the question stands there may be lost, and the old question looks the same.
        terminal.run("clear")
        wait_until(lambda: not any("[y/N]" in line for line in terminal.screen()), "an empty screen")
        terminal.run(f"rollwatch rollback {self.rollout}; echo ended $?")
        terminal.wait_for("rollback? [y/N]")
        terminal.run("y")
        terminal.wait_for("reason:")
        terminal.run("it hurts")
        terminal.wait_for("ended 0", "by anna@")
        self.assertIn("it hurts", self.server.wait_for_end_of(self.rollout)["reason"])

    def test_bash_completes(self):
        terminal = self.terminal(100, PATH=f"{self.place.folder}:/usr/bin:/bin")
        (self.place.folder / "rollwatch").symlink_to(built("ROLLWATCH_TEST_CLI", "rollwatch"))
        terminal.run("unset -f rollwatch; source <(rollwatch completion bash); bind 'set bell-style none'; clear; echo ready")
        terminal.wait_for("ready")
        rows = [
            ("rollwatch prom", "rollwatch promote"),
            ("rollwatch deliveries red", "rollwatch deliveries redeliver"),
            ("rollwatch wait --tim", "rollwatch wait --timeout"),
            ("rollwatch list --state rollback_", "rollwatch list --state rollback_failed"),
            ("rollwatch list --output=jsonl --sta", "rollwatch list --output=jsonl --state"),
            ("rollwatch status ro", f"rollwatch status {self.rollout}"),
            ("rollwatch token new ci --scopes reg", "rollwatch token new ci --scopes register"),
        ]
        for typed, completed in rows:
            with self.subTest(typed):
                terminal.type(typed)
                terminal.press("Tab")
                terminal.wait_for(f"$ {completed}")
                terminal.press("C-c")
                wait_until(lambda: terminal.screen()[-1].strip() == "$", "a prompt")
        # Where several fit, all are shown.
        terminal.type("rollwatch p")
        terminal.press("Tab", "Tab")
        terminal.wait_for("policy", "pause", "promote")


if __name__ == "__main__":
    unittest.main()
