"""Requests made from the document's schemas: good ones, and ones with something wrong, each from a number that is printed."""

import json
import math
import re

# What a text may be, by what its schema is called or where it stands. All of them are good there.
NAMES = ["checkout", "a", "1.24", "ci@pipeline/812", "näher", "日本", "x" * 253, 'q"uo\\te', "{{service}}", "a b", "../..", "%2e", "'; --", "<b>"]
SENTENCES = ["because", "two\nlines\tand a tab", "ü" * 1000, '{"a": 1}', "{{candidate}}", " ends with a space "]
DURATIONS = ["1s", "30s", "5m", "1h30m", "7d", "500ms", "0s", "9999999999d", "1s1s"]
COMPARISONS = ["> 0.05", ">=1", "< -1e3", "== 0", "!= 1", " <= 2 ", "> 1e999", "> .", "> --1"]
TIMES = ["2026-11-20T06:52:30Z", "2030-01-01T00:00:00.123+02:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
LINKS = ["https://git.example.net/changes/812", "http://a", "https://ü/?q=\"'<>"]
QUERIES = ["up > 1", 'sum(rate(x{app="{{service}}",version="{{candidate}}"}[{{window}}])) > 0.05', "(", 'x{a="{{labels.tier}}"} > 1', "NaN", "{{", "1 > bool 2", "up"]
COUNTERS = ['requests_total{version="{{version}}"}', 'sum by (pod) (x{version="{{version}}"})', "rate(x[1m])", 'sum(x{v="{{version}}"})', "x"]
COMPARES = ("events", "bad_events", "buckets", "count_of")
ODD = [None, True, -1, 0, 1.5, 1e308, 10**30, "", " ", "\u0000", "\u202e", "x" * 3000, [], {}, [[[[]]]], {"a": {"b": {}}}]
NOT_JSON = [b"", b"{", b"nul", b"\xff\xfe", b'{"a":1,"a":1}', b'{"service": "\xc3\x28"}', b'{"a": 1e999999}', b"[" * 5000, b'{"a":"\\ud800"}', b"{}{}", b'"x"', b"\x00"]
# So that much of what is asked for can be done: what there is, and what seldom fits is seldom given.
THERE = {"policy": "quick", "orchestrator": "deployer", "notify": "people", "condition": "errors"}
LIKELY = {"analysis": 0.1, "policy": 0.95, "attempt": 0.05, "stable": 0.7, "question": 0.1, "alpha": 0.05, "compare": 0.2, "count_of": 0.05,
          "tolerance": 0.05, "promote_margin": 0.05, "dispersion": 0.05, "warmup": 0.05, "early_promote": 0.05, "worse": 0.05}
LONGEST = 3 << 20
HEADERS = {
    "Idempotency-Key": ["k1", "k2", "k" * 300, "ö"],
    "If-Match": ['"r1"', "*", "W/\"r2\"", '"', ","],
    "If-None-Match": ['"r1"', "*", '"none"', ",,,"],
    "Last-Event-ID": ["1", "0", "99999999999999999999", "x", "-1"],
    "traceparent": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-bad", ""],
    "X-Request-Id": ["mine", "two words", "x" * 500],
    "Accept-Encoding": ["gzip", "gzip;q=0", ",;,", "*"],
    "Content-Type": ["application/json", "text/plain", "", "application/json; charset=utf-16"],
    "Origin": ["http://evil.example", "null"],
}


class Maker:
    def __init__(self, document, seed):
        import random
        self.document, self.random = document, random.Random(seed)
        self.ids = {"rollout": [], "delivery": []}
        self.cursors = []

    def one_of(self, values):
        return self.random.choice(values)

    # ---- Good values

    def value(self, schema, name=""):
        called = schema.get("$ref", "").rsplit("/", 1)[-1]
        schema = self.document.resolve(schema)
        if "const" in schema or "enum" in schema:
            return self.one_of(schema.get("enum", [schema.get("const")]))
        if "anyOf" in schema:
            return self.value(self.one_of(schema["anyOf"]), name)
        kind = schema.get("type", "null")
        kind = self.one_of(kind) if isinstance(kind, list) else kind
        if kind == "object":
            return self.table(schema)
        if kind == "array":
            count = self.random.randint(schema.get("minItems", 0), 3)
            items = [self.value(schema["items"], name) for _ in range(count)]
            return [item for i, item in enumerate(items) if item not in items[:i]] if schema.get("uniqueItems") else items
        if kind == "string":
            return self.text(called, schema, name)
        if kind == "boolean":
            return self.one_of([True, False])
        if kind in ("integer", "number"):
            low, high = schema.get("minimum", -1000), schema.get("maximum", 1000)
            return self.one_of([low, high, self.between(low, high, kind)])
        return None

    def between(self, low, high, kind):
        first, last = math.ceil(low), math.floor(high)
        if kind == "number" and first > last:
            return round(self.random.uniform(low, high), 6)
        return self.random.randint(first, last)

    def table(self, schema):
        made, required = {}, schema.get("required", [])
        for name, one in schema.get("properties", {}).items():
            if name in required or self.random.random() < LIKELY.get(name, 0.4):
                made[name] = self.value(one, name)
        more = schema.get("additionalProperties")
        if isinstance(more, dict) and not schema.get("properties"):
            for _ in range(self.random.randint(schema.get("minProperties", 0), 3)):
                made[self.one_of(["tier", "a.b", "x", "ü"])] = self.value(more)
        return made

    def text(self, called, schema, name):
        pool = {"Name": NAMES, "Sentence": SENTENCES, "Duration": DURATIONS, "Comparison": COMPARISONS,
                "TimeGiven": TIMES, "Time": TIMES}.get(called)
        if name in ("query", "evidence"):
            pool = QUERIES
        if name in COMPARES:
            pool = COUNTERS
        if name in THERE and self.random.random() < 0.9:
            return THERE[name]
        pool = pool or NAMES + SENTENCES + LINKS + TIMES
        fitting = [text for text in pool if not self.document.text_problems(schema, text, "")]
        return self.one_of(fitting or ["a" * max(1, schema.get("minLength", 1))])

    # ---- Something wrong

    def spoiled(self, value):
        """The same with one thing changed somewhere in it, whatever that does."""
        if isinstance(value, dict) and value and self.random.random() < 0.75:
            made, name = dict(value), self.one_of(list(value))
            how = self.random.randrange(3)
            if how == 0:
                del made[name]
            else:
                made[name] = self.spoiled(value[name])
            return made
        if isinstance(value, dict) and self.random.random() < 0.7:
            return {**value, self.one_of(["polcy", "", "__proto__", "ü" * 300, "interval"]): self.one_of(ODD)}
        if isinstance(value, list) and value and self.random.random() < 0.7:
            made, i = list(value), self.random.randrange(len(value))
            made[i] = self.spoiled(made[i])
            return made if self.random.random() < 0.7 else made * 40
        if isinstance(value, str) and self.random.random() < 0.4:
            return value + self.one_of(["\n", "\u0000", " ", "x" * 5000, "}}", '"', "\u0085"])
        return self.one_of(ODD)

    # ---- Whole requests

    def part(self, operation, name):
        """One segment of a path: most of the time of something there is."""
        if name == "id":
            known = self.ids["delivery" if "/deliveries/" in operation.path else "rollout"]
            return self.one_of(known[-50:]) if known and self.random.random() < 0.85 else self.one_of(["ro_none", "x", "ü", "%00", "a/b", "x" * 2000])
        if name == "gate":
            return self.one_of(["confirm-rollout", "rollback", "rollout", "nothing"])
        return self.one_of(["quick", "default", "checkout", "deployer", "people", "none", "ü", "a/b", "'"])

    def query(self, operation):
        made = {}
        for parameter in self.document.parameters(operation, "query"):
            if self.random.random() < 0.35:
                made[parameter["name"]] = self.query_value(parameter)
            if parameter["name"] == "cursor" and self.cursors and self.random.random() < 0.3:
                made["cursor"] = self.one_of(self.cursors[-20:])  # of this list, or of another one
        if self.random.random() < 0.08:
            made[self.one_of(["limt", "label.", "", "state[]", "after"])] = self.one_of(["1", "", "ü", "\u0001"])
        return made

    def query_value(self, parameter):
        name = parameter["name"]
        if name == "wait":  # nobody waits for long here
            return self.one_of(["1ms", "5ms", "0s", "x", "-1s", ""])
        if name == "rollout" and self.ids["rollout"] or name == "cursor" and self.random.random() < 0.3:
            return self.one_of(self.ids["rollout"] or ["x"])
        value = self.value(parameter["schema"], name) if self.random.random() < 0.7 else self.one_of(["-1", "x", "", "99999999999999999999", "1e3", "ü"])
        return value if isinstance(value, (str, int, float, list)) else "x"

    def request(self, operation):
        """(path, body as bytes or None, headers, body as a value if it is made from the schema)."""
        parts = {name: self.part(operation, name) for name in re.findall(r"\{(\w+)\}", operation.path)}
        path = self.document.url(operation, self.query(operation), **parts)
        headers = {name: self.one_of(values) for name, values in HEADERS.items() if self.random.random() < 0.04}
        if operation.body is None:
            return path, None, headers, None
        headers.setdefault("Content-Type", "application/json")
        if self.random.random() < 0.06:
            return path, self.one_of(NOT_JSON), headers, None
        value = self.value(operation.body)
        for _ in range(self.one_of([0, 0, 1, 1, 2])):
            value = self.spoiled(value)
        # Who sends more than the server reads to its end (4 MiB after the refusal) may find the connection closed.
        return path, json.dumps(value).encode()[:LONGEST], headers, value
