#!/usr/bin/env python3
"""Tells where HAProxy really sends the traffic: one line for each new set of weights.

    share.py --haproxy haproxy.sock --backend shop

Counted from HAProxy's own counters over the two seconds after the weights changed, errors included.
"""

import argparse
import csv
import socket
import time

SETTLE_SECONDS = 2.0


def statistics(path, backend):
    """Each server's weight, requests and failed requests so far."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(2)
        connection.connect(path)
        connection.sendall(b"show stat\n")
        text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    return {
        row["svname"].removeprefix("v"): (int(row["weight"]), int(row["stot"]), int(row["hrsp_5xx"]))
        for row in csv.DictReader(text.removeprefix("# ").splitlines())
        if row["pxname"] == backend and row["svname"] not in ("FRONTEND", "BACKEND")
    }


def describe(before, after):
    requests = {version: after[version][1] - before[version][1] for version in after}
    failed = {version: after[version][2] - before[version][2] for version in after}
    total = sum(requests.values())
    parts = []
    for version, count in requests.items():
        if count or after[version][0]:
            errors = f" ({100 * failed[version] // count} % of them fail)" if failed[version] else ""
            parts.append(f"{100 * count / max(total, 1):.0f} % to {version}{errors}")
    return f"HAProxy sends {', '.join(parts)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--haproxy", required=True, help="its runtime socket")
    parser.add_argument("--backend", default="shop")
    options = parser.parse_args()
    before, since, told = statistics(options.haproxy, options.backend), time.monotonic(), False
    while True:
        time.sleep(0.25)
        now = statistics(options.haproxy, options.backend)
        if [row[0] for row in now.values()] != [row[0] for row in before.values()]:
            before, since, told = now, time.monotonic(), False
        elif not told and time.monotonic() - since >= SETTLE_SECONDS:
            print(describe(before, now), flush=True)
            told = True


if __name__ == "__main__":
    main()
