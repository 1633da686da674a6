"""Chooses the default handler of an operation, and what this passes to the statement, from the contract alone.

- A GET whose response has `items` is a page if it has the query parameter `cursor`, else a list; every other GET reads
  one resource, and every other method is a write.
- The statement of a page takes the filters, the key of the last item and the limit; every other statement takes the
  values of the path in their order.
- The statement of a write then takes the preconditions that the operation declares (whether If-None-Match was sent,
  the version of If-Match), and last the body, if the operation has one.
"""
from rules import success_of
from source import resolve

PAGE_PARAMETERS = 3


def default_of(document, operation):
    """Returns the default handler (get, list, page or submit) and the least and greatest number of parameters that the
    statement may have."""
    declared = {(node["in"], node["name"].lower()) for node, _ in operation["parameters"]}
    values = sum(where == "path" for where, _ in declared)
    if operation["method"] != "GET":
        values += int("requestBody" in operation["node"])
        preconditions = 2 if ("header", "if-none-match") in declared else int(("header", "if-match") in declared)
        # A statement may take the version without a declared If-Match, too: null unless a client sends the header.
        return "submit", (values + preconditions, values + max(preconditions, 1))
    if not has_items(document, operation):
        return "get", (values, values)
    if ("query", "cursor") in declared:
        return "page", (PAGE_PARAMETERS, PAGE_PARAMETERS)
    return "list", (values, values)


def has_items(document, operation):
    _, response = success_of(document, operation)
    schemas = [resolve(document, media["schema"], operation["place"])[0]
               for media in response.get("content", {}).values() if "schema" in media]
    return any("items" in schema.get("properties", {}) for schema in schemas)


def filters_of(document, operation):
    """Returns the filters and sort orders of a page: each parameter of the query with its values, the default first,
    null if it has any value, or "several" if it takes several values."""
    found = {}
    for node, where in operation["parameters"]:
        if node["in"] == "query" and node["name"] not in ("cursor", "limit", "format"):
            schema = resolve(document, node["schema"], where)[0]
            if schema.get("type") == "array":
                found[node["name"]] = "several"
                continue
            values = ["true", "false"] if schema.get("type") == "boolean" else schema.get("enum")
            first = node["schema"].get("default", schema.get("default"))
            found[node["name"]] = sorted(values, key=lambda value: value != first) if values else None
    return found
