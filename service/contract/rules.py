"""Refuses what the service's tables cannot express or what a good contract needs."""
import datetime
import re

from source import ContractError, child, resolve

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
FORMATS = ("date", "date-time", "uuid", "uri", "uri-reference")
ANNOTATIONS = {"description", "title", "examples", "example", "deprecated", "default"}
KEYWORDS = ANNOTATIONS | {
    "type", "enum", "const", "required", "properties", "additionalProperties", "minProperties",
    "items", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "format",
    "minimum", "maximum", "$ref", "oneOf", "x-free-text", "x-identifier", "x-reference",
}
SIZES = ("minProperties", "minItems", "maxItems", "minLength", "maxLength")
AUDITS = ("none", "read", "change")
METHODS = ("get", "post", "put", "patch", "delete")
OPERATION = {
    "operationId", "tags", "summary", "description", "security", "parameters", "requestBody",
    "responses", "callbacks", "deprecated", "externalDocs", "x-deprecated", "x-sunset", "x-audit",
}
PARAMETER = {
    "name", "in", "required", "description", "schema", "example", "examples", "style", "explode",
    "deprecated",
}
BODY = {"description", "required", "content", "x-max-bytes"}
RESPONSE = {"description", "headers", "content", "links"}
PROBLEM = ("code", "status", "title", "meaning", "retryable", "what_to_do")
UNIQUE_ITEMS_MAX = 1000
QUANTIFIER = re.compile(r"[*+?]|\{(\d+)(,?)(\d*)\}")


def check_known(node, known, place):
    for key in node:
        if key not in known:
            raise ContractError(place, f"unknown keyword '{key}'")


def check_pattern(pattern, place):
    """Refuses what may take exponential time, and what regular expression dialects disagree on."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ContractError(place, f"not a regular expression: {error}") from error
    varying = [False]
    position = 0
    while position < len(pattern):
        quantifier = QUANTIFIER.match(pattern, position)
        if not quantifier:
            position = step_pattern(pattern, position, varying, place)
            continue
        varying[-1] = varying[-1] or not is_fixed(quantifier)
        position = quantifier.end()
        if pattern.startswith("+", position):
            raise ContractError(place, "possessive quantifiers are not ECMA")


def is_fixed(quantifier):
    return quantifier[0].startswith("{") and not quantifier[2]


def step_pattern(pattern, position, varying, place):
    """Returns the position after the escape, class, bracket or character that starts here."""
    character = pattern[position]
    if character == "\\":
        if pattern[position + 1].isalnum():
            raise ContractError(place, "only punctuation may be escaped in a pattern")
        return position + 2
    if character == "[":
        return end_of_class(pattern, position)
    if character == "(":
        plain = not pattern.startswith("(?", position)
        if not plain and not pattern.startswith("(?:", position):
            raise ContractError(place, "only plain and (?:...) groups are allowed in a pattern")
        varying.append(False)
        return position + (1 if plain else 3)
    if character == ")":
        inner = varying.pop()
        quantifier = QUANTIFIER.match(pattern, position + 1)
        if inner and quantifier and quantifier[0] not in ("?", "{0,1}", "{1}"):
            raise ContractError(place, "nested quantifier in the pattern")
        # A group around this one repeats what varies in here, too.
        varying[-1] = varying[-1] or inner
    return position + 1


def end_of_class(pattern, position):
    position += 2 if pattern.startswith("[^", position) else 1
    first = position
    while pattern[position] != "]" or position == first:
        position += 2 if pattern[position] == "\\" else 1
    return position + 1


def schema_types(schema, place):
    """Returns the list of type names of the schema; empty when any type is allowed."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if not isinstance(types, list) or not set(map(str, types)) <= set(TYPES):
        raise ContractError(place, f"unknown type {types!r}")
    return types


def check_schema(document, schema, place):
    """Checks one schema and those inside it. Raises ContractError."""
    if not isinstance(schema, dict):
        raise ContractError(place, "a schema must be a mapping")
    check_known(schema, KEYWORDS, place)
    if "$ref" in schema:
        check_known(schema, ANNOTATIONS | {"$ref"}, place)
        resolve(document, schema, place)
        return
    types = schema_types(schema, place)
    check_scalars(schema, types, place)
    check_reference(document, schema, place)
    for name, inner in schema.get("properties", {}).items():
        check_schema(document, inner, child(place, "properties", name))
    if "items" in schema:
        check_schema(document, schema["items"], child(place, "items"))
    for index, inner in enumerate(schema.get("oneOf", [])):
        check_schema(document, inner, child(place, "oneOf", index))
    for name in schema.get("required", []):
        if name not in schema.get("properties", {}):
            raise ContractError(child(place, "required"), f"'{name}' is not among the properties")


