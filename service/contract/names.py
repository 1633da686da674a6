"""Refuses names in the contract that generators of clients cannot turn into types."""
import re

from source import ContractError, child


def pascal_case(name):
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))


def values_of(schema):
    """Returns the values of an enumeration without null, or None."""
    values = schema.get("enum")
    return frozenset(value for value in values if value is not None) if isinstance(values, list) else None


def collect_names(document):
    """Returns the place of each component by the name of its type. Raises ContractError for one that is used twice."""
    places = {}
    for kind, components in document.get("components", {}).items():
        for name in components:
            place, key = child("#/components", kind, name), pascal_case(name).lower()
            if key in places:
                raise ContractError(place, f"{places[key]} has the same name for generators of clients; rename one")
            places[key] = place
            made = re.match("(New|Nullable)([A-Z].*)", name) if kind == "schemas" else None
            if made:
                better = made[2] + {"New": "Input", "Nullable": "OrNull"}[made[1]]
                raise ContractError(place, f"generated Go has {name} for a schema {made[2]}; write {better}")
    return places


def inner_schemas(schema, place, name):
    """Yields the schemas inside: schema, place, name of the type that a generator makes of it."""
    inner = [(each, ("properties", key), key) for key, each in schema.get("properties", {}).items()]
    inner += [(schema["items"], ("items",), "item")] if "items" in schema else []
    inner += [(each, ("oneOf", index), str(index)) for index, each in enumerate(schema.get("oneOf", []))]
    for each, steps, key in inner:
        if isinstance(each, dict):
            made = name + pascal_case(key)
            yield each, child(place, *steps), made
            yield from inner_schemas(each, child(place, *steps), made)


def schemas_of(document):
    """Yields all schemas in the components and in parameters of operations: schema, place, name of the type."""
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        yield schema, child("#/components/schemas", name), name
        yield from inner_schemas(schema, child("#/components/schemas", name), name)
    holders = [(each, child("#/components/parameters", name))
               for name, each in document.get("components", {}).get("parameters", {}).items()]
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            if isinstance(operation, dict):
                place = child("#/paths", path, method, "parameters")
                holders += [(each, child(place, index)) for index, each in enumerate(operation.get("parameters", []))]
    for parameter, place in holders:
        if isinstance(parameter.get("schema"), dict):
            yield parameter["schema"], child(place, "schema"), ""
            yield from inner_schemas(parameter["schema"], child(place, "schema"), "")


def check_type_names(document):
    """Raises ContractError for the first name or copy that generators stumble over."""
    places = collect_names(document)
    named = {}
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        named.setdefault(values_of(schema), name)
    for schema, place, made in schemas_of(document):
        is_named = place == child("#/components/schemas", made)
        values = values_of(schema)
        if not made and "$ref" in schema and len(schema) > 1:
            raise ContractError(place, "generated Python loses the type of a parameter with members next to $ref")
        if values and not is_named and values in named:
            raise ContractError(child(place, "enum"), f"copies the enumeration {named[values]}; refer to it")
        if values and not is_named and made.lower() in places:
            raise ContractError(place, f"generators name this enumeration {made}, as {places[made.lower()]}")
        if schema.get("default") == []:
            raise ContractError(child(place, "default"), "generated Go does not compile; an absent list is empty")
        if isinstance(schema.get("type"), list) and {"object", "null"} <= set(schema["type"]):
            raise ContractError(place, "an object or null is oneOf a component and {type: 'null'}")
