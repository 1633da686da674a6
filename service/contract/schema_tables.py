"""Writes the checked contract as C tables; the same contract always gives the same bytes."""
import datetime
import email.utils
import json
import re

from defaults import default_of, filters_of
from rules import audit_of, collection_of, schema_types, scopes_of, success_of
from source import ContractError, child, resolve

DEPTH_MAX = 24
USUAL_BYTES, USUAL_PAGE = 65536, 200
TYPE_BITS = {"null": "TYPE_NULL", "boolean": "TYPE_BOOLEAN", "integer": "TYPE_INTEGER",
             "number": "TYPE_NUMBER", "string": "TYPE_STRING", "array": "TYPE_ARRAY",
             "object": "TYPE_OBJECT"}
FORMAT_NAMES = {"date": "FORMAT_DATE", "date-time": "FORMAT_DATE_TIME", "uuid": "FORMAT_UUID",
                "uri": "FORMAT_URI", "uri-reference": "FORMAT_URI_REFERENCE"}
DEFAULT_TYPES = {str: "JSON_STRING", int: "JSON_INTEGER", float: "JSON_REAL", list: "JSON_ARRAY",
                 dict: "JSON_OBJECT", type(None): "JSON_NULL"}


def c_string(value):
    """Returns the text or bytes as one C string literal."""
    data = value.encode("utf-8") if isinstance(value, str) else value
    return '"' + "".join(map(c_byte, data)) + '"'


