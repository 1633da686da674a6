"""Loads the contract: YAML of the core schema only, every mistake reported with its place."""
import re

import yaml


class ContractError(Exception):
    """A mistake in the contract; the text names the place."""

    def __init__(self, place, message):
        super().__init__(f"{place}: {message}")


# YAML 1.2 core schema: what is not one of these stays a string (dates, yes/no, 12:30).
CORE = (
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    ("int", re.compile(r"[-+]?[0-9]+\Z"), list("-+0123456789")),
    ("float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z"),
     list("-+.0123456789")),
)
TAG = "tag:yaml.org,2002:"


class CoreLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """A loader that knows the core schema, refuses other tags and repeated keys."""

    yaml_implicit_resolvers = {}
    yaml_constructors = {}


def fail_at(node, message):
    raise ContractError(f"line {node.start_mark.line + 1}", message)


def construct_mapping(loader, node):
    if not isinstance(node, yaml.MappingNode):
        fail_at(node, "a mapping is expected")
    made = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            fail_at(key_node, f"the key {key!r} has to be a string (quote it)")
        if key in made:
            fail_at(key_node, f"duplicate key '{key}'")
        made[key] = loader.construct_object(value_node, deep=True)
    return made


def construct_sequence(loader, node):
    return [loader.construct_object(each, deep=True) for each in node.value]


def refuse_tag(_loader, node):
    fail_at(node, f"the tag {node.tag} is not allowed")


def prepare_loader():
    for name, pattern, first in CORE:
        CoreLoader.add_implicit_resolver(TAG + name, pattern, first)
    scalars = {
        "null": lambda loader, node: None,
        "bool": lambda loader, node: node.value.lower() == "true",
        "int": lambda loader, node: int(node.value, 10),
        "float": lambda loader, node: float(node.value),
        "str": lambda loader, node: loader.construct_scalar(node),
    }
    for name, construct in scalars.items():
        CoreLoader.add_constructor(TAG + name, construct)
    CoreLoader.add_constructor(TAG + "map", construct_mapping)
    CoreLoader.add_constructor(TAG + "seq", construct_sequence)
    CoreLoader.add_constructor(None, refuse_tag)


prepare_loader()


def load_contract(text):
    """Returns the contract as plain Python values. Raises ContractError."""
    try:
        document = yaml.load(text, Loader=CoreLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise ContractError(f"line {mark.line + 1 if mark else '?'}", error.problem) from error
    if not isinstance(document, dict):
        raise ContractError("#", "the contract has to be a mapping")
    return document


def child(place, *names):
    """Returns the place of a member of the place, as a JSON pointer fragment."""
    escaped = (str(name).replace("~", "~0").replace("/", "~1") for name in names)
    return "/".join([place, *escaped])


def resolve(document, node, place):
    """Follows references. Returns the node that is meant and its place."""
    for _ in range(16):
        if not isinstance(node, dict):
            raise ContractError(place, "a mapping is expected")
        if "$ref" not in node:
            return node, place
        reference = node["$ref"]
        if not isinstance(reference, str) or not reference.startswith("#/components/"):
            raise ContractError(place, "$ref has to start with #/components/")
        node, place = find(document, reference, place), reference
    raise ContractError(place, "$ref goes in a circle")


def find(document, reference, place):
    node = document
    for part in reference[2:].split("/"):
        part = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or part not in node:
            raise ContractError(place, f"$ref leads nowhere: {reference}")
        node = node[part]
    return node


def examples_of(document, schema, place):
    """Returns the examples of a schema. A list without examples of its own has one with its item's first example."""
    node, place = resolve(document, schema, place)
    if "examples" in node or not node.get("properties", {}).get("items", {}).get("items"):
        return node.get("examples", [])
    inner = examples_of(document, node["properties"]["items"]["items"], child(place, "properties", "items", "items"))
    return [{"items": inner[:1], "next": None}] if inner and list(node["properties"]) == ["items", "next"] else []
