#!/usr/bin/env python3
"""The demo's customers: a steady number of requests a second, until stopped by a signal.

    traffic.py --url http://127.0.0.1:8080/ --rate 100

A few workers share the rate. One that is late skips what it missed instead of catching up, so a slow
service is never hit by a wave, and there are never more requests under way than workers.
"""

import argparse
import http.client
import threading
import time
import urllib.parse

WORKERS = 8


def work(url, every, offset):
    due = time.monotonic() + offset
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        due = max(due + every, time.monotonic())
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=2)
        try:
            connection.request("GET", url.path or "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            pass  # a customer who got no answer comes back later
        finally:
            connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    options = parser.parse_args()
    every = WORKERS / options.rate
    for number in range(WORKERS):
        arguments = (urllib.parse.urlsplit(options.url), every, number / options.rate)
        threading.Thread(target=work, args=arguments, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
