"""As much YAML as the documentation's examples are written in: mappings, lists, quoted and plain scalars."""

import json
import re


KEY = re.compile(r"([\w.-]+):(?: (.*))?")


def scalar(text):
    if text.startswith('"'):
        return json.loads(text)
    if text.startswith("'"):
        return text[1:-1].replace("''", "'")
    if text.startswith("["):
        return [scalar(part.strip()) for part in text[1:-1].split(",")]
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text


def parse(text):
    """The document; anything it does not know raises ValueError."""
    lines = []
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        indent = len(line) - len(line.lstrip())
        while bare.startswith("- "):  # "- a: 1" is an entry, and in it a mapping that begins there
            lines.append((indent, "-"))
            bare, indent = bare[2:], indent + 2
        lines.append((indent, bare))
    value, rest = block(lines)
    if rest:
        raise ValueError(f"what is this: {rest[0]}")
    return value


def block(lines):
    indent = lines[0][0]
    if lines[0][1] == "-":
        entries = []
        while lines and lines[0] == (indent, "-"):
            entry, lines = block(lines[1:])
            entries.append(entry)
        return entries, lines
    if not KEY.fullmatch(lines[0][1]):
        return scalar(lines[0][1]), lines[1:]
    found = {}
    while lines and lines[0][0] == indent and lines[0][1] != "-":
        match = KEY.fullmatch(lines[0][1])
        if not match:
            raise ValueError(f"what is this: {lines[0][1]}")
        lines = lines[1:]
        if match[2] is not None:
            found[match[1]] = scalar(match[2])
        else:
            found[match[1]], lines = block(lines)
    return found, lines
