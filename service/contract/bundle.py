"""Bundles the sources of the contract: bundle.py [--check] SOURCES openapi.yaml.

Writes openapi.yaml, or with --check compares it. SOURCES is a folder: its contract.yaml has what the document begins
with and names the other files in their order. Every other file has paths and components of one subject.
An operation says only what is special: common headers and common failures are added here.
"""
import pathlib
import sys

sys.dont_write_bytecode = True  # the build leaves nothing in the source folder

from rules import METHODS
from source import ContractError, load_contract
from yaml_writer import write_yaml

FIRST = "contract.yaml"
ROOT = ("openapi", "info", "servers", "security", "tags")
COMPONENTS = ("securitySchemes", "parameters", "headers", "responses", "links", "schemas", "examples")
MERGED = ("paths", *COMPONENTS)
# Headers of every response, and of those to a client that is known by its token.
HEADERS = ("X-Request-Id",)
HEADERS_OF_CLIENTS = ("RateLimit", "RateLimit-Policy")
# Responses that every operation can give, and those that a token was needed for.
FAILURES = {"400": "BadRequest", "500": "InternalServerError", "503": "ServiceUnavailable", "default": "OtherProblem"}
FAILURES_OF_CLIENTS = {"401": "Unauthorized", "403": "Forbidden", "429": "TooManyRequests"}

# Headers of a deprecated operation, next to those of the others.
HEADERS_OF_DEPRECATED = {
    "Deprecation": {"description": "Since when the operation is deprecated (RFC 9745).",
                    "schema": {"type": "string", "maxLength": 32}, "example": "@1796083200"},
    "Sunset": {"description": "The first day on which the operation may be gone (RFC 8594).",
               "schema": {"type": "string", "maxLength": 32}, "example": "Wed, 01 Dec 2027 00:00:00 GMT"}}


def read_source(path):
    try:
        return load_contract(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContractError(path.name, error.strerror) from error
    except ContractError as error:
        raise ContractError(path.name, str(error)) from error


def merge_file(parts, name, source):
    """Adds the members of one file. Raises ContractError for what another file has already."""
    for kind, members in source.items():
        if kind == "x-problems" and kind not in parts:
            parts[kind] = members
            continue
        if kind not in MERGED:
            raise ContractError(name, f"'{kind}' is not possible here, or another file has it")
        merged = parts.setdefault(kind, {})
        for key, value in members.items():
            if key in merged:
                raise ContractError(name, f"{kind}: another file has '{key}' already")
            merged[key] = value


def read_sources(folder):
    """Returns the root members and the merged members of all files."""
    root = read_source(folder / FIRST)
    names = root.pop("files", [])
    if set(root) != set(ROOT):
        raise ContractError(FIRST, "expected are files, " + ", ".join(ROOT))
    present = {path.name for path in folder.glob("*.yaml")} - {FIRST}
    if len(set(names)) != len(names) or {f"{name}.yaml" for name in names} != present:
        raise ContractError(FIRST, f"'files' must name each other file of {folder.name} once")
    parts = {}
    for name in names:
        merge_file(parts, f"{name}.yaml", read_source(folder / f"{name}.yaml"))
    return root, parts


def reference(kind, name):
    return {"$ref": f"#/components/{kind}/{name}"}


def complete_response(response, is_known):
    """Returns the response with the headers that all responses have. `is_known`: a token names the client."""
    if "$ref" in response:
        return response
    names = HEADERS + HEADERS_OF_CLIENTS if is_known else HEADERS
    headers = {name: reference("headers", name) for name in names} | response.get("headers", {})
    first = {key: response[key] for key in ("description",) if key in response}
    return first | {"headers": headers} | {key: response[key] for key in response if key != "headers"}


def complete_operation(operation):
    """Adds what the operations do not say themselves: common headers, and the failures that each of them can have."""
    is_known = operation.get("security") != []
    failures = FAILURES | FAILURES_OF_CLIENTS if is_known else FAILURES
    own = operation.get("responses", {})
    success = {code: complete_response(own[code], is_known) for code in own if code.startswith("2")}
    for response in success.values():
        if operation.get("deprecated") and "headers" in response:
            response["headers"].update(HEADERS_OF_DEPRECATED)
    others = {code: reference("responses", name) for code, name in failures.items()}
    others |= {code: own[code] for code in own if code not in success}
    operation["responses"] = success | {code: others[code] for code in sorted(others)}


def bundle(folder):
    """Returns the whole contract as plain values. Raises ContractError."""
    root, parts = read_sources(folder)
    for name in ("x-problems", "paths"):
        if name not in parts:
            raise ContractError(FIRST, f"no file has '{name}'")
    if "responses" in parts:
        parts["responses"] = {name: complete_response(each, name != "Unauthorized")
                              for name, each in parts["responses"].items()}
    for item in parts["paths"].values():
        for method in METHODS:
            if method in item:
                complete_operation(item[method])
    document = {name: root[name] for name in ROOT}
    document.update({name: parts[name] for name in ("x-problems", "paths")})
    document["components"] = {name: parts[name] for name in COMPONENTS if name in parts}
    return document


def main(arguments):
    check = arguments[1:2] == ["--check"]
    if len(arguments) != 3 + check:
        print("usage: bundle.py [--check] SOURCES openapi.yaml", file=sys.stderr)
        return 2
    folder, target = map(pathlib.Path, arguments[-2:])
    try:
        text = write_yaml(bundle(folder))
    except ContractError as error:
        print(f"{folder}/{error}", file=sys.stderr)
        return 1
    if not check:
        target.write_text(text, encoding="utf-8")
    elif not target.exists() or target.read_text(encoding="utf-8") != text:
        print(f"{target.name} is not what {folder} gives. Renew it: cmake --build build --target contract",
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
