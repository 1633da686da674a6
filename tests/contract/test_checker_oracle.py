"""Compares the compiled checker with python3-jsonschema: thousands of bodies, no difference.

LR_CHECK_DRIVER is the path of the driver program (tests/contract/check_driver.c).
LR_ORACLE_BODIES is the number of bodies for each schema (600 unless given).
"""
import copy
import datetime
import json
import os
import pathlib
import random
import re
import subprocess
import sys

import jsonschema
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "service" / "contract"))
from source import examples_of, load_contract, resolve  # noqa: E402

DRIVER = os.environ.get("LR_CHECK_DRIVER")
BODIES = int(os.environ.get("LR_ORACLE_BODIES", "600"))
CONTRACT = load_contract((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
VALIDATOR = getattr(jsonschema, "Draft202012Validator", jsonschema.Draft7Validator)
FORMATS = jsonschema.FormatChecker(formats=())
JUNK = [None, True, False, 0, 1, -1, 1.0, 7.0, 1.5, 26, 1e300, -(2**63), 2**63 - 1, "", "x", "é",
        "null", [], {}, [None], {"x": 1}, "2026-02-29", "2024-02-29", "0000-01-01", "S12000049",
        "GLA", "GLA\n", "unknown", "a" * 65, "\U0001F9F8" * 64, " ", "\u2028", "2026-1-1",
        "018f2d3e-0000-7000-8000-000000000000", "018f2d3e-0000-7000-8000-00000000000g",
        "{018f2d3e-0000-7000-8000-00000000000}", "2026-01-01T00:00:00Z", "２０２６-01-01"]
ALPHABET = "ab zA09._:/-é\u00df\u4e2d\U0001F600\n\t\"\\\u2028"


@FORMATS.checks("date")
def is_date(value):
    if not isinstance(value, str):
        return True
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        datetime.date(int(value[:4]), int(value[5:7]), int(value[8:]))
    except ValueError:
        return False
    return True


PLAIN = r"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})"
URI = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:"
    rf"(?://(?:(?:{PLAIN}|:)*@)?(?:\[(?:{PLAIN}|:)+\]|{PLAIN}*)(?::[0-9]*)?(?=[/?#]|\Z)|(?!//))"
    rf"(?:{PLAIN}|[:@/])*(?:\?(?:{PLAIN}|[:@/?])*)?(?:#(?:{PLAIN}|[:@/?])*)?")


@FORMATS.checks("uri")
def is_uri(value):
    return not isinstance(value, str) or URI.fullmatch(value) is not None


@FORMATS.checks("date-time")
def is_date_time(value):
    if not isinstance(value, str):
        return True
    parts = re.fullmatch(r"(.{10})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?"
                         r"(?:[Zz]|[+-]([0-9]{2}):([0-9]{2}))", value)
    if not parts or not is_date(parts[1]):
        return False
    hour, minute, second, east, part = (int(each or 0) for each in parts.groups()[1:])
    return hour < 24 and minute < 60 and second < 60 and east < 24 and part < 60


@FORMATS.checks("uuid")
def is_uuid(value):
    pattern = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    return not isinstance(value, str) or re.fullmatch(pattern, value) is not None


def inline(node, place="#"):
    """Returns the schema with references replaced, and `$` meaning the very end."""
    node, place = resolve(CONTRACT, node, place)
    made = dict(node)
    if "pattern" in made:
        # Python's $ also matches before a last newline; ECMA's does not.
        made["pattern"] = re.sub(r"(?<!\\)\$$", r"\\Z", made["pattern"])
    if "properties" in made:
        made["properties"] = {k: inline(v, place) for k, v in made["properties"].items()}
    if "items" in made:
        made["items"] = inline(made["items"], place)
    return made


def request_bodies():
    """Yields operationId, media type, schema and valid examples of each body."""
    for path, item in CONTRACT["paths"].items():
        for operation in (each for key, each in item.items() if isinstance(each, dict)):
            if "requestBody" not in operation:
                continue
            body, _ = resolve(CONTRACT, operation["requestBody"], path)
            for media_type, media in body["content"].items():
                examples = examples_of(CONTRACT, media["schema"], path)
                yield operation["operationId"], media_type, inline(media["schema"]), examples


CASES = list(request_bodies())


def random_text(source, schema):
    if "enum" in schema and source.random() < 0.9:
        return source.choice(schema["enum"])
    if schema.get("format") == "date":
        year, month, day = source.randint(1999, 2030), source.randint(1, 13), source.randint(1, 31)
        return f"{year:04}-{month:02}-{day:02}"
    if schema.get("format") == "uuid":
        return "".join(c if c != "x" else source.choice("0123456789abcdefABCDEF")
                       for c in "xxxxxxxx-xxxx-7xxx-8xxx-xxxxxxxxxxxx")
    most = schema.get("maxLength", 20)
    length = source.choice([0, 1, 3, 9, most, most + 1])
    return "".join(source.choice(ALPHABET) for _ in range(length))


def random_value(source, schema):
    """Returns a value that is usually close to one that the schema allows."""
    if source.random() < 0.03:
        return copy.deepcopy(source.choice(JUNK))
    types = schema.get("type", "object")
    kind = source.choice(types) if isinstance(types, list) else types
    if kind == "object":
        return {name: random_value(source, inner)
                for name, inner in schema.get("properties", {}).items()
                if source.random() < (0.97 if name in schema.get("required", []) else 0.6)}
    if kind == "array":
        most = min(schema.get("maxItems", 4), 4) + (1 if schema.get("maxItems", 9) <= 20 else 0)
        count = source.randint(0, source.choice([1, 2, most]))
        return [random_value(source, schema["items"]) for _ in range(count)]
    if kind in ("integer", "number"):
        low, high = schema.get("minimum", -5), schema.get("maximum", 5)
        value = source.randint(low - 1, min(high, 2**40) + 1)
        return float(value) if source.random() < 0.2 else value
    if kind == "boolean":
        return source.random() < 0.5
    return None if kind == "null" else random_text(source, schema)


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(
        value if isinstance(value, list) else [])
    for key, each in inner:
        yield from places(each, (*path, key))


def mutate_whole(source, body):
    if isinstance(body, dict) and source.random() < 0.8:
        return {**body, "unknown~/x": 1}
    return body + body if isinstance(body, list) else source.choice(JUNK)


def mutate(source, body):
    """Returns a copy of the body with one value changed."""
    path = source.choice(list(places(body)))
    if not path:
        return copy.deepcopy(mutate_whole(source, body))
    made = copy.deepcopy(body)
    holder = made
    for key in path[:-1]:
        holder = holder[key]
    value = holder[path[-1]]
    choice = source.randrange(6)
    if choice == 0:
        del holder[path[-1]]
    elif choice == 1:
        holder[path[-1]] = copy.deepcopy(source.choice(JUNK))
    elif choice == 2 and isinstance(value, str):
        holder[path[-1]] = value + source.choice(["\n", "x", "é", "/", "a" * 4100, "😀" * 2000])
    elif choice == 3 and isinstance(value, list):
        holder[path[-1]] = value + value + [None] * source.randrange(2)
    elif choice == 4 and isinstance(value, dict):
        value["extra"] = source.choice(JUNK)
    elif choice == 5 and isinstance(value, int):
        holder[path[-1]] = source.choice([float(value), value + 100, -value - 1, value + 0.5])
    return made


def generate(schema, examples, seed):
    source = random.Random(seed)
    yield from examples
    for index in range(BODIES):
        if examples and index % 3:
            body = source.choice(examples)
            for _ in range(source.choice([1, 1, 1, 2, 5])):
                body = mutate(source, body)
            yield body
        else:
            yield random_value(source, schema)


@pytest.fixture(name="driver")
def find_driver():
    if not DRIVER:
        pytest.skip("LR_CHECK_DRIVER is not set: THE CHECKER WAS NOT COMPARED WITH THE ORACLE")
    return DRIVER


def ask(driver, operation, media_type, bodies):
    lines = "".join(f"{operation}\t{media_type}\t{json.dumps(each, ensure_ascii=index % 2 == 0)}\n"
                    for index, each in enumerate(bodies))
    run = subprocess.run([driver], input=lines.encode("utf-8"), stdout=subprocess.PIPE,
                         check=True, timeout=300)
    return run.stdout.decode("utf-8").split("\n")[:-1]


@pytest.mark.parametrize("case", CASES, ids=[f"{each[0]}-{each[1]}" for each in CASES])
def test_checker_and_oracle_agree(driver, case):
    operation, media_type, schema, examples = case
    if media_type == "application/x-ndjson":
        examples = [json.loads(line) if isinstance(each, str) else each for each in examples
                    for line in (each.splitlines() if isinstance(each, str) else [each])]
    bodies = list(generate(schema, examples, f"{operation} {media_type}"))
    validator = VALIDATOR(schema, format_checker=FORMATS)
    answers = ask(driver, operation, media_type, bodies)
    assert len(answers) == len(bodies)
    assert answers[:len(examples)] == ["ok"] * len(examples), "an example violates the contract"
    different, valid = [], 0
    for body, answer in zip(bodies, answers):
        expected = validator.is_valid(body)
        valid += expected
        if expected != (answer == "ok"):
            different.append((expected, answer, json.dumps(body)[:2000]))
    assert not different, different[:3]
    assert 0 < valid < len(bodies), "all bodies have the same verdict: the generator is useless"
