"""The served OpenAPI document as the tests use it: its operations, and a validator for as much of JSON Schema as it uses."""

import copy
import math
import re
import urllib.parse
from dataclasses import dataclass

KNOWN = {"$ref", "type", "properties", "required", "additionalProperties", "propertyNames", "maxProperties", "minProperties",
         "items", "minItems", "maxItems", "uniqueItems", "anyOf", "enum", "const", "pattern", "minLength", "maxLength",
         "minimum", "maximum", "format", "description", "default", "examples", "contentMediaType", "contentSchema"}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
ANY = [*TYPES, "number"]


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    fields: dict

    @property
    def body(self):
        """The schema of its body, or None."""
        content = self.fields.get("requestBody", {}).get("content", {})
        return content.get("application/json", {}).get("schema")


def is_a(value, kind):
    if kind == "integer":
        return isinstance(value, int) and not isinstance(value, bool) or isinstance(value, float) and value.is_integer()
    if kind == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, TYPES[kind])


class Document:
    def __init__(self, text):
        self.text = text
        self.resolved = {}  # by reference
        self.operations = {}
        for path, operations in text["paths"].items():
            for method, fields in operations.items():
                operation = Operation(fields["operationId"], method.upper(), path, fields)
                self.operations[operation.id] = operation

    def closed(self):
        """The same, with nothing allowed in an answer that is not described: fields may be added to answers, not by accident."""
        text = copy.deepcopy(self.text)
        for schema in text["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        return Document(text)

    def resolve(self, value):
        while "$ref" in value:
            found = self.found(value["$ref"])
            value = found if len(value) == 1 else {**found, **{key: more for key, more in value.items() if key != "$ref"}}
        return value

    def found(self, reference):
        if reference not in self.resolved:
            found = self.text
            for part in reference.removeprefix("#/").split("/"):
                found = found[part]
            self.resolved[reference] = found
        return self.resolved[reference]

    def parameters(self, operation, place):
        for parameter in operation.fields.get("parameters", []):
            parameter = self.resolve(parameter)
            if parameter["in"] == place:
                yield parameter

    def url(self, operation, query=None, **parts):
        path = re.sub(r"\{(\w+)\}", lambda name: urllib.parse.quote(str(parts[name[1]]), safe=""), operation.path)
        return path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")

    def answer_problems(self, operation, status, content_type, value):
        """What of an answer the document does not say. `value`: the body, parsed if it is JSON."""
        response = operation.fields["responses"].get(str(status))
        if response is None:
            return [f"{operation.id} does not answer {status}"]
        content = self.resolve(response).get("content", {})
        kind = (content_type or "").split(";")[0]
        if not content:
            return [] if not value else [f"{operation.id} {status} has no body"]
        if kind not in content:
            return [f"{operation.id} {status} is not {kind}, but {', '.join(content)}"]
        return self.problems(content[kind]["schema"], value, f"{operation.id} {status}")

    def problems(self, schema, value, at=""):
        """What is wrong with a value, one line each; [] if nothing is."""
        schema = self.resolve(schema)
        if not KNOWN.issuperset(schema):
            raise AssertionError(f"{at}: this validator does not know {set(schema) - KNOWN}")
        if "anyOf" in schema:
            every = [self.problems(one, value, at) for one in schema["anyOf"]]
            return [] if any(not one for one in every) else min(every, key=len)
        kinds = schema.get("type", ANY)
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not any(is_a(value, kind) for kind in kinds):
            return [f"{at}: {value!r:.80} is not {' or '.join(kinds)}"]
        found = []
        if "enum" in schema and value not in schema["enum"]:
            found.append(f"{at}: {value!r:.80} is none of {schema['enum']}")
        if "const" in schema and value != schema["const"]:
            found.append(f"{at}: {value!r:.80} is not {schema['const']!r}")
        if isinstance(value, str):
            found += self.text_problems(schema, value, at)
        elif isinstance(value, dict):
            found += self.object_problems(schema, value, at)
        elif isinstance(value, list):
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf):
                found.append(f"{at}: has {len(value)} entries")
            if schema.get("uniqueItems") and any(one in value[:i] for i, one in enumerate(value)):
                found.append(f"{at}: has an entry twice")
            for i, item in enumerate(value):
                found += self.problems(schema.get("items", {}), item, f"{at}/{i}")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            if not schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf):
                found.append(f"{at}: {value} is out of range")
        return found

    def text_problems(self, schema, value, at):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf):
            return [f"{at}: {value!r:.80} has {len(value)} characters"]
        if "pattern" in schema and not re.search(schema["pattern"].replace("$", r"\Z"), value):
            return [f"{at}: {value!r:.80} does not match {schema['pattern']}"]
        if schema.get("format") == "date-time" and not MOMENT.fullmatch(value):
            return [f"{at}: {value!r:.80} is no RFC 3339 time"]
        return []

    def object_problems(self, schema, value, at):
        properties = schema.get("properties", {})
        found = [f"{at}: {name} is missing" for name in schema.get("required", []) if name not in value]
        if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", math.inf):
            found.append(f"{at}: has {len(value)} members")
        for name, member in value.items():
            more = properties.get(name, schema.get("additionalProperties", True))
            if more is False:
                found.append(f"{at}: {name} is not known")
            elif more is not True:
                found += self.problems(more, member, f"{at}/{name}")
            if "propertyNames" in schema:
                found += self.problems({"type": "string", **schema["propertyNames"]}, name, f"{at}/{name} (name)")
        return found


def without_nulls(value):
    """As the daemon reads a body: a field that is null is one that is not given."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return value
