"""docs/tour.md: the way of somebody who has never seen Rollwatch, walked as it stands there. ./quickstart is run, the page
is opened where it says, what the tour says about the page is there, and each command prints what the tour shows.

Of an output only what differs from run to run may differ: ids, times, ports, numbers. A line `…` stands for lines that the
tour leaves out. ROLLWATCH_WRITE_IMAGES=1 writes the tour's pictures anew.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import unittest
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from page_case import Play  # noqa: E402
from harness import SOURCE, PlacedTest, built, wait_until  # noqa: E402
from readme_test import blocks  # noqa: E402
from pictures import IMAGES, write_pictures  # noqa: E402

TOUR = SOURCE / "docs" / "tour.md"
QUICKSTART = "./quickstart"


def shape(line):
    """What is the same in every run."""
    line = re.sub(r"\x1b\[[0-9;]*m", "", line)
    line = re.sub(r"\b(ro|de|ord|ntf|msg)_[0-9a-z]+(-\w+)*", r"\1_ID", line)
    line = re.sub(r"\banna@[\w.-]+", "PERSON", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", line)
    line = re.sub(r"[0-9a-f]{64}", "SHA256", line)
    line = re.sub(r"[▁▂▃▄▅▆▇█·]{3,}", "TREND", line)
    line = re.sub(r"(?<![\w.])(\d+(\.\d+)?)(e-?\d+)?(ms|s|m|h)?(?![\w.]*\w)", "N", line)
    return re.sub(r"\s+", " ", line).strip()


def missing_from(shown, real):
    """The first line that is shown and was not printed where it should have been, or None."""
    lines = [shape(line) for line in real.splitlines()]
    at, anywhere = 0, True
    for line in shown.splitlines():
        wanted = shape(line)
        if wanted == "…":
            anywhere = True
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
        found = next((i for i in range(at, len(lines) if anywhere else min(at + 1, len(lines))) if pattern.fullmatch(lines[i])), None)
        if found is None:
            return line
        at, anywhere = found + 1, False
    return None


class Quickstart:
    """./quickstart with the binaries under test, and shorter steps after the first."""

    def __init__(self, folder):
        self.log_file = folder / "quickstart.log"
        tree = folder / "tree"
        tree.mkdir()
        shutil.copy(SOURCE / "quickstart", tree)
        shutil.copytree(SOURCE / "config" / "demo", tree / "config" / "demo")
        release = tree / "build" / "release"
        release.mkdir(parents=True)
        for name, variable in (("rollwatchd", "ROLLWATCH_TEST_DAEMON"), ("rollwatch", "ROLLWATCH_TEST_CLI")):
            (release / name).symlink_to(built(variable, name))
        configuration = tree / "config" / "demo" / "rollwatch.toml"
        text = configuration.read_text()
        begin, *holds = text.split('hold = "12s"')
        if len(holds) != 3:
            raise AssertionError("the demo's steps are not as they were")
        configuration.write_text(f'{begin}hold = "12s"' + 'hold = "3s"'.join(holds))
        self.tree = tree
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen([QUICKSTART, "--no-install", "--no-build"], cwd=tree, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def said(self):
        return self.log_file.read_text()

    def check(self):
        if self.process.poll() is not None:
            raise AssertionError(f"quickstart ended with {self.process.returncode}:\n{self.said()}")

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                return ["quickstart does not end on Ctrl-C"]
        return []


class Tour(PlacedTest):
    def test_it_is_as_it_says(self):
        quickstart = self.place.add(Quickstart(self.place.folder))
        wait_until(lambda: "keeps running until Ctrl-C" in quickstart.said(), quickstart.said, [quickstart])
        url = address_in(quickstart.said())
        text = TOUR.read_text()
        images = self.place.folder / "images"
        found = self.place.add(Play(self.place.folder, "tour.mjs", {"url": url, "images": str(images), "says": quoted(text)},
                                    {})).run()

        parts = [(language, content) for language, _, content in blocks(text)]
        commands = [content for language, content in parts if language == "sh"]
        self.assertEqual(commands[0], QUICKSTART + "\n")
        printed = self.run_all(commands[1:], quickstart.tree, {
            address_in(text): url, re.search(r"\bid=(ro_\w+)", text)[1]: found["rolled_back"]})
        printed = iter([quickstart.said(), *printed])
        real, compared = "", 0
        for language, content in parts:
            if language == "sh":
                real = next(printed)
            elif language == "":
                compared += 1
                with self.subTest(block=content):
                    self.assertIsNone(missing_from(content, real), f"is in docs/tour.md, and this was printed:\n{real}")
        self.assertGreaterEqual(compared, 7)
        self.assertIn("\nended with 2\n", real)
        if os.environ.get("ROLLWATCH_WRITE_IMAGES") == "1":
            write_pictures(images.glob("*.png"))

    def run_all(self, commands, folder, changed):
        """What each block of commands prints, all of them in one shell, in which `changed` stands as it is here."""
        mark = "=== the next block ==="
        script = f"\necho '{mark}'\n".join(commands)
        for old, new in changed.items():
            self.assertIn(old, script)
            script = script.replace(old, new)
        ran = subprocess.run(["bash", "-c", script], cwd=folder, env={**os.environ, "USER": "anna"}, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=180, check=False)
        return ran.stdout.split(mark)

    def test_each_picture_is_there_and_each_is_shown(self):
        named = set()
        for page in [SOURCE / "README.md", *(SOURCE / "docs").rglob("*.md")]:
            named |= {(page.parent / target).resolve() for target in
                      re.findall(r'(?:src(?:set)?="|\]\()([^")]+\.png)', page.read_text())}
        self.assertEqual(named, {path.resolve() for path in IMAGES.glob("*.png")})
        self.assertGreaterEqual(len(named), 12)
        size = sum(path.stat().st_size for path in named)
        self.assertLess(size, 2_000_000, "what everybody downloads who clones the repository")


def address_in(text):
    """What stands there as the page's, without the slash at its end."""
    return re.search(r"The page +(http://\S+)/ ", text)[1]


def quoted(text):
    """What the tour says stands on the page: everything in bold within the section about it."""
    section = text[text.index("## The page"):text.index("## The command line")]
    return re.findall(r"\*\*([^*]+)\*\*", section)


if __name__ == "__main__":
    unittest.main()