def check_reference(document, schema, place):
    """The codes of a schema are listed by an operation of the contract."""
    address = schema.get("x-reference")
    templates = (re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
                 for path, item in document["paths"].items() if "get" in item)
    if address is not None and not any(re.fullmatch(template, address) for template in templates):
        raise ContractError(child(place, "x-reference"), "is not the address of a GET of the contract")


def check_scalars(schema, types, place):
    for key in SIZES:
        value = schema.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise ContractError(child(place, key), "a whole number of 0 or more is expected")
    for key in ("minimum", "maximum"):
        value = schema.get(key, 0)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
            raise ContractError(child(place, key), "a whole number of 64 bits is expected")
    for key in ("additionalProperties", "uniqueItems", "x-free-text", "x-identifier", "deprecated"):
        if not isinstance(schema.get(key, False), bool):
            raise ContractError(child(place, key), "true or false is expected")
    if schema.get("format", FORMATS[0]) not in FORMATS:
        raise ContractError(child(place, "format"), f"unknown format '{schema['format']}'")
    if "pattern" in schema:
        check_pattern(schema["pattern"], child(place, "pattern"))
    for key in ("pattern", "format", "minLength", "maxLength", "x-free-text", "x-identifier", "enum", "const"):
        if key in schema and not set(types) - {"null"} == {"string"}:
            raise ContractError(child(place, key), "only for the types string and null")
    if schema.get("uniqueItems") and schema.get("maxItems", 2**31) > UNIQUE_ITEMS_MAX:
        raise ContractError(place, f"uniqueItems needs maxItems of at most {UNIQUE_ITEMS_MAX}")
    check_choices(schema, place)


def check_choices(schema, place):
    choices = schema.get("enum", [])
    if "enum" in schema and (not isinstance(choices, list) or not choices):
        raise ContractError(child(place, "enum"), "a list of values is expected")
    for value in [*choices, schema.get("const", "")]:
        if not isinstance(value, (str, type(None))):
            raise ContractError(place, "enum and const may hold strings and null only")
    if "enum" in schema and "const" in schema:
        raise ContractError(place, "enum and const exclude each other")
    if len(set(choices)) != len(choices):
        raise ContractError(child(place, "enum"), "a value is there twice")


def check_operation(document, operation, place):
    check_known(operation, OPERATION, place)
    for key in ("operationId", "summary", "description", "security", "responses"):
        if operation.get(key) in (None, "") and operation.get(key) != []:
            raise ContractError(place, f"'{key}' is missing")
    # The names of the handler in C and of the statement in SQL are derived from it: getUrl, not getURL.
    if not re.fullmatch(r"[a-z][a-z0-9]*([A-Z][a-z0-9]+)*", operation["operationId"]):
        raise ContractError(child(place, "operationId"), "must be in camelCase, without two capitals in a row")
    if not any(re.fullmatch(r"2\d\d", code) for code in operation["responses"]):
        raise ContractError(place, "no response with a status of 2xx")
    check_security(document, operation["security"], child(place, "security"))
    check_body(document, operation, place)
    if operation.get("x-audit", "none") not in AUDITS:
        raise ContractError(child(place, "x-audit"), "has to be one of " + ", ".join(AUDITS))
    check_deprecation(operation, place)
    for code, response in operation["responses"].items():
        if not re.fullmatch(r"[1-5]\d\d|default", code):
            raise ContractError(child(place, "responses", code), "not a status")
        response, where = resolve(document, response, child(place, "responses", code))
        check_known(response, RESPONSE, where)
        check_content(document, response.get("content", {}), where)


def check_deprecation(operation, place):
    """A deprecated operation says since when, and until when it works at least: a year, as the guide promises."""
    days = [operation.get(name) for name in ("x-deprecated", "x-sunset")]
    if not operation.get("deprecated"):
        if days != [None, None]:
            raise ContractError(place, "has x-deprecated or x-sunset without 'deprecated: true'")
        return
    try:
        since, until = map(datetime.date.fromisoformat, days)
    except (TypeError, ValueError):
        raise ContractError(place, "'deprecated' needs the dates x-deprecated and x-sunset") from None
    if (until - since).days < 365:
        raise ContractError(child(place, "x-sunset"), "must be 12 months or more after x-deprecated")


def audit_of(operation):
    """Returns how the audit trail records an operation: what needs a scope is, unless the contract says otherwise."""
    node = operation["node"]
    scoped = scopes_of(node["security"])
    usual = "none" if not scoped else "read" if operation["method"] == "GET" else "change"
    return node.get("x-audit", usual)


def success_of(document, operation):
    """Returns the first status of 2xx that the operation names, and its response."""
    responses = operation["node"]["responses"]
    status = next(code for code in responses if code.startswith("2"))
    return status, resolve(document, responses[status], operation["place"])[0]


def collection_of(operation):
    """Returns what the identifiers in the audit trail are of: the segment behind the version."""
    match = re.match(r"/v[0-9]+/([a-z-]+)", operation["path"])
    return match[1] if match else ""


