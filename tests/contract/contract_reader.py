"""Reads the contract for the tests: operations, schemas with references resolved, formats, examples."""
import datetime
import functools
import json
import os
import pathlib
import re
import urllib.parse

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONTRACT_FILE = ROOT / "openapi.yaml"
# The integration tests write their exchanges there: next to the program that they tested.
TRAFFIC_FOLDER = pathlib.Path(os.environ.get("LR_TRAFFIC", pathlib.Path(os.environ.get(
    "LR_BINARY", ROOT / "build" / "learning-reviews")).parent))
TRAFFIC_FILE = TRAFFIC_FOLDER / f"recorded-traffic{os.environ.get('PYTEST_XDIST_WORKER', '')}.jsonl"


def recorded():
    """Returns the exchanges of all workers in the last run."""
    for file in sorted(TRAFFIC_FOLDER.glob("recorded-traffic*.jsonl")):
        with open(file, encoding="utf-8") as lines:
            yield from map(json.loads, lines)


METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
FORMATS = jsonschema.FormatChecker(formats=())


def webhook(contract):
    """Returns the request that the register sends to the address of a webhook."""
    targets = contract["paths"]["/v1/webhooks"]["post"]["callbacks"]["change"]
    return targets["{$request.body#/url}"]["post"]


class Operation:
    """One operation with all its references resolved."""

    def __init__(self, contract, path, method, node):
        self.id = node["operationId"]
        self.path, self.method, self.parts = path, method.upper(), path.count("/")
        self.security = node.get("security", contract["security"])
        self.scopes = [scope for one in self.security for scope in one.get("oauth2", [])]
        self.public = not self.security
        self.optional_token = {} in self.security
        usual = "none" if not self.scopes else "read" if self.method == "GET" else "change"
        self.audit = node.get("x-audit", usual)
        self.parameters = [resolve(contract, one) for one in node.get("parameters", [])]
        self.body = resolve(contract, node["requestBody"]) if "requestBody" in node else None
        self.responses = {status: resolve(contract, one)
                          for status, one in node["responses"].items()}
        # The contract does not list these for each operation: `default` is their response.
        other = self.responses.pop("default")
        self.responses |= {status: other for status in ("406", *(("413", "415") if self.body else ()))}
        self.pattern = re.compile("^" + re.sub(r"\{[^}]+\}", "[^/]+", path) + "$")

    @property
    def media_types(self):
        return list(self.body["content"]) if self.body else []

    @property
    def largest_body(self):
        return self.body.get("x-max-bytes", 65536)

    def has_parameter(self, name, place):
        return any(one["name"] == name and one["in"] == place for one in self.parameters)

    def example_body(self):
        """Returns the first example of the first media type."""
        return examples(self.body["content"][self.media_types[0]])[0]


def resolve(contract, node):
    """Follows references at the top of a node; members next to a reference override it."""
    while "$ref" in node:
        target = contract
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        beside = {name: value for name, value in node.items() if name != "$ref"}
        node = {**target, **beside}
    return node


def examples(content):
    """The examples of a media type: its own, or those of its schema."""
    return [resolve(load(), one)["value"] for one in content.get("examples", {}).values()] or examples_of(content["schema"])


def examples_of(schema):
    """A list without examples of its own has one with its item's first example."""
    schema = resolve(load(), schema)
    if "examples" in schema or set(schema.get("properties", {})) != {"items", "next"}:
        return schema.get("examples", [])
    return [{"items": examples_of(schema["properties"]["items"]["items"])[:1], "next": None}]


def defaults_of(schema):
    """Returns the defaults of an object's members: those of the contract, and [] for an optional list, as `info` says."""
    required = schema.get("required", [])
    lists = {name: [] for name, one in schema.get("properties", {}).items()
             if one.get("type") == "array" and name not in required}
    return lists | {name: one["default"] for name, one in schema.get("properties", {}).items() if "default" in one}


@functools.lru_cache(maxsize=None)
def load():
    # The C loader is ten times as fast; dates stay text because JSON has no dates.
    loader = type("Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    loader.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in loader.yaml_implicit_resolvers.items()}
    return yaml.load(CONTRACT_FILE.read_text(encoding="utf-8"), Loader=loader)


@functools.lru_cache(maxsize=None)
def operations():
    """Returns all operations by operationId."""
    contract = load()
    found = [Operation(contract, path, method, node)
             for path, item in contract["paths"].items()
             for method, node in item.items() if method in METHODS]
    return {one.id: one for one in found}


def operation_of(method, path):
    """Returns the operation of the method at the path, or None; literal paths come first. A path may end with .csv if
    the operation has CSV."""
    plain = path.removesuffix(".csv")
    found = operation_at("GET" if method == "HEAD" else method, plain) if plain != path else None
    if found and "text/csv" in found.responses.get("200", {}).get("content", {}):
        return found
    return operation_at(method, path)


def operation_at(method, path):
    path = urllib.parse.unquote(path)
    if "." in path.split("/") or ".." in path.split("/") or "\0" in path:
        return None  # not an address of the contract, whatever pattern it matches
    parts = path.count("/")
    fitting = [one for one in operations().values() if one.parts == parts and one.pattern.match(path)]
    places = min((one.path.count("{") for one in fitting), default=0)
    return next((one for one in fitting
                 if one.method == method and one.path.count("{") == places), None)


def inline(node):
    """Returns the schema with every reference replaced, so that validation needs no resolver."""
    node = dict(resolve(load(), node))
    if "pattern" in node:
        # Python's $ also matches before a last newline; ECMA's does not.
        node["pattern"] = re.sub(r"(?<!\\)\$$", r"\\Z", node["pattern"])
    if "properties" in node:
        node["properties"] = {name: inline(one) for name, one in node["properties"].items()}
    if "items" in node:
        node["items"] = inline(node["items"])
    if "oneOf" in node:
        node["oneOf"] = [inline(one) for one in node["oneOf"]]
    return node


def validator(schema):
    return jsonschema.Draft202012Validator(inline(schema), format_checker=FORMATS)


def faults(schema_validator, value):
    """Returns all faults of a value, as text."""
    return [f"{'/'.join(map(str, one.absolute_path)) or '(root)'}: {one.message[:200]}"
            for one in schema_validator.iter_errors(value)]


@FORMATS.checks("date")
def is_date(value):
    try:
        return not isinstance(value, str) or bool(
            re.fullmatch(r"\d{4}-\d\d-\d\d", value) and datetime.date.fromisoformat(value))
    except ValueError:
        return False


@FORMATS.checks("date-time")
def is_instant(value):
    """Instants in answers are in UTC only."""
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) and is_date(value[:10]))


@FORMATS.checks("uuid")
def is_uuid(value):
    pattern = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    return not isinstance(value, str) or bool(re.fullmatch(pattern, value))


@FORMATS.checks("uri")
def is_uri(value):
    return not isinstance(value, str) or bool(re.fullmatch(r"[a-z][a-z0-9+.-]*:[!-~]+", value))


@FORMATS.checks("uri-reference")
def is_uri_reference(value):
    return not isinstance(value, str) or bool(re.fullmatch(r"[!-~]*", value))