def c_byte(byte):
    # '?' is escaped because -std=c17 still knows trigraphs.
    special = {0x0A: "\\n", 0x22: '\\"', 0x5C: "\\\\", 0x3F: "\\?"}
    if byte in special:
        return special[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def c_bytes(data):
    """Returns the bytes as lines of string literals: much faster to compile than lists of numbers."""
    return "\n".join("    " + c_string(data[at:at + 96]) for at in range(0, len(data), 96))


def c_bool(value):
    return "true" if value else "false"


def c_bound(value):
    """Returns a 64-bit constant; the least one cannot be written as a literal."""
    return "INT64_MIN" if value == -(2**63) else f"INT64_C({value})"


def snake_case(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda m: "_" + m[1].lower(), name)


class Tables:
    """Collects the C definitions; equal definitions are made once."""

    def __init__(self, document):
        self.document = document
        self.lines = []
        self.names = {}
        self.patterns = []

    def define(self, kind, declaration, body):
        """Returns the name of a static constant with this content."""
        key = (declaration, body)
        if key not in self.names:
            name = f"{kind}_{sum(k[0] == declaration for k in self.names)}"
            self.names[key] = name
            self.lines.append(f"static const {declaration.replace('@', name)} = {body};\n")
        return self.names[key]

    def strings(self, kind, values):
        body = "{" + ", ".join([*map(c_string, values), "NULL"]) + "}"
        return self.define(kind, "char *const @[]", body)

    def pattern(self, pattern):
        if pattern not in self.patterns:
            self.patterns.append(pattern)
        return self.patterns.index(pattern)

    def schema(self, node, place, change=False, depth=0):
        """Returns the name of the schema's C constant. `change`: of a merge patch."""
        if depth > DEPTH_MAX:
            raise ContractError(place, "schemas are nested too deeply or refer to themselves")
        outer, (node, place) = node, resolve(self.document, node, place)
        if "oneOf" in node:
            raise ContractError(place, "oneOf is not possible in a request")
        default = outer if "default" in outer else node
        if change and "default" in default:
            raise ContractError(place, "a merge patch cannot have defaults")
        fields = self.scalar_fields(node, place)
        fields += self.default_fields(default, place)
        if node.get("properties"):
            fields += self.property_fields(node, place, change, depth)
        if "items" in node:
            # A merge patch replaces lists as a whole: their items are complete again.
            name = self.schema(node["items"], child(place, "items"), False, depth + 1)
            fields.append(f".items = &{name}")
        return self.define("schema", "contract_schema @", "{" + ", ".join(fields) + "}")

    def property_fields(self, node, place, change, depth):
        rows = []
        for name, inner in node["properties"].items():
            is_required = name in node.get("required", [])
            if not change and not is_required and resolve(self.document, inner, place)[0].get("type") == "array":
                inner = {"default": [], **inner}  # as `info` states: generated Go does not compile with such a default
            made = self.schema(inner, child(place, "properties", name), change, depth + 1)
            required = c_bool(is_required)
            rows.append(f"    {{{c_string(name)}, &{made}, {required}}}")
        body = "{\n" + ",\n".join(rows) + "}"
        table = self.define("properties", "contract_property @[]", body)
        return [f".properties = {table}", f".property_count = {len(rows)}"]

    def scalar_fields(self, node, place):
        types, choices = schema_types(node, place), node.get("enum")
        if "const" in node:
            choices = [node["const"]]
        if choices is not None and None not in choices:
            types = [each for each in types if each != "null"]
        fields = [".types = " + (" | ".join(TYPE_BITS[each] for each in types) or "0")]
        if choices is not None:
            values = [each for each in choices if each is not None]
            fields.append(f".enumeration = {self.strings('choices', values)}")
        fields.append(f".additional_properties = {c_bool(node.get('additionalProperties', True))}")
        for key, field in (("minProperties", "min_properties"), ("minItems", "min_items"),
                           ("minLength", "min_length")):
            if node.get(key):
                fields.append(f".{field} = {node[key]}")
        fields.append(f".max_items = {node.get('maxItems', 'SIZE_MAX')}")
        fields.append(f".max_length = {node.get('maxLength', 'SIZE_MAX')}")
        fields += self.text_fields(node)
        if node.get("uniqueItems"):
            fields.append(".unique_items = true")
        for key in ("minimum", "maximum"):
            if key in node:
                fields += [f".has_{key} = true", f".{key} = {c_bound(node[key])}"]
        return fields

    def text_fields(self, node):
        fields = []
        if "pattern" in node:
            fields.append(f".pattern = {c_string(node['pattern'])}")
            fields.append(f".pattern_index = {self.pattern(node['pattern'])}")
        if "format" in node:
            fields.append(f".format = {FORMAT_NAMES[node['format']]}")
        if "x-reference" in node:
            fields.append(f".reference = {c_string(node['x-reference'])}")
        if node.get("x-free-text"):
            fields.append(".free_text = true")
        if node.get("x-identifier"):
            fields.append(".identifier = true")
        return fields

    def default_fields(self, node, place):
        if "default" not in node:
            return [".default_type = JSON_NULL"]
        value = node["default"]
        kind = DEFAULT_TYPES.get(type(value)) or ("JSON_TRUE" if value else "JSON_FALSE")
        target, _ = resolve(self.document, node, place)
        if "enum" in target and value not in target["enum"]:
            raise ContractError(child(place, "default"), "is not among the values of enum")
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return [f".default_type = {kind}", f".default_json = {c_string(text)}"]

    def parameters(self, operation):
        rows = []
        for node, place in operation["parameters"]:
            schema, _ = resolve(self.document, node["schema"], child(place, "schema"))
            made = self.schema(node["schema"], child(place, "schema"))
            rows.append(f"    {{{c_string(node['name'])}, IN_{node['in'].upper()}, "
                        f"{c_bool(node.get('required', False))}, "
                        f"{c_bool(schema.get('type') == 'array')}, &{made}}}")
        return self.table("parameters", "contract_parameter @[]", rows)

    def has_large_pages(self, operation):
        for node, place in operation["parameters"]:
            schema, _ = resolve(self.document, node["schema"], child(place, "schema"))
            if node["name"] == "limit" and schema["maximum"] > USUAL_PAGE:
                return True
        return False

    def bodies(self, operation, body, place):
        rows = []
        for media_type, media in body.get("content", {}).items():
            where = child(place, "content", media_type, "schema")
            made = self.schema(media["schema"], where, "merge-patch" in media_type)
            rows.append(f"    {{{c_string(media_type)}, &{made}}}")
        return self.table("bodies", "contract_body @[]", rows)

    def table(self, kind, declaration, rows):
        """Returns the name of the table, or NULL for an empty one, and its length."""
        if not rows:
            return "NULL", 0
        return self.define(kind, declaration, "{\n" + ",\n".join(rows) + "}"), len(rows)

    def operation(self, operation):
        """Returns the initializer of one operation."""
        node, place = operation["node"], operation["place"]
        body, where = ({}, place)
        if "requestBody" in node:
            body, where = resolve(self.document, node["requestBody"], child(place, "requestBody"))
        parameters, parameter_count = self.parameters(operation)
        bodies, body_count = self.bodies(operation, body, where)
        success, response = success_of(self.document, operation)
        scopes = scopes_of(node["security"])
        fields = {
            "id": c_string(node["operationId"]),
            "method": c_string(operation["method"]),
            "path": c_string(operation["path"]),
            "handler": f"handle_{snake_case(node['operationId'])}",
            "public": c_bool(node["security"][:1] in ([], [{}])),
            "scopes": self.strings("scopes", scopes),
            "parameters": parameters,
            "parameter_count": parameter_count,
            "bodies": bodies,
            "body_count": body_count,
            "body_required": c_bool(body.get("required", False)),
            "max_bytes": body.get("x-max-bytes", USUAL_BYTES),
            "slow": c_bool(body.get("x-max-bytes", USUAL_BYTES) > USUAL_BYTES or self.has_large_pages(operation)
                           or "206" in node["responses"]),
            "success": success,
            "produces": self.strings("produces", list(response.get("content", {}))),
            "columns": self.strings("columns", response.get("content", {}).get("text/csv", {}).get("x-columns", [])),
            "deprecation": structured_date(node.get("x-deprecated")),
            "sunset": http_date(node.get("x-sunset")),
            "audit": f"AUDIT_{audit_of(operation).upper()}",
            "collection": c_string(collection_of(operation)),
        }
        return "    {" + ",\n     ".join(f".{k} = {v}" for k, v in fields.items()) + "}"


def render_problems(problems):
    rows = []
    for each in problems:
        rows.append(f"    {{{c_string(each['code'])}, {each['status']}, "
                    f"{c_string(each['title'])}, {c_string(each['meaning'].strip())}, "
                    f"{c_bool(each['retryable'])}, {c_string(each['what_to_do'].strip())}}}")
    return ("const problem_kind problem_kinds[] = {\n" + ",\n".join(rows) + "};\n"
            f"const size_t problem_kind_count = {len(rows)};\n")


def render_document(name, data):
    return (f"const unsigned char contract_{name}[] =\n{c_bytes(data)};\n"
            f"const size_t contract_{name}_size = sizeof contract_{name} - 1;\n")


def handler_names(operations):
    return sorted("handle_" + snake_case(each["node"]["operationId"]) for each in operations)


def render_handlers(operations):
    """Returns contract_handlers.h: the handlers that api/ or bind.py must define, and nothing else."""
    lines = ["/* The handlers that the contract asks for; not to be edited. */",
             "#pragma once\n", '#include "service/contract/contract.h"\n']
    lines += [f"void {name}(request *r);" for name in handler_names(operations)]
    return "\n".join(lines) + "\n"


def render_operations(document, operations):
    """Returns operations.json: the default handler of each operation, how many parameters it passes, and the filters
    and sort orders of a page with the values that each may have."""
    rows = []
    for each in operations:
        default, parameters = default_of(document, each)
        rows.append({"id": each["node"]["operationId"], "name": snake_case(each["node"]["operationId"]),
                     "default": default, "parameters": parameters})
        if default == "page":
            rows[-1]["query"] = filters_of(document, each)
    return json.dumps(rows, indent=1) + "\n"


def render_stubs(operations):
    """Returns C with handlers that do nothing, for programs that test the tables alone."""
    lines = ["/* Handlers that do nothing, for tests of the contract; not to be edited. */",
             '#include "contract_handlers.h"\n']
    for name in handler_names(operations):
        lines.append(f"void {name}(request *r) {{ (void)r; }}\n")
    return "\n".join(lines)


def midnight(day):
    return datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc)


