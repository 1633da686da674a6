"""Compares all exchanges of the integration tests with the contract.

Run it after tests/integration, in the same command or later: it reads the file that they write.
"""
import collections
import functools
import json
import pathlib
import re
import sys
import urllib.parse

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import contract_reader  # noqa: E402

TRAFFIC = contract_reader.TRAFFIC_FILE
OPERATIONS = contract_reader.operations()
FAULTS_SHOWN = 20
SCOPE = re.compile('scope="([^"]+)"')

# Documented statuses that no test produces, with the reason.
NEVER_SEEN = {
    # No internal failure of the service is known; 500 would be a finding, not a goal.
    "500": set(OPERATIONS),
    # Without a token only overload and shutdown cause 503, and both last for milliseconds.
    "503": {name for name, one in OPERATIONS.items() if one.public},
}
# Answers that the contract allows at any address without listing them, as its section "Errors" says.
ANYWHERE = {404: {"not_found"}, 405: {"method_not_allowed"}, 400: {"bad_request"}}
# Headers of HTTP itself, of tracing and for pages of other origins, which any answer may have.
HEADERS_OF_ALL = {"cache-control", "date", "content-type", "content-length", "content-encoding", "connection",
                  "transfer-encoding", "vary", "x-content-type-options", "allow", "traceparent",
                  "strict-transport-security", "x-correlation-id", "access-control-allow-origin",
                  "access-control-expose-headers", "access-control-allow-methods", "access-control-allow-headers",
                  "access-control-max-age", "deprecation", "sunset"}


@pytest.fixture(scope="module")
def exchanges():
    found = list(contract_reader.recorded())
    if not found:
        pytest.fail("no traffic is recorded: run tests/integration first")
    return found


@functools.lru_cache(maxsize=None)
def body_validator(operation, status, media_type):
    return contract_reader.validator(
        OPERATIONS[operation].responses[status]["content"][media_type]["schema"])


@functools.lru_cache(maxsize=None)
def problem_validator():
    return contract_reader.validator({"$ref": "#/components/schemas/Problem"})


@functools.lru_cache(maxsize=None)
def header_rules(operation, status):
    headers = OPERATIONS[operation].responses[status].get("headers", {})
    resolved = {name: contract_reader.resolve(contract_reader.load(), one)
                for name, one in headers.items()}
    return [(name.lower(), one.get("required", False), one["schema"].get("type"),
             contract_reader.validator(one["schema"])) for name, one in resolved.items()]


@functools.lru_cache(maxsize=None)
def declared_headers(operation, status):
    return {name.lower() for name in OPERATIONS[operation].responses[status].get("headers", {})}


def documented(exchange):
    """Returns the statuses that the contract documents for the operation."""
    return OPERATIONS[exchange["operation"]].responses if exchange["operation"] else {}


def is_allowed_anywhere(exchange):
    if exchange["status"] not in ANYWHERE:
        return exchange["method"] == "OPTIONS"
    problem = json.loads(exchange["body"] or "{}")
    return problem.get("code") in ANYWHERE[exchange["status"]]


def header_faults(exchange):
    sent = {name.lower(): value for name, value in exchange["headers"].items()}
    for name, required, kind, rules in header_rules(exchange["operation"],
                                                    str(exchange["status"])):
        if name not in sent:
            if required:
                yield f"the header {name} is missing"
            continue
        value = int(sent[name]) if kind == "integer" and sent[name].isdigit() else sent[name]
        yield from (f"the header {name}: {fault}" for fault in contract_reader.faults(rules, value))


def body_faults(exchange):
    content = documented(exchange)[str(exchange["status"])].get("content", {})
    sent_type = exchange["headers"].get("Content-Type", "").split(";")[0]
    if not content:
        if exchange["body"]:
            yield "there is a body where none is documented"
        return
    if sent_type not in content:
        yield f"the media type {sent_type} is not documented"
        return
    value = json.loads(exchange["body"]) if sent_type.endswith("json") else exchange["body"]
    yield from contract_reader.faults(
        body_validator(exchange["operation"], str(exchange["status"]), sent_type), value)


@functools.lru_cache(maxsize=None)
def request_validator(operation, media_type):
    return contract_reader.validator(
        OPERATIONS[operation].body["content"][media_type]["schema"])


