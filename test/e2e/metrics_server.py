"""Metrics as a test wants them: an exposition whose values it sets, scraped by Debian's real Prometheus."""

import json
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import free_port, wait_until

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def quoted(value):
    """As a label value stands in an exposition."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that was killed; whatever matters is asserted on what was recorded


class Exposition:
    """Gauges at /metrics: exposition.set("errors", 0.2, version="1.1")."""

    def __init__(self):
        self.samples = {}
        self.lock = threading.Lock()
        self.is_away = False
        exposition = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if exposition.is_away:
                    return self.send_error(503)
                body = exposition.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @contextmanager
    def away(self):
        """Scrapes fail meanwhile."""
        self.is_away = True
        try:
            yield
        finally:
            self.is_away = False

    def set(self, name, value, **labels):
        with self.lock:
            self.samples[(name, tuple(sorted(labels.items())))] = value

    def replace(self, name, samples, **of):
        """Every sample of this name that has these labels, [(labels, value), …]: one scrape sees all of it or nothing."""
        own = set(of.items())
        changed = {(name, tuple(sorted({**labels, **of}.items()))): value for labels, value in samples}
        with self.lock:
            kept = {key: value for key, value in self.samples.items() if key[0] != name or not own <= set(key[1])}
            self.samples = kept | changed

    def remove(self, name, **labels):
        with self.lock:
            del self.samples[(name, tuple(sorted(labels.items())))]

    def text(self):
        with self.lock:
            rows = sorted(self.samples.items())
        lines = []
        for (name, labels), value in rows:
            inside = ",".join(f"{key}={quoted(text)}" for key, text in labels)
            lines.append(f"{name}{{{inside}}} {value}\n")
        return "".join(lines)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Prometheus:
    """Debian's prometheus, scraping the exposition every second; may be stopped and started again."""

    name = "prometheus"

    def __init__(self, folder, exposition, more=""):
        self.folder = folder / self.name
        self.folder.mkdir(parents=True)
        self.exposition = exposition
        self.process = None
        self.port = 0
        (self.folder / "prometheus.yml").write_text(
            "global: { scrape_interval: 1s, scrape_timeout: 1s }\n"
            "scrape_configs:\n"
            "  - job_name: test\n"
            "    honor_labels: true\n"
            f"    static_configs: [ {{ targets: ['127.0.0.1:{exposition.port}'] }} ]\n" + more)
        for _ in range(5):  # somebody may take the port in between
            self.port = free_port()
            if self.start():
                return
        raise AssertionError("prometheus does not start:\n" + self.log())

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def log(self):
        return (self.folder / "prometheus.log").read_text(errors="replace")

    def start(self):
        with open(self.folder / "prometheus.log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or self.is_ready(), lambda: "prometheus: " + self.log())
        return self.process.poll() is None

    def command(self):
        return ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address=127.0.0.1:{self.port}"]

    def is_ready(self):
        try:
            return DIRECT.open(f"{self.url}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def query(self, promql, at=None):
        """The series of an instant query: [(labels, value), …]."""
        parameters = {"query": promql, **({"time": str(at)} if at is not None else {})}
        body = DIRECT.open(f"{self.url}/api/v1/query?{urllib.parse.urlencode(parameters)}", timeout=30).read()
        return [(row["metric"], float(row["value"][1])) for row in json.loads(body)["data"]["result"]]

    def wait_for(self, promql, value=None):
        """Until the query answers with this one value; with none: until it answers nothing."""
        def there():
            values = [number for _, number in self.query(promql)]
            return values == ([] if value is None else [value])
        wait_until(there, lambda: f"{promql} to be {value}; it is {self.query(promql)}")

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.stop()


class VictoriaMetrics(Prometheus):
    """Debian's victoria-metrics in the place of Prometheus, scraping by itself."""

    name = "victoria-metrics"

    def command(self):
        return ["victoria-metrics", f"-promscrape.config={self.folder}/prometheus.yml", f"-storageDataPath={self.folder}/data",
                f"-httpListenAddr=127.0.0.1:{self.port}", "-promscrape.config.strictParse=false", "-search.latencyOffset=0s"]

    def is_ready(self):
        try:
            return DIRECT.open(f"{self.url}/health", timeout=5).status == 200
        except OSError:
            return False


class ToldMetrics:
    """A metrics server that answers each query with one value: 0.01, or what a subclass says."""

    def __init__(self):
        told = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.answer(urllib.parse.urlsplit(self.path).query)

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

            def answer(self, form):
                asked = urllib.parse.parse_qs(form)
                at = float(asked.get("time", [time.time()])[0])
                value = told.value_of(asked.get("query", [""])[0], at, self.headers)
                body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
                    {"metric": {}, "value": [at, str(value)]}]}}).encode()
                self.send_response(503 if value is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def value_of(self, query, at, headers):
        """Called by many threads at once. None: 503."""
        return 0.01

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class BusyMetrics(ToldMetrics):
    """Takes `seconds` for each answer; counts how many are out at once, by the node that asks (header X-Node)."""

    def __init__(self):
        self.seconds = 0
        self.lock = threading.Lock()
        self.out, self.most = {}, {}
        super().__init__()

    def value_of(self, query, at, headers):
        names = (headers["X-Node"], "all")
        with self.lock:
            for name in names:
                self.out[name] = self.out.get(name, 0) + 1
                self.most[name] = max(self.most.get(name, 0), self.out[name])
        time.sleep(self.seconds)
        with self.lock:
            for name in names:
                self.out[name] -= 1
        return super().value_of(query, at, headers)

    def begin_anew(self):
        """Counts from what is out now."""
        with self.lock:
            self.most = dict(self.out)
