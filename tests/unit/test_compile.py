"""Each mistake in a contract stops the build with a message that names the place."""
import json
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURE = (ROOT / "tests" / "unit" / "fixture.yaml").read_text(encoding="utf-8")
PATTERN = "'^[A-Z]{3}$', description"


def compile_text(text, folder):
    source = folder / "contract.yaml"
    source.write_text(text, encoding="utf-8")
    return subprocess.run(
        ["/usr/bin/python3", str(ROOT / "service" / "contract" / "compile.py"), str(source),
         str(folder / "out")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        check=False)


def change(old, new):
    assert old in FIXTURE
    return FIXTURE.replace(old, new, 1)


MISTAKES = {
    "unknown keyword": ("minLength: 2,", "minLenght: 2,",
                        "#/components/schemas/Thing/properties/name: unknown keyword 'minLenght'"),
    "unsupported keyword": ("minimum: 0, maximum: 1}", "exclusiveMinimum: 0, maximum: 1}",
                            "#/components/schemas/Thing/properties/share: unknown keyword"),
    "unknown way to record": ("deprecated: true", "x-audit: sometimes",
                              "#/paths/~1things/get/x-audit: has to be one of none, read"),
    "deprecated without dates": ("      x-sunset: 2027-12-01\n", "",
                                 "#/paths/~1things/get: 'deprecated' needs the dates"),
    "deprecated for less than a year": ("x-sunset: 2027-12-01", "x-sunset: 2027-11-30",
                                        "#/paths/~1things/get/x-sunset: must be 12 months"),
    "a date without deprecation": ("      deprecated: true\n", "",
                                   "#/paths/~1things/get: has x-deprecated or x-sunset without"),
    "codes that nothing lists": ("{type: string, pattern: '^[A-Z]{3}$'}}",
                                 "{type: string, pattern: '^[A-Z]{3}$', x-reference: /codes}}",
                                 "x-reference: is not the address of a GET"),
    "unknown operation keyword": ("deprecated: true", "depricated: true",
                                  "#/paths/~1things/get: unknown keyword"),
    "no operationId": ("      operationId: getThing\n", "",
                       "#/paths/~1things~1{id}/get: 'operationId' is missing"),
    "no summary": ("      summary: List\n", "", "#/paths/~1things/get: 'summary' is missing"),
    "no description": ("      description: Lists them.\n", "", "/get: 'description' is missing"),
    "no security": ("      security: []\n", "", "#/paths/~1/get: 'security' is missing"),
    "no success": ("{'207': {description: Fine.}, '201': {description: Fine.}}",
                   "{'400': {description: Bad.}}", "#/paths/~1things~1batch/post: no response"),
    "operationId with an acronym": ("operationId: getRoot", "operationId: getROOT",
                                    "#/paths/~1/get/operationId: must be in camelCase"),
    "operationId twice": ("operationId: getPart", "operationId: getThing", "'getThing' again"),
    "unknown scope": ("[things.write, things.read]", "[things.rite]",
                      "#/paths/~1things/post/security: the scope 'things.rite'"),
    "nested quantifier": (PATTERN, "'^([A-Z]+)+$', description",
                          "#/components/schemas/Code/pattern: nested quantifier"),
    "deeper nested quantifier": (PATTERN, "'^((?:[A-Z]{1,3}x)y){2,}$', description",
                                 "#/components/schemas/Code/pattern: nested quantifier"),
    "lookahead": (PATTERN, "'^(?=a)$', description", "#/components/schemas/Code/pattern"),
    "bad pattern": (PATTERN, "'^[A-Z$', description", "#/components/schemas/Code/pattern"),
    "duplicate key": ("      summary: List\n", "      summary: List\n      summary: List\n",
                      "duplicate key 'summary'"),
    "duplicate flow key": ("{type: boolean, default: false}", "{type: boolean, type: boolean}",
                           "duplicate key 'type'"),
    "dangling reference": ("$ref: '#/components/schemas/Code'", "$ref: '#/components/schemas/Cod'",
                           "$ref leads nowhere"),
    "recursive schema": ("code: {$ref: '#/components/schemas/Code'}",
                         "code: {$ref: '#/components/schemas/Part'}", "nested too deeply"),
    "oneOf in a request": ("any: {description: Whatever.}", "any: {oneOf: [{type: string}]}",
                           "properties/any: oneOf"),
    "default in a merge patch": ("name: {type: string, maxLength: 4}\n",
                                 "name: {type: string, default: x}\n", "a merge patch"),
    "unknown type": ("sure: {type: boolean", "sure: {type: bool", "properties/sure: unknown type"),
    "unknown format": ("day: {type: string, format: date}", "day: {type: string, format: day}",
                       "properties/day/format: unknown format 'day'"),
    "undeclared path parameter": ("- {name: part, in: path", "- {name: pard, in: path",
                                  "#/paths/~1things~1{id}~1parts~1{part}/get"),
    "unbounded uniqueItems": ("uniqueItems: true, maxItems: 4", "uniqueItems: true",
                              "properties/numbers: uniqueItems"),
    "required and undeclared": ("required: [code]", "required: [cod]",
                                "#/components/schemas/Part/required: 'cod'"),
    "foreign tag": ("title: Fixture", "title: !!binary Zm9v", "line 4"),
    "broken yaml": ("title: Fixture", "title: 'Fixture", "line "),
    "problem twice": ("- code: overloaded", "- code: not_found", "#/x-problems/1"),
    "name twice": ("  schemas:\n    Code:", "  parameters:\n    code: {name: code, in: query, schema: {type: string}}\n"
                   "  schemas:\n    Code:", "#/components/schemas/Code: #/components/parameters/code has the same name"),
    "name of a constructor": ("    Change:\n", "    NewThing: {type: string}\n    Change:\n",
                              "#/components/schemas/NewThing: generated Go has NewThing for a schema Thing; write ThingInput"),
    "copied enumeration": ("    Change:\n", "    Size: {type: string, enum: [small, big]}\n    Change:\n",
                           "properties/kind/enum: copies the enumeration Size; refer to it"),
    "name of an inline enumeration": ("    Change:\n", "    ThingKind: {type: string}\n    Change:\n",
                                      "properties/kind: generators name this enumeration ThingKind"),
    "inline object or null": ("open: {type: object, minProperties: 1}", "open: {type: [object, 'null'], minProperties: 1}",
                              "properties/open: an object or null is oneOf a component"),
    "parameter with a default next to $ref": (
        "{name: code, in: query, schema: {type: string, pattern: '^[A-Z]{3}$'}}",
        "{name: code, in: query, schema: {$ref: '#/components/schemas/Code', default: ABC}}",
        "/get/parameters/5/schema: generated Python loses the type"),
    "column that no item has": ("x-columns: [label, open.id]", "x-columns: [label, id]",
                                "text~1csv/x-columns: 'id' is no member of the items"),
    "column that is an object": ("x-columns: [label, open.id]", "x-columns: [open]", "x-columns: 'open' is no text"),
    "column of numbers that have no one text": ("[label, open.id]", "[size]", "x-columns: 'size' is no text"),
    "column twice": ("[label, open.id]", "[label, label]", "x-columns: a list of different names"),
    "optional token without a scheme": ("security: [{}, {oauth2: [things.read]}]", "security: [{}]",
                                        "#/paths/~1parts/get/security: must be [] or the single entry oauth2"),
    "problem without a meaning": ("    meaning: Too much to do.\n", "", "#/x-problems/1"),
}


@pytest.mark.parametrize("mistake", list(MISTAKES))
def test_a_mistake_is_named(mistake, tmp_path):
    old, new, message = MISTAKES[mistake]
    result = compile_text(change(old, new), tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_duplicate_key_names_its_line(tmp_path):
    text = change("      summary: List\n", "      summary: List\n      summary: List\n")
    line = text[:text.index("summary: List\n      summary")].count("\n") + 2
    assert f"line {line}: duplicate key" in compile_text(text, tmp_path).stderr


def test_values_of_the_core_schema(tmp_path):
    text = change("title: Fixture", "title: Fixture\n  x-values: [2026-05-01, no, 12:30, on, 010, "
                  "1e2, true, ~, 1_000]")
    assert compile_text(text, tmp_path).returncode == 0
    made = json.loads((tmp_path / "out" / "openapi.json").read_text(encoding="utf-8"))
    assert made["info"]["x-values"] == ["2026-05-01", "no", "12:30", "on", 10, 100.0, True, None,
                                        "1_000"]


def test_the_output_is_reproducible(tmp_path):
    outputs = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        assert compile_text(FIXTURE, tmp_path / name).returncode == 0
        out = tmp_path / name / "out"
        outputs.append({each.name: each.read_bytes() for each in out.iterdir()})
    assert outputs[0] == outputs[1]
    assert set(outputs[0]) == {"contract_handlers.h", "contract_tables.c", "handler_stubs.c", "openapi.json",
                               "operations.json"}


def defaults_of(text, folder):
    """Returns the default handler of each operation, and the least and greatest number of parameters."""
    result = compile_text(text, folder)
    assert result.returncode == 0, result.stderr
    operations = json.loads((folder / "out" / "operations.json").read_text(encoding="utf-8"))
    return {each["id"]: (each["default"], *each["parameters"]) for each in operations}


def test_the_form_of_an_operation_chooses_the_default_handler(tmp_path):
    assert defaults_of(FIXTURE, tmp_path) == {
        "getRoot": ("get", 0, 0), "listParts": ("list", 0, 0), "getThing": ("get", 1, 1), "getPart": ("get", 2, 2),
        "listThings": ("get", 0, 0), "pushThing": ("submit", 1, 2), "pushThings": ("submit", 1, 2),
        "changeThing": ("submit", 3, 3)}


@pytest.mark.parametrize("operation, old, new, default", [
    ("listThings", "{oneOf: [{$ref: '#/components/schemas/Thing'}, {type: 'null'}]}",
     "{properties: {items: {type: array}}}", ("list", 0, 0)),
    ("changeThing", "        - {name: X-Reason", "        - {name: If-None-Match, in: header, schema: {type: string}}\n"
     "        - {name: X-Reason", ("submit", 4, 4)),
    ("pushThing", "      requestBody:\n        required: true\n        content: {application/json: {schema: "
     "{$ref: '#/components/schemas/Thing'}}}\n", "", ("submit", 0, 1))])
def test_the_default_handler_changes_with_the_form(operation, old, new, default, tmp_path):
    assert defaults_of(change(old, new), tmp_path)[operation] == default


def test_a_list_with_a_cursor_is_a_page(tmp_path):
    text = change("{oneOf: [{$ref: '#/components/schemas/Thing'}, {type: 'null'}]}",
                  "{properties: {items: {type: array}}}")
    text = text.replace("        - {name: overdue,", "        - {name: cursor, in: query, schema: {type: string}}\n"
                        "        - {name: overdue,")
    assert defaults_of(text, tmp_path)["listThings"] == ("page", 3, 3)
