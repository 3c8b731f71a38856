"""The judges as the tests use them: installed once per build tree, asked with what was really sent."""

import json
import os
import re
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


def compile_typescript(source, declarations):
    """What the compiler says of it; "" if nothing. `declarations`: a file of this folder that it imports."""
    # Below the judges, which is where the compiler looks for other people's types.
    with tempfile.TemporaryDirectory(dir=INSTALLED) as folder:
        shutil.copy(HERE / declarations, folder)
        file = Path(folder) / "source.ts"
        file.write_text(source)
        compiler = INSTALLED / "node_modules" / "typescript" / "bin" / "tsc"
        checked = subprocess.run([node(), str(compiler), "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext",
                                  "--types", "", "--ignoreConfig", str(file)],
                                 cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    return "" if checked.returncode == 0 else checked.stdout + checked.stderr


def type_check(messages):
    """Compiles [(type of slack_message.d.ts, message), …] as that type; AssertionError with the compiler's words."""
    source = 'import type * as Slack from "./slack_message.js";\n'
    for number, (kind, message) in enumerate(messages):
        source += f"export const message{number}: Slack.{kind} = {json.dumps(message)};\n"
    said = compile_typescript(source, "slack_message.d.ts")
    if said:
        raise AssertionError(f"not what Slack takes:\n{said}")


def type_check_dashboards(good, spoilt):
    """Compiles dashboards as dashboard.d.ts has them from Grafana's own types, {name: dashboard} both: those that are good, and
    those that must be refused, which shows that the types are not too wide. AssertionError with the compiler's words."""
    source = 'import type { Dashboard } from "./dashboard.js";\n'
    for number, (name, dashboard) in enumerate(good.items()):
        source += f"/* {name} */ export const good{number}: Dashboard = {json.dumps(dashboard)};\n"
    for number, (name, dashboard) in enumerate(spoilt.items()):
        source += f"// @ts-expect-error {name}\nexport const spoilt{number}: Dashboard = {json.dumps(dashboard)};\n"
    said = compile_typescript(source, "dashboard.d.ts")
    if said:
        lines = source.splitlines()
        where = {int(number) for number in re.findall(r"source\.ts\((\d+),", said)}
        raise AssertionError("not what Grafana takes, or wrongly taken:\n" + "\n".join(lines[n - 1][:100] for n in sorted(where)) + f"\n{said}")
