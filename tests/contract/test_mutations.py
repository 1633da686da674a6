"""Deliberate changes of the contract: the named check must catch each one.

The recorded traffic is that of the present service; the contract is a copy with one change. A check that catches a
drift here also catches it when the service changes and the contract does not.
"""
import copy
import functools
import importlib
import importlib.util
import json
import pathlib
import sys
import urllib.parse

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parents[1] / "service" / "contract"))

import contract_reader  # noqa: E402
from rules import check_problems  # noqa: E402
from schema_tables import render_tables  # noqa: E402
from source import ContractError  # noqa: E402

ORIGINAL = contract_reader.load()
EXCHANGES_OF_EACH = 25
# The operations whose traffic is compared with the changed contracts.
JUDGED = {"getCase", "acceptReferral", "pushReferral", "listReferrals", "moveCase", "getIndex",
          "listTeamMembers", "listProblems"}


def load_module(name):
    """Imports the module separately, so that its caches belong to the contract in force."""
    spec = importlib.util.spec_from_file_location(f"{name}_of_a_mutation", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_compiler():
    path = HERE.parents[1] / "service" / "contract" / "compile.py"
    spec = importlib.util.spec_from_file_location("contract_compiler", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMPILER = load_compiler()


@pytest.fixture(scope="module", name="exchanges")
def read_exchanges():
    """Returns some traffic of each tested operation, of each status and set of parameters, whichever worker recorded
    it."""
    kept, counts = [], {}
    for exchange in contract_reader.recorded():
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(exchange["target"]).query, keep_blank_values=True)
        kind = exchange["operation"], exchange["status"], frozenset(query)
        counts[kind] = counts.get(kind, 0) + 1
        if kind[0] in JUDGED and counts[kind] <= EXCHANGES_OF_EACH:
            kept.append(exchange)
    assert {one["operation"] for one in kept} == JUDGED
    return kept


def compiles(contract, _exchanges):
    document = copy.deepcopy(contract)
    COMPILER.check_components(document)
    check_problems(document.get("x-problems"), "#/x-problems")
    operations = COMPILER.collect_operations(document)
    render_tables(document, operations, {"yaml": b"", "json": b""})


def named_again(exchanges):
    """Returns the exchanges with the operations that the contract in force has at their addresses."""
    for one in exchanges:
        found = contract_reader.operation_of(one["method"], one["target"].partition("?")[0])
        yield {**one, "operation": found.id if found else None}


def traffic(check):
    def judge(_contract, exchanges):
        module = load_module("test_recorded_traffic")
        getattr(module, check)(list(named_again(exchanges)))
    return judge


def produced(_contract, exchanges):
    module = load_module("test_recorded_traffic")
    seen = {}
    for one in named_again(exchanges):
        seen.setdefault(one["operation"], set()).add(str(one["status"]))
    judged = {name: one for name, one in module.OPERATIONS.items() if name in JUDGED}
    missing = {name: set(one.responses) - seen.get(name, set())
               - {status for status, names in module.NEVER_SEEN.items() if name in names}
               for name, one in judged.items()}
    assert not any(missing.values()), missing


def examples(_contract, _exchanges):
    module = load_module("test_contract_document")
    for example in module.examples():
        if example.id in JUDGED:
            module.test_examples_match_their_schemas(*example.values)
    module.test_every_operation_documents_its_failures()


def whole(_contract, _exchanges):
    load_module("test_contract_document").test_every_property_of_an_answer_is_required()


CHECKS = {
    "compiler": compiles,
    "addresses": traffic("test_only_operations_of_the_contract_succeed"),
    "statuses": traffic("test_every_status_is_documented"),
    "statuses produced": produced,
    "bodies": traffic("test_every_body_and_media_type_matches_its_schema"),
    "headers": traffic("test_every_header_matches_its_schema_and_required_ones_are_present"),
    "headers declared": traffic("test_no_header_is_undeclared"),
    "requests": traffic("test_every_accepted_request_is_valid_by_the_contract"),
    "scopes": traffic("test_a_missing_scope_is_the_one_in_the_contract"),
    "catalogue": traffic("test_every_problem_is_one_of_the_catalogue"),
    "examples": examples,
    "required": whole,
}


def operation(contract, name):
    return next(one for item in contract["paths"].values() for one in item.values()
                if isinstance(one, dict) and one.get("operationId") == name)


def schema(contract, name):
    return contract["components"]["schemas"][name]


def rename(mapping, old, new):
    mapping[new] = mapping.pop(old)


def drop_scope(contract):
    operation(contract, "getCase")["security"] = [{"oauth2": ["actions.read"]}]


def rename_property(contract):
    case = schema(contract, "Case")
    rename(case["properties"], "stage", "phase")
    case["required"] = ["phase" if one == "stage" else one for one in case["required"]]


def narrow_pattern(contract):
    schema(contract, "CaseReference")["pattern"] = "^CASE-[0-9]+$"


def change_type(contract):
    schema(contract, "Version")["type"] = "string"
    for limit in ("minimum", "maximum"):
        schema(contract, "Version").pop(limit)


def lose_null(contract):
    schema(contract, "Next")["type"] = "string"


def lose_enum_value(contract):
    schema(contract, "ReferralStatus")["enum"].remove("submitted")


def swap_schema(contract):
    answer = operation(contract, "getCase")["responses"]["200"]
    answer["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/Referral"}


def change_media_type(contract):
    rename(operation(contract, "getCase")["responses"]["200"]["content"], "application/json",
           "application/vnd.case+json")


def lose_parameter(contract):
    found = operation(contract, "listReferrals")
    found["parameters"] = [one for one in found["parameters"]
                           if one.get("name") != "source_reference"]


def lose_request_member(contract):
    schema(contract, "ReferralInput")["properties"].pop("basis")
    schema(contract, "ReferralInput")["required"].remove("basis")


def shorten_request(contract):
    schema(contract, "ReferralInput")["properties"]["children"]["maxItems"] = 0


def lose_problem(contract):
    contract["x-problems"] = [one for one in contract["x-problems"] if one["code"] != "not_found"]


def change_problem(contract):
    next(one for one in contract["x-problems"] if one["code"] == "not_found")["title"] = "Gone"


def break_example(contract):
    schema(contract, "ReferralInput")["examples"][0]["committee"] = "glasgow"


DRIFTS = {
    "a property of an answer renamed": (rename_property, "bodies"),
    "a pattern changed": (narrow_pattern, "bodies"),
    "a type changed": (change_type, "bodies"),
    "null no longer allowed": (lose_null, "bodies"),
    "a value of an enumeration lost": (lose_enum_value, "bodies"),
    "another schema for an answer": (swap_schema, "bodies"),
    "another media type": (change_media_type, "bodies"),
    "a status lost": (
        lambda c: operation(c, "acceptReferral")["responses"].pop("409"), "statuses"),
    "a status too many": (
        lambda c: operation(c, "getCase")["responses"].update(
            {"410": {"$ref": "#/components/responses/NotFound"}}), "statuses produced"),
    "a header lost": (
        lambda c: operation(c, "getCase")["responses"]["200"]["headers"].pop("ETag"),
        "headers declared"),
    "a header too many": (
        lambda c: operation(c, "getCase")["responses"]["200"]["headers"].update(
            {"Location": {"$ref": "#/components/headers/Location"}}), "headers"),
    "a path renamed": (
        lambda c: rename(c["paths"], "/v1/cases/{id}/team", "/v1/cases/{id}/teams"), "addresses"),
    "a method changed": (
        lambda c: rename(c["paths"]["/v1/cases/{id}/transitions"], "post", "put"), "addresses"),
    "a wrong scope": (drop_scope, "scopes"),
    "a query parameter lost": (lose_parameter, "requests"),
    "a member of a request lost": (lose_request_member, "requests"),
    "a request narrowed": (shorten_request, "requests"),
    "a problem lost": (lose_problem, "catalogue"),
    "a problem with other words": (change_problem, "catalogue"),
    "an example that breaks its schema": (break_example, "examples"),
    "a failure not documented": (
        lambda c: operation(c, "getCase")["responses"].pop("503"), "examples"),
    "a member that need not be there": (
        lambda c: schema(c, "Case")["required"].remove("stage"), "required"),
    "a scope that nothing declares": (
        lambda c: operation(c, "getCase").update(security=[{"oauth2": ["cases.reed"]}]),
        "compiler"),
    "a reference to nothing": (
        lambda c: schema(c, "Case")["properties"].update(
            stage={"$ref": "#/components/schemas/Phase"}), "compiler"),
    "a keyword that is not checked": (
        lambda c: schema(c, "Case")["properties"]["stage"].update({"not": {}}), "compiler"),
    "an operation without description": (
        lambda c: operation(c, "getCase").pop("description"), "compiler"),
    "an operationId twice": (
        lambda c: operation(c, "getCase").update(operationId="moveCase"), "compiler"),
    "a place that no parameter names": (
        lambda c: operation(c, "getCase")["parameters"].pop(0), "compiler"),
}


@pytest.fixture(name="in_force")
def put_in_force(monkeypatch):
    """Makes contract_reader return the given contract."""
    def put(contract):
        monkeypatch.setattr(contract_reader, "load", lambda: contract)
        monkeypatch.setattr(contract_reader, "operations",
                            functools.lru_cache(contract_reader.operations.__wrapped__))
    return put


@pytest.mark.parametrize("check", CHECKS)
def test_each_check_accepts_the_present_contract(check, in_force, exchanges):
    in_force(ORIGINAL)
    CHECKS[check](ORIGINAL, exchanges)


@pytest.mark.parametrize("drift", DRIFTS)
def test_each_drift_is_caught(drift, in_force, exchanges):
    change, check = DRIFTS[drift]
    contract = copy.deepcopy(ORIGINAL)
    change(contract)
    assert contract != ORIGINAL
    in_force(contract)
    with pytest.raises((AssertionError, ContractError)):
        CHECKS[check](contract, exchanges)