def request_faults(exchange):
    """Returns the violations of the contract in a request; long bodies are not recorded in full."""
    operation = OPERATIONS[exchange["operation"]]
    if exchange["method"] != operation.method:
        return
    query = urllib.parse.parse_qsl(exchange["target"].partition("?")[2])
    yield from (f"the parameter {name} is not documented" for name, _ in query
                if not operation.has_parameter(name, "query"))
    sent_type = next((value.split(";")[0] for name, value in exchange["request_headers"].items()
                      if name.lower() == "content-type"), "").lower()
    body = exchange["request_body"]
    if not body or len(body) >= 4096 or not sent_type.endswith("json") or operation.body is None:
        return
    if sent_type not in operation.media_types:
        yield f"the media type {sent_type} is not documented"
        return
    try:
        value = json.loads(body)
    except ValueError:
        return
    yield from contract_reader.faults(request_validator(operation.id, sent_type), value)


def describe(exchange, fault):
    return (f"{exchange['operation']} {exchange['method']} {exchange['target'][:120]} "
            f"-> {exchange['status']}: {fault}")


def unique(found):
    """Returns the first few faults, one of each kind."""
    kinds = {}
    for exchange, fault in found:
        kinds.setdefault((exchange["operation"], exchange["status"], fault),
                         describe(exchange, fault))
    return list(kinds.values())[:FAULTS_SHOWN]


def test_every_status_is_documented(exchanges):
    found = [(one, "not documented") for one in exchanges
             if str(one["status"]) not in documented(one) and not is_allowed_anywhere(one)]
    assert unique(found) == []


def test_only_operations_of_the_contract_succeed(exchanges):
    found = [(one, "no operation of the contract") for one in exchanges
             if one["operation"] is None and one["status"] < 300 and one["method"] != "OPTIONS"]
    assert unique(found) == []


def test_every_accepted_request_is_valid_by_the_contract(exchanges):
    """Successful requests use no parameter and no member outside the contract."""
    found = [(one, fault) for one in exchanges if one["operation"] and one["status"] < 300
             for fault in request_faults(one)]
    assert unique(found) == []


def test_every_body_and_media_type_matches_its_schema(exchanges):
    found = [(one, fault) for one in exchanges if str(one["status"]) in documented(one)
             for fault in body_faults(one)]
    assert unique(found) == []


def test_every_header_matches_its_schema_and_required_ones_are_present(exchanges):
    found = [(one, fault) for one in exchanges if str(one["status"]) in documented(one)
             for fault in header_faults(one)]
    assert unique(found) == []


def test_no_header_is_undeclared(exchanges):
    found = [(one, f"the header {name} is not declared") for one in exchanges
             if str(one["status"]) in documented(one)
             for name in {each.lower() for each in one["headers"]}
             - HEADERS_OF_ALL - declared_headers(one["operation"], str(one["status"]))]
    assert unique(found) == []


def test_every_answer_has_the_common_headers(exchanges):
    found = [(one, f"{name} is not {value}") for one in exchanges
             for name, value in (("X-Content-Type-Options", "nosniff"),)
             if one["headers"].get(name) != value]
    found += [(one, f"{name} is missing") for one in exchanges
              for name in ("X-Request-Id", "Cache-Control") if name not in one["headers"]]
    assert unique(found) == []


def test_every_refusal_is_a_problem_that_matches_its_answer(exchanges):
    found = []
    for one in exchanges:
        if one["status"] < 400:
            continue
        problem = json.loads(one["body"] or "{}")
        found += [(one, fault) for fault in contract_reader.faults(problem_validator(), problem)]
        if problem.get("status") != one["status"]:
            found.append((one, "the problem names another status"))
        if problem.get("request_id") != one["headers"].get("X-Request-Id"):
            found.append((one, "the problem names another request"))
    assert unique(found) == []


def test_every_problem_is_one_of_the_catalogue(exchanges):
    catalogue = {one["code"]: (one["status"], one["title"], one["retryable"])
                 for one in contract_reader.load()["x-problems"]}
    found = []
    for one in exchanges:
        problem = json.loads(one["body"]) if one["status"] >= 400 and one["body"] else None
        told = problem and (problem["status"], problem["title"], problem["retryable"])
        if problem and catalogue.get(problem["code"]) != told:
            found.append((one, f"{problem['code']} is not as in the catalogue"))
    assert unique(found) == []