def structured_date(day):
    """Returns the date as a value of Deprecation (RFC 9745, section 2.1); NULL for none."""
    return "NULL" if day is None else c_string(f"@{midnight(day).timestamp():.0f}")


def http_date(day):
    """Returns the date as a value of Sunset (RFC 8594, section 3); NULL for none."""
    return "NULL" if day is None else c_string(email.utils.format_datetime(midnight(day), usegmt=True))


def token_url_of(document):
    """Returns the address at which clients of the contract's example get tokens."""
    return document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["tokenUrl"]


def render_tables(document, operations, documents):
    """Returns the text of contract_tables.c."""
    tables = Tables(document)
    rows = [tables.operation(each) for each in operations]
    patterns = [*map(c_string, tables.patterns), "NULL"]
    schemes = document["components"].get("securitySchemes", {}).values()
    scopes = sorted({name for scheme in schemes for flow in scheme.get("flows", {}).values() for name in flow["scopes"]})
    return "\n".join([
        "/* Compiled from the contract by the build; not to be edited. */",
        '#include "service/contract/contract.h"',
        '#include "service/contract/problems.h"\n',
        '#include "contract_handlers.h"\n',
        *tables.lines,
        "const contract_operation contract_operations[] = {\n" + ",\n".join(rows) + "};",
        f"const size_t contract_operation_count = {len(rows)};",
        "const char *const contract_patterns[] = {" + ",\n    ".join(patterns) + "};",
        f"const size_t contract_pattern_count = {len(tables.patterns)};",
        f"const char contract_version[] = {c_string(document['info']['version'])};\n",
        f"const char contract_server_url[] = {c_string(document['servers'][0]['url'])};",
        f"const char contract_token_url[] = {c_string(token_url_of(document))};\n",
        "const char *const contract_scopes[] = {" + "".join(f"{c_string(name)},\n    " for name in scopes) + "NULL};",
        render_problems(document["x-problems"]),
        *(render_document(name, data) for name, data in documents.items()),
    ])
