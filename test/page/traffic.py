"""Services with traffic, as Prometheus sees them: counters and a histogram that grow with time and stand still
between two scrapes, so that queries are those an operator would write."""

import math
import time

from metrics_server import Exposition

BUCKETS = ((0.05, 0.55), (0.1, 0.35), (0.15, 0.095), (0.25, 0.005))  # below, and how many of the quick ones
SLOWER = 0.5


class Served:
    """One version of a service: what it is given, and how it does."""

    def __init__(self, requests, errors, slow):
        self.requests, self.errors, self.slow = requests, errors, slow
        self.good = self.bad = 0.0
        self.below = dict.fromkeys([bound for bound, _ in BUCKETS] + [SLOWER], 0.0)

    def pass_time(self, seconds, now):
        """Not quite the same at every moment, and the same for everybody who looks at that moment."""
        count = self.requests * seconds * (1 + 0.15 * math.sin(now / 3))
        errors = min(1.0, self.errors * (1 + 0.5 * math.sin(now / 2.1 + self.requests)))
        slow = min(1.0, self.slow * (1 + 0.4 * math.sin(now / 1.7 + self.requests)))
        self.bad += count * errors
        self.good += count * (1 - errors)
        for bound, share in BUCKETS:
            self.below[bound] += count * (1 - slow) * share
        self.below[SLOWER] += count * slow


class Traffic(Exposition):
    """traffic.serve("checkout", "1.24", errors=0.3): from now on three of ten requests fail."""

    def __init__(self):
        self.served = {}
        self.at = time.monotonic()
        super().__init__()

    def serve(self, app, version, requests=900.0, errors=0.012, slow=0.004):
        with self.lock:
            self.pass_time()
            served = self.served.setdefault((app, version), Served(requests, errors, slow))
            served.requests, served.errors, served.slow = requests, errors, slow

    def pass_time(self):
        now = time.monotonic()
        for served in self.served.values():
            served.pass_time(now - self.at, now)
        self.at = now

    def text(self):
        lines = [super().text()]
        with self.lock:
            self.pass_time()
            for (app, version), served in sorted(self.served.items()):
                labels = f'app="{app}",version="{version}"'
                lines += [f'http_requests_total{{{labels},code="200"}} {served.good:.0f}\n',
                          f'http_requests_total{{{labels},code="500"}} {served.bad:.0f}\n']
                count = 0.0
                for bound, share in served.below.items():
                    count += share
                    lines.append(f'http_request_duration_seconds_bucket{{{labels},le="{bound}"}} {count:.0f}\n')
                lines.append(f'http_request_duration_seconds_bucket{{{labels},le="+Inf"}} {count:.0f}\n')
        return "".join(lines)