def test_a_missing_scope_is_the_one_in_the_contract(exchanges):
    found = []
    for one in exchanges:
        named = SCOPE.search(one["headers"].get("WWW-Authenticate", ""))
        if one["operation"] and named and named[1] not in OPERATIONS[one["operation"]].scopes:
            found.append((one, f"the scope {named[1]} is not asked for by the contract"))
    assert unique(found) == []


def test_no_request_caused_an_internal_error(exchanges):
    assert unique([(one, "failed inside") for one in exchanges if one["status"] == 500]) == []


# Without keys, and for a new token without the database, the service does not know the client.
UNKNOWN_CLIENT = ("token_keys_unavailable", "database_unavailable")


def test_every_authenticated_answer_reports_the_quota(exchanges):
    with_token = {name for name, one in OPERATIONS.items() if not one.public and not one.optional_token}
    found = [(one, "RateLimit is missing") for one in exchanges
             if one["operation"] in with_token
             and one["status"] not in (401, 400) and "RateLimit" not in one["headers"]
             and not any(f'"code":"{code}"' in one["body"] for code in UNKNOWN_CLIENT)]
    assert unique(found) == []


@pytest.fixture(scope="module")
def seen(exchanges):
    statuses = collections.defaultdict(set)
    for one in exchanges:
        statuses[one["operation"]].add(str(one["status"]))
    return statuses


def test_every_operation_is_exercised(seen):
    assert sorted(set(OPERATIONS) - set(seen)) == []


def test_every_documented_status_of_every_operation_is_produced(seen):
    missing = {name: sorted(status for status in one.responses
                            if status not in seen[name] and name not in NEVER_SEEN.get(status, ()))
               for name, one in OPERATIONS.items()}
    missing = {name: statuses for name, statuses in missing.items() if statuses}
    for name, statuses in missing.items():
        print(f"{name}: never answered {', '.join(statuses)}")
    assert missing == {}


def succeeded(exchanges):
    return [one for one in exchanges if one["operation"] and one["status"] < 400
            and one["method"] == OPERATIONS[one["operation"]].method]


def test_every_query_parameter_is_used_with_success(exchanges):
    """A filter or an option without a test fails here. `cursor` is the same for all lists (test_lists.py): whether a
    list has a second page depends on the tests before."""
    used = {(one["operation"], name) for one in succeeded(exchanges)
            for name, _ in urllib.parse.parse_qsl(one["target"].partition("?")[2], keep_blank_values=True)}
    declared = {(name, parameter["name"]) for name, operation in OPERATIONS.items()
                for parameter in operation.parameters if parameter["in"] == "query" and parameter["name"] != "cursor"}
    assert sorted(declared - used) == []


def members_of(schema):
    """Returns the names of an object's members, or of its items' members for an array; of all alternatives together."""
    schema = contract_reader.resolve(contract_reader.load(), schema)
    found = set(schema.get("properties", {}))
    for part in [*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())]:
        found |= members_of(part)
    return found | (members_of(schema["items"]) if "items" in schema else set())


def sent_members(exchange):
    body = exchange["request_body"]
    if not body or len(body) >= 4096:  # long bodies are not recorded in full
        return set()
    lines = body.splitlines() if "ndjson" in str(exchange["request_headers"]) else [body]
    values = [json.loads(line) for line in lines if line]
    return {name for value in values for item in (value if isinstance(value, list) else [value]) for name in item}


def test_every_member_of_every_request_is_sent_with_success(exchanges):
    """A member that can be set has a test that sets it."""
    sent = {(one["operation"], name) for one in succeeded(exchanges)
            if any("json" in each for each in OPERATIONS[one["operation"]].media_types) for name in sent_members(one)}
    declared = {(name, member) for name, operation in OPERATIONS.items() if operation.body is not None
                for content in operation.body["content"].values() for member in members_of(content["schema"])}
    assert sorted(declared - sent) == []


def test_every_listed_exception_is_needed(seen):
    needless = [(name, status) for status, names in NEVER_SEEN.items() for name in names
                if status in seen[name]]
    assert needless == []


def test_every_problem_of_the_catalogue_is_produced(exchanges):
    rare = {"internal", "overloaded"}
    codes = {json.loads(one["body"])["code"] for one in exchanges
             if one["status"] >= 400 and one["body"]}
    assert {one["code"] for one in contract_reader.load()["x-problems"]} - rare - codes == set()
