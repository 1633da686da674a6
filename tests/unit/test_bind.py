"""Each operation has a handler in C or a statement, and the build names the one that has neither."""
import json
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OPERATIONS = [{"id": "listThings", "name": "list_things", "default": "page", "parameters": [3, 3],
               "query": {"status": "several", "late": ["true", "false"], "sort": ["due_on", "-due_on"]}},
              {"id": "changeThing", "name": "change_thing", "default": "submit", "parameters": [2, 3]},
              {"id": "getThing", "name": "get_thing", "default": "get", "parameters": [1, 1]}]
LISTS = {"list_things": {"status": "several", "late": ["false", "true"], "sort": ["due_on", "-due_on"]}}
STATEMENTS = {"list_things": 3, "change_thing": 2, "get_thing": 1}


def bind(folder, statements, source="", lists=None):
    """Returns the result of bind.py, and the text that it wrote."""
    for name, content in (("operations.json", json.dumps(OPERATIONS)), ("things.c", source),
                          ("statements.json", json.dumps({"parameters": statements,
                                                          "lists": LISTS if lists is None else lists}))):
        (folder / name).write_text(content, encoding="utf-8")
    result = subprocess.run(
        ["/usr/bin/python3", str(ROOT / "service" / "contract" / "bind.py"), "operations.json", "statements.json",
         "out.c", "things.c"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    out = folder / "out.c"
    return result, out.read_text(encoding="utf-8") if out.exists() else None


def test_an_operation_without_a_handler_gets_the_default_one_with_its_statement(tmp_path):
    result, written = bind(tmp_path, STATEMENTS)
    assert result.returncode == 0, result.stderr
    for text in ("void handle_get_thing(request *r) {\n    respond_get(r, statement_get_thing);\n}\n",
                 "respond_page(r, statement_list_things);", "respond_submit(r, statement_change_thing);"):
        assert text in written


@pytest.mark.parametrize("source", [
    "void handle_get_thing(request *r) {\n    respond_get(r, statement_get_thing);\n}\n",
    "void handle_get_thing(request *any)\n{\n    respond_get(any, more ? statement_more : statement_get_thing);\n}\n"])
def test_a_handler_in_c_replaces_the_default(source, tmp_path):
    result, written = bind(tmp_path, {**STATEMENTS, "more": 1} if "more" in source else STATEMENTS, source)
    assert result.returncode == 0, result.stderr
    assert "get_thing" not in written and "handle_list_things" in written


def test_a_handler_in_c_needs_no_statement(tmp_path):
    statements = {name: count for name, count in STATEMENTS.items() if name != "get_thing"}
    assert bind(tmp_path, statements, "void handle_get_thing(request *r) {\n}\n")[0].returncode == 0


@pytest.mark.parametrize("statements, source, message", [
    ({"list_things": 3, "change_thing": 2}, "", "getThing has no statement and no handler: write the statement get_thing"),
    ({**STATEMENTS, "get_think": 1}, "", "the statement get_think belongs to no operation, and no C code uses it"),
    (STATEMENTS, "void handle_get_think(request *r) {\n}\n", "things.c: handle_get_think belongs to no operation"),
    (STATEMENTS, "void handle_get_thing(request *r) {\n}\n",
     "getThing has a handler and a statement, and no C code uses the statement: delete handle_get_thing in things.c"),
    ({**STATEMENTS, "get_thing": 2}, "",
     "getThing: its statement get_thing has 2 parameters, but its default handler (respond_get) passes 1"),
    ({**STATEMENTS, "change_thing": 1}, "", "has 1 parameters, but its default handler (respond_submit) passes 2 to 3"),
])
def test_an_operation_and_its_handler_must_match(statements, source, message, tmp_path):
    result, written = bind(tmp_path, statements, source)
    assert result.returncode == 1
    assert message in result.stderr and result.stderr.count("\n") == 1
    assert written is None


@pytest.mark.parametrize("declared, message", [
    ({"late": None, "sort": ["due_on", "-due_on"]}, "has no declaration of the parameter status: write `-- filter status: …`"),
    ({**LISTS["list_things"], "owner": None}, "declares owner, which is no parameter of the operation"),
    ({**LISTS["list_things"], "sort": ["due_on"]},
     "has the sort orders due_on, but the contract has due_on, -due_on (the default first)"),
    ({**LISTS["list_things"], "sort": ["-due_on", "due_on"]}, "has the sort orders -due_on, due_on, but"),
    ({**LISTS["list_things"], "status": None},
     "takes one value of status, but the contract several values: write `$[]` for several values"),
    ({**LISTS["list_things"], "late": "several"}, "takes several values of late, but the contract one value"),
    ({**LISTS["list_things"], "late": ["true"]}, "declares late for true only, but the contract has true, false"),
])
def test_a_list_has_the_filters_and_orders_of_the_contract(declared, message, tmp_path):
    result, written = bind(tmp_path, STATEMENTS, lists={"list_things": declared})
    assert result.returncode == 1 and written is None
    assert f"listThings: its statement list_things {message}" in result.stderr and result.stderr.count("\n") == 1


def test_a_list_declares_its_filters_and_only_a_list_does(tmp_path):
    assert "listThings: its statement list_things declares no filters" in bind(tmp_path, STATEMENTS, lists={})[0].stderr
    message = "the statement get_thing is a page, but no operation of this name has the parameter cursor"
    assert message in bind(tmp_path, STATEMENTS, lists={**LISTS, "get_thing": {}})[0].stderr


def test_all_faults_are_reported_together(tmp_path):
    result, _ = bind(tmp_path, {"get_think": 1}, lists={})
    assert result.stderr.count("\n") == len(OPERATIONS) + 1
