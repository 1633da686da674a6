"""Compiles the contract for the build: compile.py openapi.yaml OUTDIR.

Writes contract_tables.c (routes, schemas, problems, documents), contract_handlers.h, operations.json (for bind.py),
openapi.json and, for tests, handler_stubs.c.
"""
import json
import os
import sys

sys.dont_write_bytecode = True  # the build leaves nothing in the source folder

from names import check_type_names
from rules import (METHODS, check_known, check_operation, check_parameter, check_problems,
                   check_schema)
from schema_tables import render_handlers, render_operations, render_stubs, render_tables
from source import ContractError, child, load_contract, resolve


def collect_parameters(document, item, operation, place):
    """Returns the parameters of the path and of the operation, the latter winning."""
    found = {}
    for holder, where in ((item, child(place)), (operation, place)):
        for index, parameter in enumerate(holder.get("parameters", [])):
            node, at = resolve(document, parameter, child(where, "parameters", index))
            check_parameter(document, node, at)
            key = (node["name"], node["in"])
            if key in found and holder is operation and found[key][1] is operation:
                raise ContractError(at, f"the parameter '{node['name']}' is there twice")
            found[key] = (node, holder, at)
    return [(node, at) for node, _, at in found.values()]


def collect_operations(document):
    """Returns the checked operations in the order in which the router wants them.

    '{' sorts after every character of a literal segment, so that literal segments come first.
    """
    operations, ids = [], set()
    for path, item in document.get("paths", {}).items():
        check_known(item, set(METHODS) | {"parameters", "summary", "description"},
                    child("#/paths", path))
        for method in METHODS:
            if method not in item:
                continue
            place = child("#/paths", path, method)
            operation = item[method]
            check_operation(document, operation, place)
            if operation["operationId"] in ids:
                raise ContractError(place, f"operationId '{operation['operationId']}' again")
            ids.add(operation["operationId"])
            check_path(path, place)
            parameters = collect_parameters(document, item, operation, place)
            check_names(path, parameters, place)
            operations.append({"path": path, "method": method.upper(), "node": operation,
                               "place": place, "parameters": parameters})
    if not operations:
        raise ContractError("#/paths", "no operation")
    return sorted(operations, key=lambda each: (each["path"].split("/"), each["method"]))


def collect_webhooks(document):
    """Returns the checked requests that the service itself sends, for the documentation."""
    found = []
    for place, name, item in callbacks_of(document):
        check_known(item, {"post"}, place)
        place = child(place, "post")
        check_operation(document, item["post"], place)
        found.append({"path": name, "method": "POST", "node": item["post"], "webhook": True,
                      "parameters": collect_parameters(document, {}, item["post"], place)})
    return found


def callbacks_of(document):
    """Yields the place, name and path item of each request that the service sends. They are callbacks, not `webhooks`:
    generators of clients that do not know `webhooks` drop their schemas, or make operations of a client of them."""
    for path, item in document["paths"].items():
        for method in METHODS:
            for name, callback in item.get(method, {}).get("callbacks", {}).items():
                for expression, target in callback.items():
                    yield child("#/paths", path, method, "callbacks", name, expression), name, target


def check_path(path, place):
    segments = path.split("/")[1:]
    whole = all(s[:1] + s[-1:] == "{}" or not set(s) & set("{}") for s in segments)
    if not path.startswith("/") or not whole or (path != "/" and "" in segments):
        raise ContractError(place, "each segment is a literal or one {parameter}")
    if sum(s.startswith("{") for s in segments) > 4 or len(segments) > 16:
        raise ContractError(place, "too many segments or parameters in the path")


def check_names(path, parameters, place):
    in_path = {s[1:-1] for s in path.split("/") if s.startswith("{")}
    declared = {node["name"] for node, _ in parameters if node["in"] == "path"}
    if in_path != declared:
        raise ContractError(place, "the path and its declared parameters do not agree")


def check_components(document):
    check_type_names(document)
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        check_schema(document, schema, child("#/components/schemas", name))
    if not isinstance(document.get("info", {}).get("version"), str):
        raise ContractError("#/info/version", "a string is expected")


def write_file(folder, name, content):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def compile_contract(source, folder):
    with open(source, "rb") as file:
        yaml_bytes = file.read()
    document = load_contract(yaml_bytes.decode("utf-8"))
    check_components(document)
    check_problems(document.get("x-problems"), "#/x-problems")
    operations = collect_operations(document)
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    json_bytes = text.encode("utf-8") + b"\n"
    tables = render_tables(document, operations, {"yaml": yaml_bytes, "json": json_bytes}).encode("utf-8")
    os.makedirs(folder, exist_ok=True)
    write_file(folder, "openapi.json", json_bytes)
    write_file(folder, "contract_handlers.h", render_handlers(operations).encode("utf-8"))
    write_file(folder, "operations.json", render_operations(document, operations).encode("utf-8"))
    write_file(folder, "handler_stubs.c", render_stubs(operations).encode("utf-8"))
    write_file(folder, "contract_tables.c", tables)


def main(arguments):
    if len(arguments) != 3:
        print("usage: compile.py openapi.yaml OUTDIR", file=sys.stderr)
        return 2
    try:
        compile_contract(arguments[1], arguments[2])
    except ContractError as error:
        print(f"{arguments[1]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