def check_security(document, security, place):
    if security == []:
        return
    needed = [each for each in security if each != {}] if isinstance(security, list) else []
    if len(needed) != 1 or list(needed[0]) != ["oauth2"] or security not in (needed, [{}, *needed]):
        raise ContractError(place, "must be [] or the single entry oauth2, with or without {} before it")
    flows = document["components"]["securitySchemes"]["oauth2"]["flows"]
    known = {scope for flow in flows.values() for scope in flow["scopes"]}
    for scope in scopes_of(security):
        if scope not in known:
            raise ContractError(place, f"the scope '{scope}' is not declared")


def scopes_of(security):
    """Returns the scopes that a token needs for an operation with this security."""
    return [scope for each in security for scope in each.get("oauth2", [])]


def check_content(document, content, place):
    for media_type, media in content.items():
        where = child(place, "content", media_type)
        check_known(media, {"schema", "example", "examples", "x-columns"}, where)
        if "schema" in media:
            check_schema(document, media["schema"], child(where, "schema"))
        if "x-columns" in media:
            check_columns(document, content, media["x-columns"], child(where, "x-columns"))
        for name, example in media.get("examples", {}).items():
            resolve(document, example, child(where, "examples", name))


def check_columns(document, content, columns, place):
    """Each column of CSV is a member of the items of the JSON: a text, whole number or boolean, or a list of these."""
    json_schema = content.get("application/json", {}).get("schema", {})
    items = resolve(document, json_schema, place)[0].get("properties", {}).get("items", {}).get("items", {})
    if not isinstance(columns, list) or not columns or len(set(map(str, columns))) != len(columns):
        raise ContractError(place, "a list of different names is expected")
    for column in columns:
        schema = items
        for name in str(column).split("."):
            schema = resolve(document, schema, place)[0].get("properties", {}).get(name)
            if schema is None:
                raise ContractError(place, f"'{column}' is no member of the items")
        if not is_cell(document, schema, place):
            raise ContractError(place, f"'{column}' is no text, whole number, boolean or list of texts")


def is_cell(document, schema, place):
    schema = resolve(document, schema, place)[0]
    if "oneOf" in schema:
        return all(is_cell(document, each, place) for each in schema["oneOf"])
    types = set(schema_types(schema, place)) - {"null"}
    if types == {"array"}:
        return set(schema_types(resolve(document, schema["items"], place)[0], place)) == {"string"}
    return types <= {"string", "integer", "boolean"}


def check_body(document, operation, place):
    if "requestBody" not in operation:
        return
    body, where = resolve(document, operation["requestBody"], child(place, "requestBody"))
    check_known(body, BODY, where)
    if not body.get("content"):
        raise ContractError(where, "'content' is missing")
    check_content(document, body["content"], where)
    for media_type, media in body["content"].items():
        if "schema" not in media:
            raise ContractError(child(where, "content", media_type), "'schema' is missing")


def check_parameter(document, parameter, place):
    check_known(parameter, PARAMETER, place)
    for key in ("name", "in", "schema"):
        if key not in parameter:
            raise ContractError(place, f"'{key}' is missing")
    if parameter["in"] not in ("path", "query", "header"):
        raise ContractError(child(place, "in"), "has to be path, query or header")
    if parameter["in"] == "path" and parameter.get("required") is not True:
        raise ContractError(place, "a path parameter must be required")
    if parameter["name"].lower() in ("accept", "content-type", "authorization"):
        raise ContractError(place, "this header is not a parameter in OpenAPI")
    check_schema(document, parameter["schema"], child(place, "schema"))
    schema, where = resolve(document, parameter["schema"], child(place, "schema"))
    types = schema_types(schema, where)
    if len(types) != 1 or types[0] not in ("string", "integer", "boolean", "array"):
        raise ContractError(where, "a parameter is a string, integer, boolean or array")
    if types == ["array"]:
        check_list(document, parameter, schema, place)


def check_list(document, parameter, schema, place):
    if parameter["in"] != "query" or parameter.get("explode", True) is not False:
        raise ContractError(place, "a list must be in the query with explode: false")
    items, where = resolve(document, schema.get("items"), child(place, "schema", "items"))
    if schema_types(items, where) not in (["string"], ["integer"], ["boolean"]):
        raise ContractError(where, "an item is a string, integer or boolean")


def check_problems(problems, place):
    if not isinstance(problems, list) or not problems:
        raise ContractError(place, "the catalogue of problems is missing")
    seen = set()
    for index, problem in enumerate(problems):
        where = child(place, index)
        check_known(problem, PROBLEM, where)
        for key in PROBLEM:
            expected = {"status": int, "retryable": bool}.get(key, str)
            if type(problem.get(key)) is not expected:
                raise ContractError(where, f"'{key}' is missing or of the wrong type")
        if problem["code"] in seen:
            raise ContractError(where, f"the code '{problem['code']}' is there twice")
        seen.add(problem["code"])
