"""Slack's Web API, as strict as the real one in all that Rollwatch relies on.

It checks the token, the content type and the required fields, knows its channels by name and by id, keeps
every message under its ts, and answers as Slack does: HTTP 200 with `ok`, and why not in `error`; 429 with
Retry-After when it is asked too often. What a test wants to go wrong it puts into `script`, for the next calls:

    a word            {"ok": false, "error": word}, and nothing is done
    ("429", seconds)  too many requests
    "lost"            done, and the connection is closed without an answer
    "hang_up"         closed, and nothing is done
    "500"             an error of the server's
    "ok"              as always
"""

import json
import urllib.parse
from collections import deque
from itertools import count

from receivers import Receiver

TOKEN = "xoxb-e2e-slack-token"
CHANNELS = {"#releases": "C0000000001", "#archive": "C0000000002", "#private": "C0000000003"}
ARCHIVED = {"C0000000002"}
NOT_IN = {"C0000000003"}
BLOCKS = {"section", "context", "divider", "header", "actions", "image"}


class SlackApi(Receiver):
    path = "/api"

    def __init__(self, port=0):
        self.script = deque()
        self.messages = {}  # (channel, ts) → message; a deleted one is gone
        self.calls = []  # (method, ts of the message it was about, what was answered)
        self.problems = []  # what no client should ever send
        self.numbers = count(1)
        super().__init__(port)

    # ---- What a test looks at ----

    def roots(self):
        """Messages of the channel that are in no thread, oldest first."""
        with self.lock:
            return [m for m in self.messages.values() if "thread_ts" not in m]

    def replies(self, root):
        with self.lock:
            return [m for m in self.messages.values() if m.get("thread_ts") == root["ts"]]

    def shown_in_channel(self):
        """What somebody who reads the channel sees: messages, and replies that were broadcast."""
        with self.lock:
            return [m for m in self.messages.values() if "thread_ts" not in m or m.get("reply_broadcast")]

    def texts(self):
        with self.lock:
            return [m["text"] for m in self.messages.values()]

    def delete(self, message):
        with self.lock:
            del self.messages[message["channel"], message["ts"]]

    # ---- The server ----

    def receive(self, path, headers, body):
        with self.lock:
            method = path.removeprefix(self.path + "/")
            planned = self.script.popleft() if self.script else "ok"
            if planned == "hang_up":
                self.calls.append((method, None, planned))
                return None
            if planned == "500":
                self.calls.append((method, None, planned))
                return 500, "text/html", b"<html>Server Error</html>"
            if planned[0] == "429":
                self.calls.append((method, None, "429"))
                return 429, "application/json", b'{"ok":false,"error":"ratelimited"}', {"Retry-After": str(planned[1])}
            if planned not in ("ok", "lost"):
                answer = {"ok": False, "error": planned}
            else:
                answer = self.call(method, headers, body)
            self.calls.append((method, answer.get("ts"), answer.get("error", planned)))
            if planned == "lost":
                return None
        return 200, "application/json; charset=utf-8", json.dumps(answer).encode()

    def call(self, method, headers, body):
        if headers["Authorization"] is None:
            return self.no("not_authed")
        if headers["Authorization"] != f"Bearer {TOKEN}":
            return self.no("invalid_auth")
        if headers["Content-Type"].startswith("application/x-www-form-urlencoded"):  # Slack's own client; not ours
            fields = self.form(body)
        elif headers["Content-Type"] == "application/json; charset=utf-8":
            try:
                fields = json.loads(body)
            except ValueError:
                return self.wrong("invalid_json", body)
        else:
            return self.wrong("invalid_post_type", f"content type {headers['Content-Type']}")
        if method == "chat.postMessage":
            return self.post(fields)
        if method == "chat.update":
            return self.update(fields)
        if method == "auth.test":
            return {"ok": True}
        return self.wrong("unknown_method", method)

    @staticmethod
    def form(body):
        """Lists and truth values come as JSON inside the form."""
        def value(text):
            return json.loads(text) if text[:1] == "[" or text in ("true", "false") else text
        return {name: value(text) for name, text in urllib.parse.parse_qsl(body.decode())}

    def post(self, fields):
        unknown = set(fields) - {"channel", "text", "attachments", "thread_ts", "reply_broadcast", "unfurl_links",
                                 "unfurl_media"}
        if unknown:
            return self.wrong("invalid_arguments", f"post with {unknown}")
        channel = CHANNELS.get(fields.get("channel"), fields.get("channel"))
        problem = self.channel_problem(channel) or self.content_problem(fields)
        if problem:
            return self.no(problem)
        if "thread_ts" in fields and (channel, fields["thread_ts"]) not in self.messages:
            return self.no("thread_not_found")
        if "reply_broadcast" in fields and "thread_ts" not in fields:
            return self.wrong("invalid_arguments", "reply_broadcast outside of a thread")
        ts = f"1503435956.{next(self.numbers):06d}"
        message = {**fields, "channel": channel, "ts": ts, "edits": 0}
        self.messages[channel, ts] = message
        return {"ok": True, "channel": channel, "ts": ts, "message": {**fields, "type": "message", "ts": ts}}

    def update(self, fields):
        unknown = set(fields) - {"channel", "ts", "text", "attachments"}
        if unknown:
            return self.wrong("invalid_arguments", f"update with {unknown}")
        channel, ts = fields.get("channel"), fields.get("ts")
        if channel in CHANNELS:
            return self.wrong("channel_not_found", "update by a channel's name")
        problem = self.channel_problem(channel) or self.content_problem(fields)
        if problem:
            return self.no(problem)
        message = self.messages.get((channel, ts))
        if message is None:
            return self.no("message_not_found")
        if "attachments" not in fields:
            return self.wrong("invalid_arguments", "an update that leaves the old attachments under a new text")
        message.update(text=fields["text"], attachments=fields["attachments"], edits=message["edits"] + 1)
        return {"ok": True, "channel": channel, "ts": ts, "text": fields["text"]}

    @staticmethod
    def channel_problem(channel):
        if channel not in CHANNELS.values():
            return "channel_not_found"
        if channel in ARCHIVED:
            return "is_archived"
        if channel in NOT_IN:
            return "not_in_channel"
        return None

    def content_problem(self, fields):
        if not fields.get("text"):
            return "no_text"
        if len(fields["text"]) > 4000:
            self.problems.append(f"a text of {len(fields['text'])} characters")
            return "msg_too_long"
        together = 0
        for attachment in fields.get("attachments", []):
            if not attachment.get("fallback") or not attachment.get("color"):
                self.problems.append(f"an attachment without fallback or colour: {attachment}")
            if not attachment.get("blocks") or len(attachment["blocks"]) > 50:
                return self.bad_block(attachment)
            for block in attachment["blocks"]:
                length = self.length_of(block)
                if length is None:
                    return self.bad_block(block)
                together += length
        return "msg_blocks_too_long" if together > 13200 else None

    @staticmethod
    def length_of(block):
        """Characters in it, or None for a block that is not as Slack wants it."""
        def text(value, limit):
            good = isinstance(value, dict) and value.get("type") == "mrkdwn" and 0 < len(value.get("text", "")) <= limit
            return len(value["text"]) if good else None
        if block.get("type") not in BLOCKS:
            return None
        if block["type"] == "section":
            parts = [text(block["text"], 3000)] if "text" in block else []
            fields = block.get("fields", [])
            if len(fields) > 10 or not (parts or fields):
                return None
            parts += [text(field, 2000) for field in fields]
        elif block["type"] == "context":
            parts = [text(element, 2000) for element in block.get("elements", [])]
            if not 1 <= len(parts) <= 10:
                return None
        else:
            return None  # not used
        return None if None in parts else sum(parts)

    def bad_block(self, block):
        self.problems.append(f"not a block of Slack's: {block}")
        return "invalid_blocks"

    @staticmethod
    def no(word):
        return {"ok": False, "error": word}

    def wrong(self, word, what):
        self.problems.append(f"{word}: {what}")
        return self.no(word)

    def close(self):
        self.stop()
        return self.problems
