#!/usr/bin/env python3
"""Holds the instructions that the steps of one evaluation take against those in instructions.txt.

    test/bench/instructions.py PROGRAM            prints both; exits 1 if one differs by more than 10 %
    test/bench/instructions.py PROGRAM --write    writes the file instead

PROGRAM is rollwatch_bench_instructions of the release build; valgrind counts. Instructions are the same on
every run, so a change of a few percent is one of the code. What else could move them is held still: the
processor's features are kept from the C library, which would choose its string functions by them, symbols
are bound at the start, and addresses are not random. What is left is the compiler and the libraries: the
file says whose counts it has, and for another compiler nothing is compared (exit code 77: skipped).

A count that fell by more than that is to be written down as well, so that it does not creep back.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STORED = Path(__file__).with_name("instructions.txt")
TIMES = 100  # of each operation; instructions_main.cc does so many
LIMIT = 0.10
SKIPPED = 77
# glibc: nothing beyond what every x86-64 has.
HWCAPS = ("-AVX,-AVX2,-AVX2_Usable,-AVX_Fast_Unaligned_Load,-AVX512F,-AVX512VL,-AVX512BW,-BMI1,-BMI2,-LZCNT,-MOVBE,"
          "-ERMS,-FSRM,-SSE4_1,-SSE4_2,-SSSE3,-POPCNT,-RTM,-Prefer_No_VZEROUPPER")


def compiler():
    version = subprocess.run(["c++", "-dumpfullversion", "-dumpmachine"], capture_output=True, text=True, check=True)
    machine = subprocess.run(["c++", "-dumpmachine"], capture_output=True, text=True, check=True)
    return f"{version.stdout.split()[0]} {machine.stdout.strip()}"


def count(program):
    """{operation: instructions of one}"""
    environment = {"PATH": os.environ["PATH"], "LD_BIND_NOW": "1", "LC_ALL": "C",
                   "GLIBC_TUNABLES": f"glibc.cpu.hwcaps={HWCAPS}"}
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program],
                             capture_output=True, text=True, env=environment, check=False)
        if ran.returncode != 0:
            sys.exit(f"instructions: valgrind failed:\n{ran.stdout}{ran.stderr}")
        counts = {}
        for dump in sorted(Path(folder).glob("out*"), key=lambda path: [int(n) for n in re.findall(r"\d+", path.name)]):
            text = dump.read_text(encoding="utf-8", errors="replace")
            name = re.search(r"^desc: Trigger: Client Request: (\S+)$", text, re.MULTILINE)
            total = re.search(r"^(?:totals|summary): (\d+)$", text, re.MULTILINE)
            if name and total:
                counts[name.group(1)] = int(total.group(1)) // TIMES
    if not counts:
        sys.exit("instructions: callgrind left no dumps")
    return counts


def read_stored():
    """The compiler's name, and {operation: instructions}."""
    lines = [line for line in STORED.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return lines[0], {name: int(number) for name, number in (line.split() for line in lines[1:])}


def write_stored(counts):
    lines = ["# Instructions of one operation of test/bench/operations.cc, release build; see instructions.py.",
             compiler(), *(f"{name} {number}" for name, number in counts.items())]
    STORED.write_text("\n".join(lines) + "\n", encoding="utf-8")


def compare(counts, stored):
    """The lines of a table, and whether all of it holds."""
    lines, holds = [], True
    for name in sorted(counts.keys() | stored.keys()):
        if name not in counts or name not in stored:
            lines.append(f"{name:<20} {'is gone' if name not in counts else 'is new'}: write the counts anew")
            holds = False
            continue
        change = counts[name] / stored[name] - 1
        word = "ok" if abs(change) <= LIMIT else "MORE" if change > 0 else "LESS: write it down"
        holds = holds and abs(change) <= LIMIT
        lines.append(f"{name:<20} {stored[name]:>10} {counts[name]:>10} {100 * change:>+7.1f} %  {word}")
    return lines, holds


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], ["--write"]):
        sys.exit(__doc__)
    if not shutil.which("valgrind"):
        sys.exit("instructions: there is no valgrind; config/packages.sh check brings it")
    if arguments[1:] == ["--write"]:
        write_stored(count(arguments[0]))
        return 0
    name, stored = read_stored()
    if name != compiler():
        print(f"instructions: skipped: counted with {name}, and this is {compiler()}")
        return SKIPPED
    lines, holds = compare(count(arguments[0]), stored)
    print(f"{'instructions of one':<20} {'stored':>10} {'now':>10}", *lines, sep="\n")
    if not holds:
        print(f"instructions: not within {100 * LIMIT:.0f} %. If that is what you wanted:\n"
              f"  test/bench/instructions.py {arguments[0]} --write")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
