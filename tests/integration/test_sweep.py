"""Refusals that are the same for every operation, generated from the contract."""
import uuid

import pytest

import contract_reader
from client import ALL_SCOPES, Client, new_key
from path_params import make_document_release, places_of_case
from payloads import new_child, new_number, new_transfer
from scenarios import make_action, make_case, make_delivery, make_referral
from test_retention import announce, erase, make_old_case, make_rule

OPERATIONS = contract_reader.operations()
PRIVATE = [name for name, one in OPERATIONS.items() if not one.public]
NEEDS_TOKEN = [name for name in PRIVATE if not OPERATIONS[name].optional_token]
SCOPED = [name for name, one in OPERATIONS.items() if one.scopes]
UNSCOPED = [name for name in PRIVATE if name not in SCOPED]
WITH_BODY = [name for name, one in OPERATIONS.items() if one.body]
WITH_JSON = [name for name in WITH_BODY if "json" in OPERATIONS[name].media_types[0]]
BY_ID = [name for name, one in OPERATIONS.items() if one.has_parameter("id", "path")]
VERSIONED = [name for name, one in OPERATIONS.items() if one.has_parameter("If-Match", "header")]
CACHED = [name for name, one in OPERATIONS.items()
          if one.has_parameter("If-None-Match", "header") and one.method == "GET"]
REPEATABLE = [name for name, one in OPERATIONS.items()
              if one.has_parameter("Idempotency-Key", "header") and "422" in one.responses]


def places(name, **known):
    """Returns a value for every path parameter: ids of nothing, unless known."""
    values = {"code": "not_found", "name": "criteria", "table": "decisions", "page": "guide", **known}
    wanted = {one["name"] for one in OPERATIONS[name].parameters if one["in"] == "path"}
    return {key: values.get(key, str(uuid.uuid4())) for key in wanted}


def ask(client, name, known=None, **more):
    """Sends a request that is valid by the contract: the first example, with a precondition."""
    operation = OPERATIONS[name]
    arguments = {"body": operation.example_body() if operation.body else None}
    if operation.has_parameter("If-Match", "header"):
        arguments["if_match"] = '"1-x"'
    arguments.update(more)
    if arguments.get("data") is not None:
        arguments["body"] = None
    return client.send(name, **arguments, **places(name, **(known or {})))


@pytest.mark.parametrize("name", NEEDS_TOKEN)
def test_every_operation_needs_a_token(anonymous, name):
    reply = ask(anonymous, name)
    assert (reply.status, reply.code) == (401, "token_missing")


@pytest.mark.parametrize("name", SCOPED)
def test_every_operation_needs_its_scope(dashboard, agency, name):
    reply = ask(agency if OPERATIONS[name].scopes == ["statistics.read"] else dashboard, name)
    assert (reply.status, reply.code) == (403, "scope_missing")
    assert OPERATIONS[name].scopes[0] in reply["detail"]


@pytest.mark.parametrize("name", PRIVATE)
def test_every_operation_refuses_an_unknown_organisation(caller, name):
    reply = ask(caller("LA-S12999999", "stranger"), name)
    assert (reply.status, reply.code) == (403, "organisation_not_allowed")


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_unavailable_media_type_is_not_acceptable(committee, name):
    reply = ask(committee, name, headers={"Accept": "image/png"})
    assert (reply.status, reply.code) == (406, "not_acceptable")


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_unknown_parameter_is_refused(committee, name):
    reply = ask(committee, name, query="surprise=1")
    assert (reply.status, reply.code) == (400, "unknown_parameter")
    assert reply.parameters == {"surprise"}


@pytest.mark.parametrize("name", WITH_BODY)
def test_another_media_type_is_refused(committee, name):
    reply = ask(committee, name, media_type="image/png")
    assert (reply.status, reply.code) == (415, "media_type_unsupported")


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_body_over_the_limit_is_refused(committee, name):
    reply = ask(committee, name, data=b" " * (OPERATIONS[name].largest_body + 1))
    assert (reply.status, reply.code) == (413, "body_too_large")


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_missing_body_is_refused(committee, name):
    reply = ask(committee, name, data=b"")
    assert (reply.status, reply.code) == (400, "schema_violation")


@pytest.mark.parametrize("name", WITH_JSON)
def test_malformed_json_is_refused(committee, name):
    reply = ask(committee, name, data=b'{"a":')
    assert (reply.status, reply.code) == (400, "malformed_json")


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name not in WITH_BODY])
def test_a_body_for_an_operation_without_one_is_refused(committee, name):
    reply = ask(committee, name, data=b"{}")
    assert (reply.status, reply.code) == (400, "bad_request")


@pytest.mark.parametrize("name", BY_ID)
def test_a_missing_resource_is_not_found(committee, name):
    reply = ask(committee, name)
    assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize("name", BY_ID)
def test_an_invalid_identifier_is_refused(committee, name):
    reply = ask(committee, name, {"id": "17"})
    assert (reply.status, reply.code, reply.parameters) == (400, "invalid_parameter", {"id"})


@pytest.mark.parametrize("name", VERSIONED)
def test_a_missing_resource_is_not_found_even_without_a_version(committee, name):
    reply = ask(committee, name, if_match=None)
    assert reply.status == 404


