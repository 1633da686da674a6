"""openapi.yaml is made of the sources in api/contract: the bundler loses nothing and names each mistake."""
import pathlib
import subprocess
import sys

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "service" / "contract"))

from yaml_writer import WIDTH, write_yaml  # noqa: E402

FIRST = """\
openapi: 3.1.0
info: {title: Small, version: 1.0.0}
servers: []
security: []
tags: []
files: [things, shared]
"""
THINGS = """\
paths:
  /things:
    get: {operationId: listThings, security: [], responses: {'200': {description: Fine.}}}
schemas:
  Thing: {type: string}
"""
SHARED = """\
x-problems: []
schemas:
  Code: {type: string}
"""


def bundle(folder, *options):
    return subprocess.run(["/usr/bin/python3", str(ROOT / "service" / "contract" / "bundle.py"), *options,
                           str(folder / "contract"), str(folder / "openapi.yaml")], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture(name="sources")
def fixture_sources(tmp_path):
    (tmp_path / "contract").mkdir()
    for name, text in (("contract", FIRST), ("things", THINGS), ("shared", SHARED)):
        (tmp_path / "contract" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_the_parts_are_merged_in_the_order_of_the_files(sources):
    assert bundle(sources).returncode == 0
    made = yaml.safe_load((sources / "openapi.yaml").read_text(encoding="utf-8"))
    assert list(made) == ["openapi", "info", "servers", "security", "tags", "x-problems", "paths", "components"]
    assert list(made["components"]["schemas"]) == ["Thing", "Code"]


def test_the_check_fails_for_an_old_bundle_and_names_the_command(sources):
    assert bundle(sources).returncode == 0
    assert bundle(sources, "--check").returncode == 0
    (sources / "contract" / "shared.yaml").write_text(SHARED.replace("Code", "Sign"), encoding="utf-8")
    result = bundle(sources, "--check")
    assert result.returncode == 1
    assert "cmake --build build --target contract" in result.stderr


def test_a_deprecated_operation_has_the_headers_that_announce_its_end(sources):
    (sources / "contract" / "things.yaml").write_text(
        THINGS.replace("security: []", "security: [], deprecated: true, x-deprecated: 2026-12-01, x-sunset: 2027-12-01"),
        encoding="utf-8")
    assert bundle(sources).returncode == 0
    made = yaml.safe_load((sources / "openapi.yaml").read_text(encoding="utf-8"))
    assert {"Deprecation", "Sunset"} <= set(made["paths"]["/things"]["get"]["responses"]["200"]["headers"])


MISTAKES = {
    "component twice": ("shared", SHARED.replace("Code", "Thing"), "shared.yaml: schemas: another file has 'Thing'"),
    "path twice": ("shared", SHARED + "paths: {/things: {}}\n", "shared.yaml: paths: another file has '/things'"),
    "problems twice": ("things", THINGS + "x-problems: []\n", "shared.yaml: 'x-problems' is not possible here"),
    "unknown member": ("things", THINGS + "shemas: {}\n", "things.yaml: 'shemas' is not possible here"),
    "file not listed": ("contract", FIRST.replace(", shared", ""), "contract.yaml: 'files' must name each other file"),
    "file missing": ("contract", FIRST.replace("shared", "shared, more"), "contract.yaml: 'files' must name"),
    "no problems": ("shared", SHARED.replace("x-problems: []\n", ""), "contract.yaml: no file has 'x-problems'"),
    "not YAML": ("things", "paths: [", "things.yaml: line "),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(mistake, sources):
    name, text, message = MISTAKES[mistake]
    (sources / "contract" / f"{name}.yaml").write_text(text, encoding="utf-8")
    result = bundle(sources)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (sources / "openapi.yaml").exists()


TEXTS = ["", " ", "no", "yes", "null", "~", "12:30", "1e3", "0x1f", "2026-03-01", "1_000", "<<", "=", "a: b", "a:", "a #b",
         "it's", "'", '"', "#/components", "- a", "-", "*", "&a", "!a", "%", "@", "`", "|", ">", "{a}", "[a]", "a, b",
         "a  b", " a", "a ", "a\n", "a\n\n", "\na", "a\r\nb", "tab\there", "ä", "word " * 60, "it's " * 60,
         ("word " * 60).strip(), "- word " * 30, ("it's a: #b " * 30).strip(), "line\n" * 3, "line\n  indented\n",
         "x" * 200, "\x00", "\u2028", "‘quotes’"]


def test_every_text_survives():
    document = {"block": {text or "empty": text for text in TEXTS}, "items": TEXTS,
                "value": {"value": [{"a": text, "b": [text, {"c": None}]} for text in TEXTS]}}
    assert yaml.safe_load(write_yaml(document)) == document


def test_lines_are_filled_up_to_the_width():
    words = [f"word_{number}" for number in range(100)]
    lines = write_yaml({"schemas": {"Long": {"type": "string", "enum": words}}}).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) < 20


OPERATION = """\
paths:
  /things:
    get:
      security: [{oauth2: []}]
      responses:
        '404': {$ref: '#/components/responses/NotFound'}
        '200': {description: Fine., headers: {ETag: {schema: {type: string}}}}
    post:
      security: []
      responses: {'201': {description: Made.}, '200': {$ref: '#/components/responses/Same'}}
schemas: {}
"""


def test_operations_get_what_all_have(sources):
    (sources / "contract" / "things.yaml").write_text(OPERATION, encoding="utf-8")
    assert bundle(sources).returncode == 0
    made = yaml.safe_load((sources / "openapi.yaml").read_text(encoding="utf-8"))["paths"]["/things"]
    assert list(made["get"]["responses"]) == ["200", "400", "401", "403", "404", "429", "500", "503", "default"]
    assert list(made["post"]["responses"]) == ["201", "200", "400", "500", "503", "default"]
    assert list(made["get"]["responses"]["200"]["headers"]) == [
        "X-Request-Id", "RateLimit", "RateLimit-Policy", "ETag"]
    assert list(made["post"]["responses"]["201"]["headers"]) == ["X-Request-Id"]
    assert made["get"]["responses"]["401"] == {"$ref": "#/components/responses/Unauthorized"}


def test_the_contract_stays_short():
    lengths = {path.name: path.read_text(encoding="utf-8").count("\n") for path in (ROOT / "api" / "contract").iterdir()}
    assert {name: length for name, length in lengths.items() if length > 900} == {}
    whole = (ROOT / "openapi.yaml").read_bytes()
    operations = whole.count(b"operationId: ")
    assert whole.count(b"\n") <= 72 * operations and len(whole) <= 3_750 * operations
