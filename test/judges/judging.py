"""The judges as the tests use them: installed once per build tree, asked with what was really sent."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
INSTALLED = Path(os.environ.get("ROLLWATCH_TEST_JUDGES", HERE.parents[1] / "build" / "judges"))


def node():
    return str(INSTALLED / "node")


def ask(judge, *arguments):
    """What the judge says of it; AssertionError with its words if it is not content."""
    asked = subprocess.run([node(), str(HERE / "judge.mjs"), judge, *map(str, arguments)], cwd=INSTALLED,
                           capture_output=True, text=True, timeout=120, check=False)
    if asked.returncode != 0:
        raise AssertionError(f"{judge} refuses: {asked.stderr.strip()}\n{arguments}")
    return asked.stdout.strip()


def ask_about(judge, folder, message):
    """`message`: {"headers", "body", …}, as it came."""
    file = Path(folder) / f"{judge}.json"
    file.write_text(json.dumps(message))
    return ask(judge, file)


def type_check(messages):
    """Compiles [(type of slack_message.d.ts, message), …] as that type; AssertionError with the compiler's words."""
    source = 'import type * as Slack from "./slack_message.js";\n'
    for number, (kind, message) in enumerate(messages):
        source += f"export const message{number}: Slack.{kind} = {json.dumps(message)};\n"
    # Below the judges, which is where the compiler looks for Slack's types.
    with tempfile.TemporaryDirectory(dir=INSTALLED) as folder:
        shutil.copy(HERE / "slack_message.d.ts", folder)
        file = Path(folder) / "messages.ts"
        file.write_text(source)
        compiler = INSTALLED / "node_modules" / "typescript" / "bin" / "tsc"
        checked = subprocess.run([node(), str(compiler), "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext",
                                  "--types", "", "--ignoreConfig", str(file)],
                                 cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    if checked.returncode != 0:
        raise AssertionError(f"not what Slack takes:\n{checked.stdout}{checked.stderr}")