def test_an_unknown_problem_code_is_not_found(anonymous):
    assert anonymous.send("getProblem", code="no_such_code").status == 404


@pytest.fixture(scope="module")
def transfer(other_committee):
    """A transfer that another committee proposed to the committee."""
    case = make_case(other_committee, local_authority="S12000036")
    return other_committee.send("proposeTransfer", new_transfer(to_committee="GLA"),
                                id=case["id"]).expect(201).json


@pytest.fixture(scope="module")
def facts(committee, cluster):
    """Creates the facts of an erased case."""
    return erase(committee, cluster, make_old_case(committee, cluster)).expect(201)["id"]


@pytest.fixture(scope="module")
def erasure(committee, cluster):
    return announce(committee, make_old_case(committee, cluster)).expect(201)["id"]


@pytest.fixture(scope="module")
def rule(committee):
    return make_rule(committee)["id"]


@pytest.fixture(scope="module")
def webhook(committee):
    return make_delivery(committee)


@pytest.fixture(scope="module")
def known(agency, committee, transfer, facts, webhook, erasure, rule):
    """Returns path parameters of an existing resource, by operation."""
    case_places = places_of_case(committee)
    action = make_action(committee, {"id": case_places["id"]})
    release = make_document_release(committee, case_places["id"])

    def find(name):
        path = OPERATIONS[name].path
        if path.startswith("/v1/referrals/{id}"):
            return {"id": make_referral(agency)["id"]}
        if path.startswith("/v1/actions/{id}"):
            return {"id": action["id"]}
        if path.startswith("/v1/anonymous-reviews/{id}"):
            return {"id": facts}
        if path.startswith("/v1/document-releases/{id}"):
            return {"id": release}
        if path.startswith("/v1/transfers/{id}"):
            return {"id": transfer["id"]}
        if path.startswith("/v1/erasures/{id}"):
            return {"id": erasure}
        if path.startswith("/v1/retention-rules/{id}"):
            return {"id": rule}
        if path.startswith("/v1/proceedings/{id}"):
            return {"id": case_places["proceeding_id"]}
        if path.startswith("/v1/information-requests/{id}"):
            return {"id": case_places["request_id"]}
        if path.startswith("/v1/notices/{id}"):
            return {"id": case_places["notice_id"]}
        if path.startswith("/v1/webhooks/{id}"):
            return webhook
        return case_places
    return find


@pytest.fixture
def writer(agency, committee, other_committee):
    """Returns the caller who may use an operation on the resources of `known`."""
    others = {"changeReferral": agency, "withdrawReferral": agency,
              "withdrawTransfer": other_committee}
    return lambda name: others.get(name, committee)


@pytest.mark.parametrize("name", VERSIONED)
def test_a_change_without_a_version_is_refused(writer, known, name):
    reply = ask(writer(name), name, known(name), if_match=None)
    assert (reply.status, reply.code) == (428, "precondition_required")


@pytest.mark.parametrize("name", VERSIONED)
def test_a_change_with_another_version_is_refused(writer, known, name):
    reply = ask(writer(name), name, known(name), if_match='"99-x"')
    assert (reply.status, reply.code) == (412, "version_stale")


@pytest.mark.parametrize("name", CACHED)
def test_an_unchanged_resource_is_not_sent_again(committee, known, name):
    place = known(name) if name in BY_ID else {}
    first = ask(committee, name, place)
    second = ask(committee, name, place, none_match=first.etag)
    assert (first.status, second.status) == (200, 304)


@pytest.mark.parametrize("name", REPEATABLE)
def test_a_key_of_another_request_is_refused(caller, agency, transfer, erasure, rule, name):
    client = caller("CPC-GLA", new_number("client")[:40])
    key = new_key()
    child = new_child()
    case = make_case(client)
    client.send("addChild", child, id=case["id"], key=key).expect(201)
    place = {"id": case["id"]}
    if "/referrals/" in OPERATIONS[name].path:
        place = {"id": make_referral(agency)["id"]}
    if "/actions/" in OPERATIONS[name].path:
        place = {"id": make_action(client)["id"]}
    if "/transfers/" in OPERATIONS[name].path:
        place = {"id": transfer["id"]}
    if "/erasures/" in OPERATIONS[name].path:
        place = {"id": erasure}
    if "/retention-rules/" in OPERATIONS[name].path:
        place = {"id": rule}
    if "/webhooks/" in OPERATIONS[name].path:
        place = make_delivery(client)
    reply = ask(client, name, place, key=key)
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")


@pytest.fixture(scope="module")
def narrow(module_instance):
    """An instance that allows every client one request per minute."""
    return module_instance(LR_RATE_LIMIT=1)


@pytest.mark.parametrize("name", PRIVATE)
def test_a_client_over_its_rate_must_wait(narrow, caller, recorder, name):
    client = caller("CPC-GLA", f"hasty-{name}", ALL_SCOPES, narrow)
    ask(client, name)
    reply = ask(client, name)
    assert (reply.status, reply.code) == (429, "rate_limited")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60
    assert Client(narrow.url, None, recorder).send("getIndex").status == 200
