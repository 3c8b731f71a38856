#!/usr/bin/env python3
"""Holds the source tree against the picture of the folders: who may include whom, which library is
named where, and where clocks are read.

    test/layers/layers.py [ROOT]     prints every violation as file:line: and exits 1 if there is one

The tables below are the one place where the picture is written down; docs/contributing.md explains it.
"""

import re
import sys
from pathlib import Path

# A folder may include itself and these. Arrows point down, or to a port in daemon/engine; what seems
# to need an arrow up is usually a value to be passed in.
ARROWS = {
    "analysis": [],
    "notifiers": ["analysis"],
    "config": ["analysis"],
    "daemon/net": ["analysis"],
    "daemon/engine": ["analysis", "daemon/net"],
    "daemon/http": ["analysis", "daemon/net"],
    "daemon/prometheus": ["analysis", "daemon/engine", "daemon/net", "daemon/http"],
    "daemon/storage": ["analysis", "daemon/engine", "daemon/net"],
    "daemon/postgres": ["analysis", "daemon/engine", "daemon/net", "daemon/storage"],
    "daemon/delivery": ["analysis", "notifiers", "daemon/engine", "daemon/net", "daemon/http"],
    "daemon/feed": ["analysis", "daemon/engine", "daemon/net", "daemon/http"],
    "daemon/telemetry": ["analysis", "daemon/engine", "daemon/net", "daemon/http"],
    "daemon/page": ["analysis"],
    "daemon/api": ["analysis", "config", "daemon/engine", "daemon/net", "daemon/http", "daemon/feed", "daemon/page"],
    "daemon/app": ["analysis", "notifiers", "config", "daemon"],
    "daemon/cli": ["analysis", "config"],
    "test": ["analysis", "notifiers", "config", "daemon", "test"],
}

# A library is named only where its home is (tests may name any). analysis/ has the standard library
# and nothing else.
LIBRARIES = {
    "boost/": ["daemon"],
    "nlohmann/": ["notifiers", "config", "daemon"],
    "toml++/": ["config"],
    "sqlite3.h": ["daemon/storage"],
    "libpq-fe.h": ["daemon/postgres"],
    "curl/": ["daemon/http", "daemon/delivery", "daemon/cli", "daemon/app"],
    "prometheus/": ["daemon/telemetry"],
    "CLI/": ["daemon/cli", "daemon/app"],
    "zlib.h": ["daemon/http"],
    "openssl/": ["notifiers", "daemon"],
    "spdlog/": ["daemon"],
    "fmt/": ["notifiers", "config", "daemon"],
}

# What only some files may do; everybody else is handed a clock.
CLOCK_HOMES = ["daemon/net/system_clock.h", "daemon/net/system_clock.cc", "daemon/cli/", "test/support/", "test/bench/"]
CLOCK_READS = r"\b(?:system_clock|steady_clock|high_resolution_clock)::now\b|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0)\s*\)|\b(?:gettimeofday|clock_gettime)\b"
SLEEPS = r"\bsleep_for\b|\bthis_thread::sleep_until\b|\b(?:usleep|nanosleep)\s*\(|(?<![\w.>:])(?:::sleep\s*\(|sleep\s*\(\s*\d)"

# Units that read or write a socket take twenty seconds each to compile, so there are few of them.
ASYNC_IO = r"\basync_(?:read|write|connect)"
MAX_ASYNC_IO_UNITS = 8

# Text that is not code; what it covers is blanked, and the lines keep their numbers.
COMMENT = r"//[^\n]*|/\*.*?\*/"
LITERAL = r'R"(?P<raw>[^()\s]*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\''
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def within(path, places):
    """Whether path (a file or folder, relative to the root) is one of the places or lies in one."""
    return any(path == place or path.startswith(place.rstrip("/") + "/") for place in places)


def folder_of(path):
    """The entry of ARROWS that a file belongs to, or None."""
    homes = [folder for folder in ARROWS if within(path, [folder])]
    return max(homes, key=len, default=None)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def without_comments(text):
    def keep_literals(match):
        return match.group() if match.group("literal") else blank(match)

    return re.sub(f"(?P<literal>{LITERAL})|{COMMENT}", keep_literals, text, flags=re.DOTALL)


def without_literals(text):
    return re.sub(LITERAL, blank, text, flags=re.DOTALL)


def include_problem(folder, kind, name):
    """What is wrong with one #include in a file of this folder, or None."""
    target = folder_of(name) if kind == '"' else None
    if kind == '"' and target is None:
        return f'"{name}" is not a path from the root; write the folder too, or <> for a library'
    if target is not None:
        if target == folder or within(target, ARROWS[folder]):
            return None
        allowed = ", ".join(ARROWS[folder]) or "only itself"
        return f"{folder} must not include {target} (it may use: {allowed}); pass a value in instead"
    if folder == "test":
        return None
    for library, homes in LIBRARIES.items():
        if name.startswith(library):
            return None if within(folder, homes) else f"<{name}> is named only in {', '.join(homes)}"
    if folder == "analysis" and re.search(r"[/.]", name):
        return f"analysis leans on the standard library only, not on <{name}>"
    return None


def check_file(path, text):
    """The violations of one file, as (line, message)."""
    folder = folder_of(path)
    code_and_literals = without_comments(text)
    code = without_literals(code_and_literals)
    found = []

    def report(where, message):
        found.append((text.count("\n", 0, where) + 1, message))

    for include in INCLUDE.finditer(code_and_literals):
        problem = include_problem(folder, *include.groups())
        if problem:
            report(include.start(1), problem)
        if path.endswith(".h") and include[2].startswith("boost/beast"):
            report(include.start(1), "a header names Beast; keep it in the .cc and show our own types")
        if path.endswith(".h") and include[2] == "nlohmann/json.hpp":
            report(include.start(1), "a header names nlohmann/json.hpp; use nlohmann/json_fwd.hpp")
    if path.endswith(".h"):
        for use in re.finditer(r"\bbeast\s*::", code):
            report(use.start(), "a header names Beast; keep it in the .cc and show our own types")
    if not within(path, CLOCK_HOMES):
        for read in re.finditer(CLOCK_READS, code):
            report(read.start(), f"'{read.group()}' reads the real clock; take a Clock (homes: {', '.join(CLOCK_HOMES)})")
        for sleep in re.finditer(SLEEPS, code):
            report(sleep.start(), f"'{sleep.group()}' sleeps; wait for what you need, or take a Clock")
    return found, bool(re.search(ASYNC_IO, code))


def sources(root):
    for folder in sorted({name.split("/")[0] for name in ARROWS}):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def check(root):
    """Every violation in the tree, as lines ready to print."""
    found, async_units = [], []
    for path, text in sources(Path(root)):
        if folder_of(path) is None:
            found.append(f"{path}:1: this folder is not in the table of arrows; add it to test/layers/layers.py")
            continue
        problems, has_async_io = check_file(path, text)
        found += [f"{path}:{line}: {message}" for line, message in problems]
        if has_async_io:
            async_units.append(path)
    if len(async_units) > MAX_ASYNC_IO_UNITS:
        found.append(f"{async_units[-1]}:1: {len(async_units)} units contain async_read, async_write or async_connect, "
                     f"at most {MAX_ASYNC_IO_UNITS} may: {', '.join(async_units)}")
    return found


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    found = check(root)
    print("\n".join(found) if found else "layers: every include, clock and socket is where it belongs")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
