"""Every call that a test makes is held to the API's own description: what it gets, whatever the status, and what it
sends, if that is taken. A difference fails the test, with the operation, the place and the rule."""

import gzip
import json
import re
import threading
import urllib.parse

from harness import SOURCE, at_the_end
from openapi import Document, without_nulls

# What may be asked of every path, beside the operations of the document; its introduction says so.
EVERYWHERE = ("HEAD", "OPTIONS")


class Description:
    def __init__(self, document):
        self.document = document.closed()
        self.routes = [(re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)), operation)
                       for operation in self.document.operations.values()]

    def operation(self, method, path):
        """The operation, and the parameters in its path; (None, {}) if there is none."""
        for pattern, operation in self.routes:
            if operation.method == ("GET" if method == "HEAD" else method):
                found = pattern.fullmatch(path)
                if found:
                    return operation, {name: urllib.parse.unquote(value) for name, value in found.groupdict().items()}
        return None, {}

    def is_there(self, path):
        return any(pattern.fullmatch(path) for pattern, _ in self.routes)

    # ---- Both sides of a call: what of it the document does not say, one line each

    def problems(self, method, target, sent, body, answer, described=True):
        """`sent` and answer.headers: header fields; `described`: whether the call is meant to be in the document."""
        path, _, query = target.partition("?")
        operation, parts = self.operation(method, path)
        if operation is None:
            return self.outside(method, path, answer, described)
        found = self.answer_problems(operation, method, answer)
        if described and answer.status < 300:
            found += self.request_problems(operation, parts, query, sent, body)
        return found

    def outside(self, method, path, answer, described):
        if method == "OPTIONS" and self.is_there(path):
            return [] if answer.status == 204 and not answer.body else [f"OPTIONS {path} answers {answer.status}"]
        if described:
            return [f"there is no {method} {path}"]
        if answer.status < 400:
            return [f"{method} {path} is not in it, and is answered with {answer.status}"]
        return self.refusal_problems(f"{method} {path} {answer.status}", answer)

    def refusal_problems(self, at, answer):
        kind = (answer.headers.get("Content-Type") or "").split(";")[0]
        if kind != "application/problem+json":
            return [f"{at} is not application/problem+json, but {kind}"]
        found = self.document.problems({"$ref": "#/components/schemas/Problem"}, answer.json, at)
        return found or ([] if answer.json["status"] == answer.status else [f"{at}/status: is {answer.json['status']}"])

    def answer_problems(self, operation, method, answer):
        at = f"{operation.id} {answer.status}"
        found = self.header_problems(operation, answer)
        if method == "HEAD":
            return found + ([f"{at} of HEAD has a body"] if answer.body else
                            [] if str(answer.status) in operation.fields["responses"] else [f"{operation.id} does not answer {answer.status}"])
        kind = answer.headers.get("Content-Type")
        text = gzip.decompress(answer.body) if answer.headers.get("Content-Encoding") == "gzip" else answer.body
        is_json = re.fullmatch(r"application/([\w.]+\+)?json", (kind or "").split(";")[0])
        try:
            value = json.loads(text) if is_json else text.decode()
        except ValueError as error:
            return found + [f"{at} is no JSON: {error}"]
        found += self.document.answer_problems(operation, answer.status, kind, value)
        if not found and is_json and answer.status >= 400 and value["status"] != answer.status:
            found.append(f"{at}/status: is {value['status']}")
        return found

    def header_problems(self, operation, answer):
        found = []
        response = self.document.resolve(operation.fields["responses"].get(str(answer.status), {}))
        for name, described in response.get("headers", {}).items():
            described, value = self.document.resolve(described), answer.headers.get(name)
            at = f"{operation.id} {answer.status}/{name}"
            if value is not None:
                found += self.text_problems(described["schema"], value, at)
            elif described.get("required"):
                found.append(f"{at}: is missing")
        return found

    def request_problems(self, operation, parts, query, sent, body):
        at = f"{operation.id} request"
        found, sent = [], {name.lower(): value for name, value in sent.items()}
        for parameter in self.document.parameters(operation, "path"):
            found += self.text_problems(parameter["schema"], parts[parameter["name"]], f"{at}/{{{parameter['name']}}}")
        for parameter in self.document.parameters(operation, "header"):
            value = sent.get(parameter["name"].lower())
            if value is not None:
                found += self.text_problems(parameter["schema"], value, f"{at}/{parameter['name']}")
        found += self.security_problems(operation, sent, at)
        return found + self.query_problems(operation, query, at) + self.body_problems(operation, sent, body, at)

    def security_problems(self, operation, sent, at):
        """Of how it says who it is; who needs no token may show one all the same."""
        schemes = self.document.text["components"]["securitySchemes"]
        known = {schemes[name]["scheme"] for one in operation.fields["security"] for name in one}
        given = sent.get("authorization", "").partition(" ")[0].lower()
        return [f"{at}/Authorization: {given} is not {' or '.join(sorted(known))}"] if given and known and given not in known else []

    def query_problems(self, operation, query, at):
        found, given = [], {}
        for name, value in urllib.parse.parse_qsl(query, keep_blank_values=True):
            given.setdefault(name, []).append(value)
        parameters = {parameter["name"]: parameter for parameter in self.document.parameters(operation, "query")}
        for name, values in given.items():
            parameter = parameters.get(name)
            if parameter is None or parameter["schema"].get("type") == "object":
                named = [one["schema"] for one in parameters.values() if one["schema"].get("type") == "object"]
                if not any(self.document.problems(schema, {name: values[0]}) == [] for schema in named):
                    found.append(f"{at}/?{name}: is not known")
            elif parameter["schema"].get("type") == "array":
                found += self.document.problems(parameter["schema"], values, f"{at}/?{name}")
            elif len(values) > 1:
                found.append(f"{at}/?{name}: is given twice")
            else:
                found += self.text_problems(parameter["schema"], values[0], f"{at}/?{name}")
        return found + [f"{at}/?{name}: is missing" for name, one in parameters.items() if one.get("required") and name not in given]

    def body_problems(self, operation, sent, body, at):
        wanted = operation.fields.get("requestBody")
        if not body:
            return [f"{at}: has no body"] if wanted and wanted.get("required") else []
        if wanted is None:
            return [f"{at}: takes no body"]
        kind = sent.get("content-type", "").split(";")[0]
        if kind not in wanted["content"]:
            return [f"{at} is not {kind}, but {', '.join(wanted['content'])}"]
        try:
            value = json.loads(body)
        except ValueError as error:
            return [f"{at} is no JSON: {error}"]
        return self.document.problems(wanted["content"][kind]["schema"], without_nulls(value), at)

    def text_problems(self, schema, text, at):
        """Of a value that stands in a header or in an address: a number is one by how it is written."""
        kinds = self.document.resolve(schema).get("type")
        if kinds in ("integer", "number") and re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII):
            return self.document.problems(schema, json.loads(text) if not re.match(r"-?0\d", text) else int(text), at)
        return self.document.problems(schema, text, at)

    def event_problems(self, event):
        """Of one of the event stream, whose schema the document can only name in words."""
        return self.document.problems({"$ref": "#/components/schemas/Event"}, event, f"streamEvents event {event.get('seq')}")


class Differences:
    """All that was found; also what was found in a thread whose end nobody looks at fails its test."""

    def __init__(self):
        self.lock = threading.Lock()
        self.description = None
        self.found = []

    def of(self):
        with self.lock:
            if self.description is None:
                self.description = Description(Document(json.loads((SOURCE / "daemon" / "api" / "openapi.json").read_text())))
            return self.description

    def tell(self, problems, shown):
        if problems:
            text = "not as openapi.json says:\n  " + "\n  ".join(problems[:10]) + f"\n{shown}"
            with self.lock:
                self.found.append(text)
            raise AssertionError(text)

    def take(self):
        with self.lock:
            found, self.found = self.found, []
            return found


_differences = Differences()
at_the_end(_differences.take)


def check_call(method, target, sent, body, answer, described=True):
    problems = _differences.of().problems(method, target, sent, body, answer, described)
    if problems:
        _differences.tell(problems, f"{method} {target} {(body or b'')[:1000]!r}\n{answer}")


def check_event(event):
    _differences.tell(_differences.of().event_problems(event), event)
