"""Bundles the sources of the contract: bundle.py [--check] SOURCES openapi.yaml.

Writes openapi.yaml, or with --check compares it. SOURCES is a folder: its contract.yaml has what the document begins
with and names the other files in their order. Every other file has paths and components of one subject.
"""
import pathlib
import sys

sys.dont_write_bytecode = True  # the build leaves nothing in the source folder

from source import ContractError, load_contract
from yaml_writer import write_yaml

FIRST = "contract.yaml"
ROOT = ("openapi", "info", "servers", "security", "tags")
COMPONENTS = ("securitySchemes", "parameters", "headers", "responses", "links", "schemas", "examples")
MERGED = ("paths", "webhooks", *COMPONENTS)


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


def bundle(folder):
    """Returns the whole contract as plain values. Raises ContractError."""
    root, parts = read_sources(folder)
    document = {name: root[name] for name in ROOT}
    document.update({name: parts[name] for name in ("x-problems", "paths", "webhooks")})
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
