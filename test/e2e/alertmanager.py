"""Debian's prometheus-alertmanager, on a port of its own."""

import json
import re
import subprocess

from harness import free_port, wait_until
from metrics_server import DIRECT


class Alertmanager:
    def __init__(self, folder, configuration):
        self.folder = folder / "alertmanager"
        self.folder.mkdir(parents=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        (self.folder / "alertmanager.yml").write_text(configuration)
        self.start()

    def start(self):
        with open(self.folder / "alertmanager.log", "ab") as log:
            self.process = subprocess.Popen(
                ["prometheus-alertmanager", f"--config.file={self.folder}/alertmanager.yml",
                 f"--storage.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--cluster.listen-address="], stdout=log, stderr=log)
        wait_until(self.is_ready, lambda: "alertmanager: " + self.log(), [self])

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def log(self):
        return (self.folder / "alertmanager.log").read_text(errors="replace")

    def check(self):
        if self.process.poll() is not None:
            raise AssertionError("alertmanager ended by itself:\n" + self.log())

    def is_ready(self):
        try:
            return DIRECT.open(f"{self.url}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def alerts(self):
        """Those that have not ended."""
        with DIRECT.open(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            return json.loads(answer.read())

    def alerts_of(self, **labels):
        """{alertname: alert} of those that have these labels."""
        return {alert["labels"]["alertname"]: alert for alert in self.alerts() if labels.items() <= alert["labels"].items()}

    def sent(self):
        """How often it has called a webhook, and how often in vain."""
        with DIRECT.open(f"{self.url}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        return [sum(float(value) for value in re.findall(rf'^{name}{{.*integration="webhook".*}} (\S+)$', text, re.M))
                for name in ("alertmanager_notifications_total", "alertmanager_notifications_failed_total")]

    def close(self):
        self.stop()
        return []
