#!/usr/bin/env python3
"""The shop: the demo's service, one process per version.

    service.py --version 1.1 --port 8081 --error-share 0.3 --latency-ms 5

Answers GET / after about its latency, fails the given share of requests with 500, and shows what it
did at /metrics the way a Prometheus client library would.
"""

import argparse
import random
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0]


class Metrics:
    """Counts requests by code, and how long they took in cumulative buckets."""

    def __init__(self, app, version):
        self.labels = f'app="{app}",version="{version}"'
        self.lock = threading.Lock()
        self.requests = {200: 0, 500: 0}  # both from the start: a counter that appears late hides its first events
        self.buckets = [0] * len(BUCKETS)
        self.seconds = 0.0

    def observe(self, code, seconds):
        with self.lock:
            self.requests[code] += 1
            self.seconds += seconds
            for index, bound in enumerate(BUCKETS):
                self.buckets[index] += seconds <= bound

    def text(self):
        with self.lock:
            total = sum(self.requests.values())
            lines = ["# HELP http_requests_total Requests answered.", "# TYPE http_requests_total counter"]
            for code, count in self.requests.items():
                lines.append(f'http_requests_total{{{self.labels},code="{code}"}} {count}')
            name = "http_request_duration_seconds"
            lines += [f"# HELP {name} Time to answer.", f"# TYPE {name} histogram"]
            for bound, count in zip(BUCKETS + ["+Inf"], self.buckets + [total]):
                lines.append(f'{name}_bucket{{{self.labels},le="{bound}"}} {count}')
            lines += [f"{name}_sum{{{self.labels}}} {self.seconds:.6f}", f"{name}_count{{{self.labels}}} {total}"]
        return "\n".join(lines) + "\n"


def handler_for(metrics, options):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/metrics":
                self.answer(200, metrics.text(), "text/plain; version=0.0.4")
                return
            started = time.monotonic()
            time.sleep(random.uniform(0.5, 1.5) * options.latency_ms / 1000)
            code = 500 if random.random() < options.error_share else 200
            metrics.observe(code, time.monotonic() - started)
            self.answer(code, f"{options.app} {options.version}: {'ok' if code == 200 else 'sorry'}\n", "text/plain")

        def answer(self, code, text, content_type):
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass  # a line per request would help nobody

    return Handler


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", default="shop")
    parser.add_argument("--version", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--error-share", type=float, default=0.0, help="0 to 1")
    parser.add_argument("--latency-ms", type=float, default=5.0)
    options = parser.parse_args()
    metrics = Metrics(options.app, options.version)
    ThreadingHTTPServer(("127.0.0.1", options.port), handler_for(metrics, options)).serve_forever()


if __name__ == "__main__":
    main()
