"""Who follows the event stream: events as they come, each with its number, and how it can go on elsewhere."""

import http.client
import json
import threading
import urllib.parse

from described import check_call, check_event
from harness import wait_until
from programs import Answer


class Follower:
    """Reads GET /api/v1/events in a thread of its own; comes back after the last number it has seen, as a browser
    does, to what `url` is then, or says if it is a function."""

    def __init__(self, url, query="", after=None):
        self.url, self.query = url, query
        self.last = None if after is None else str(after)
        self.events = []       # dicts, as they came
        self.connections = 0   # that were answered with a stream
        self.refusal = None    # (status, problem) that is not to be tried again
        self.ended = False
        self.socket = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended and self.refusal is None:
            try:
                self.follow()
            except (OSError, http.client.HTTPException, ValueError):
                pass  # cut, or the daemon is away: again
            threading.Event().wait(0.05)

    def follow(self):
        address = urllib.parse.urlsplit(self.url() if callable(self.url) else self.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            headers = {} if self.last is None else {"Last-Event-ID": self.last}
            connection.request("GET", "/api/v1/events" + self.query, headers=headers)
            self.socket = connection.sock
            response = connection.getresponse()
            body = b"" if response.status == 200 else response.read()  # else it has no end
            check_call("GET", "/api/v1/events" + self.query, headers, None, Answer(response.status, response.headers, body))
            if response.status != 200:
                if response.status != 503:
                    self.refusal = (response.status, json.loads(body))
                return
            self.connections += 1
            self.read(response)
        finally:
            connection.close()

    def read(self, response):
        fields = {}
        while not self.ended:
            line = response.readline().decode()
            if not line:
                return
            line = line.rstrip("\n")
            if line.startswith(":"):
                continue
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
                continue
            if "id" in fields:
                self.last = fields["id"]
            if "data" in fields:
                event = json.loads(fields["data"])
                check_event(event)
                assert str(event["seq"]) == fields["id"] and event["type"] == fields["event"], fields
                self.events.append(event)
            fields = {}

    def cut(self):
        """The connection breaks; it comes back by itself, to `url`."""
        try:
            self.socket.shutdown(2)
        except OSError:
            pass

    def close(self):
        self.ended = True
        self.cut()
        self.thread.join()

    def seqs(self):
        return [event["seq"] for event in self.events]

    def wait_for(self, seq):
        wait_until(lambda: self.events and self.events[-1]["seq"] >= seq,
                   lambda: f"event {seq}; it was given {self.seqs()}, refusal {self.refusal}")
        return self

    def wait_until_served(self):
        wait_until(lambda: self.last is not None and self.connections > 0, "the stream to begin")
        return self
