"""Writes plain values as compact YAML: the same value always gives the same bytes."""
import json
import re

import yaml

WIDTH = 120
LONGEST_FLOW = 2  # lines of an object in braces; a longer one gets a line for each member
DEEPEST_FLOW = 3  # levels of an object within braces
LONG_WORDS = 48  # a text in braces that is longer than this may be broken
RESOLVER = yaml.resolver.Resolver()
PLAIN = re.compile(r"[A-Za-z0-9_/(.$](?:[^\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff:#]|:(?! |$)|(?<! )#)*(?<! )\Z")
ESCAPED = re.compile("[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]")  # only in double quotes
FLOW_UNSAFE = re.compile(r"[,\[\]{}:]")
# Numbers of YAML 1.2 that are none in 1.1.
NUMBER = re.compile(r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0[ox][0-9A-Fa-f]+)\Z")


def is_plain(text, flow):
    if not PLAIN.match(text) or NUMBER.match(text) or (flow and FLOW_UNSAFE.search(text)):
        return False
    return RESOLVER.resolve(yaml.ScalarNode, text, (True, False)) == "tag:yaml.org,2002:str"


def quote(text):
    if ESCAPED.search(text):
        return re.sub(ESCAPED, lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
    return "'" + text.replace("'", "''") + "'"


def scalar(value, flow=True):
    """Returns a scalar, or an empty list or object, on one line."""
    if isinstance(value, str):
        return value if is_plain(value, flow) else quote(value)
    return json.dumps(value, ensure_ascii=False)


def is_scalar(value):
    return not isinstance(value, (dict, list)) or not value


def flow_text(value):
    """Returns the value on one line."""
    if is_scalar(value):
        return scalar(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(flow_text, value)) + "]"
    return "{" + ", ".join(f"{scalar(key)}: {flow_text(each)}" for key, each in value.items()) + "}"


def flow_words(value):
    """Returns the parts of the value in flow style between which a line may end."""
    if is_scalar(value):
        text = scalar(value)
        if not isinstance(value, str) or len(text) <= LONG_WORDS or ESCAPED.search(value) or "  " in value:
            return [text]
        # A line must not end behind the first quotation mark or before the last one.
        return quote(value).split(" ") if value == value.strip() and " " in value else [text]
    words = []
    for index, each in enumerate(value):
        inner = flow_words(value[each]) if isinstance(value, dict) else flow_words(each)
        if isinstance(value, dict):
            inner[0] = f"{scalar(each)}: {inner[0]}"
        inner[-1] += "," if index < len(value) - 1 else ""
        words += inner
    brackets = "{}" if isinstance(value, dict) else "[]"
    words[0] = brackets[0] + words[0]
    words[-1] += brackets[1]
    return words


def fill(words, first, indent):
    """Returns lines: the first begins at the column `first`, the others at `indent`."""
    lines, column = [[]], first
    for word in words:
        if lines[-1] and column + 1 + len(word) > WIDTH:
            lines.append([])
            column = indent
        column += len(word) + (1 if lines[-1] else 0)
        lines[-1].append(word)
    return [" ".join(line) for line in lines]


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((1 + depth(each) for each in inner if not is_scalar(each)), default=0)


def is_dense(value, key):
    """Whether the value is data of an example or a list of words: its lines are filled, however many they are."""
    return key in ("value", "example") or isinstance(value, list) and all(map(is_scalar, value))


def write_text(text, head, indent):
    """Returns the lines of a text that is too long for the line of its key."""
    if ESCAPED.search(text.replace("\n", "")):
        return [head + " " + quote(text)]
    if "\n" in text:
        tail = {0: "-", 1: ""}.get(len(text) - len(text.rstrip("\n")))
        if tail is None or text[:1] in (" ", "\n") or " \n" in text or text.endswith(" "):
            return [head + " " + quote(text)]
        lines = text[:-1].split("\n") if not tail else text.split("\n")
        return [f"{head} |{tail}", *((" " * indent + line).rstrip() for line in lines)]
    if "  " in text or text != text.strip():
        return [head + " " + scalar(text, False)]
    return [head + " >-", *(" " * indent + line for line in fill(text.split(" "), indent, indent))]


def write_member(head, value, indent, key):
    """Returns the lines of a value behind `head`: a key with its colon, or the dash of an item."""
    if is_scalar(value):
        line = f"{head} {scalar(value, False)}"
        if isinstance(value, str) and (len(line) > WIDTH or "\n" in value):
            return write_text(value, head, indent)
        return [line]
    if not is_open(value, key):
        line = f"{head} {flow_text(value)}"
        if len(line) <= WIDTH and depth(value) <= DEEPEST_FLOW:
            return [line]
        lines = fill(flow_words(value), len(head) + 1, indent)
        if is_dense(value, key) or (depth(value) == 0 and len(lines) <= LONGEST_FLOW and len(lines) < len(value)):
            if len(lines) > LONGEST_FLOW and not head.endswith("-"):
                return [head, *(" " * indent + each for each in fill(flow_words(value), indent, indent + 1))]
            return [f"{head} {lines[0]}", *(" " * indent + each for each in lines[1:])]
    if isinstance(value, dict):
        if head.endswith("-"):
            lines = write_block(value, indent)
            return [head + " " + lines[0].lstrip(), *lines[1:]]
        return [head, *write_block(value, indent)]
    items = []
    for each in value:
        items += write_member(" " * indent + "-", each, indent + 2, "example" if key == "examples" else "-")
    return [head, *items]


def is_open(value, key):
    """Whether the members get lines of their own, however short they are."""
    return key in ("responses", "get", "put", "post", "patch", "delete", "properties", "paths", "components", "schemas",
                   "parameters" if isinstance(value, dict) else None)


def write_block(value, indent):
    lines = []
    for key, each in value.items():
        if key.startswith("/") and lines:
            lines.append("")
        lines += write_member(" " * indent + scalar(key, False) + ":", each, indent + 2, key)
    return lines


def write_yaml(document):
    """Returns the document as YAML, with an empty line between its members, and between paths."""
    lines = []
    for key, value in document.items():
        lines += ["", *write_member(f"{scalar(key, False)}:", value, 2, key)] if lines else write_member(
            f"{scalar(key, False)}:", value, 2, key)
    return "\n".join(lines) + "\n"
