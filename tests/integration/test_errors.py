"""Invalid requests: each gets a problem that names the fault and its place, and the service continues."""
import functools
import json
import re
import uuid

import pytest

import contract_reader
from client import ALL_SCOPES, Client
from payloads import days_ago, days_ahead, new_case, new_child, new_finding, new_referral
from scenarios import make_case, tag_of

PROBLEM = contract_reader.validator({"$ref": "#/components/schemas/Problem"})


def push(agency, data, **more):
    return agency.send("pushReferral", data=data if isinstance(data, bytes) else data.encode(),
                       **more)


def push_document(agency, **overrides):
    return agency.send("pushReferral", new_referral(**overrides))


def assert_problem(reply, status, code):
    assert (reply.status, reply.code) == (status, code)
    assert reply.headers["Content-Type"].split(";")[0] == "application/problem+json"
    assert contract_reader.faults(PROBLEM, reply.json) == []
    assert reply["request_id"] == reply.headers["X-Request-Id"]


def test_the_type_of_a_problem_links_to_its_explanation(agency, anonymous):
    problem = push(agency, "{")
    assert problem["type"] == f"{agency.url}/v1/problems/malformed_json"
    page = anonymous.request("GET", "/v1/problems/malformed_json", headers={"Accept": "text/html"})
    assert problem["title"] in page.bytes.decode()


@pytest.mark.parametrize("text", [
    "{", "", " ", "{]", '{"a":1,}', "{'a':1}", '{"a":01}', '{"a":NaN}', '{"a":1} x', '"\\x"',
    '{"a":"\t"}', '{"a":"\\ud800"}', '{"a":"\\u0000"}', '\ufeff{}', '{"a":1e400}',
    '{"a":1' + "0" * 400 + "}", '{"a":tru}', "[" * 33 + "]" * 33,
    '{"a":' * 40 + "1" + "}" * 40])
def test_a_body_that_is_not_json_is_malformed(agency, text):
    reply = push(agency, text)
    assert_problem(reply, 400, "malformed_json" if text else "schema_violation")


@pytest.mark.parametrize("number, rule", [("123456789012345678901234567890", "maximum"),
                                          ("-123456789012345678901234567890", "minimum")])
def test_an_integer_of_any_size_is_json_and_checked_by_its_schema(agency, number, rule):
    text = json.dumps(new_referral(children=[new_child(age_years=7777)]))
    reply = push(agency, text.replace("7777", number))
    assert_problem(reply, 400, "schema_violation")
    assert (reply.pointers, reply.rules) == ({"/children/0/age_years"}, {rule})
    reply = agency.send("validateReferral", data=f'{{"unknown": {number}, "children": [{{"age_years": 7}}]}}')
    assert reply.expect(200)["valid"] is False
    assert "/children/0/age_years" not in {one["pointer"] for one in reply["errors"]}


def test_a_long_parameter_name_is_shortened_in_the_problem(agency):
    for query in ("x" * 2000 + "=%zz", "x" * 2000, "x" * 2000 + "=1&" + "x" * 2000 + "=2"):
        reply = agency.send("listReferrals", query=query)
        assert_problem(reply, 400, reply.code)
        assert reply.parameters == {"x" * 64}


@pytest.mark.parametrize("data", [b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}',
                                  b'{"a":"\xf5\x80\x80\x80"}', b'{"a":"\x00"}', b'\x00', b'{"a":"'])
def test_bytes_that_are_not_utf_8_are_malformed(agency, data):
    assert_problem(push(agency, data), 400, "malformed_json")


def test_a_duplicate_member_is_refused(agency):
    text = json.dumps(new_referral())[:-1] + ', "committee": "EDH"}'
    assert_problem(push(agency, text), 400, "duplicate_member")


def test_a_duplicate_member_of_a_child_is_refused(agency):
    text = json.dumps(new_referral()).replace('"sex": "female"', '"sex":"female","sex":"male"')
    assert_problem(push(agency, text), 400, "duplicate_member")


@pytest.mark.parametrize("overrides, pointer, rule", [
    ({"committee": 7}, "/committee", "type"), ({"committee": None}, "/committee", "type"),
    ({"basis": ["text"]}, "/basis", "type"), ({"children": {}}, "/children", "type"),
    ({"children": []}, "/children", "min_items"), ({"discussed_with_partners": "yes"},
                                                   "/discussed_with_partners", "type"),
    ({"children": [new_child(age_years=7.5)]}, "/children/0/age_years", "type"),
    ({"children": [new_child(age_years=26)]}, "/children/0/age_years", "maximum"),
    ({"children": [new_child(age_years=-1)]}, "/children/0/age_years", "minimum"),
    ({"children": [new_child()] * 13}, "/children", "max_items"),
    ({"children": [new_child(name="any")]}, "/children/0/name", "unknown_member"),
    ({"surprise": 1}, "/surprise", "unknown_member"), ({"basis": ""}, "/basis", "min_length"),
    ({"basis": "x" * 4001}, "/basis", "max_length"),
    ({"source_system": "s" * 65}, "/source_system", None),
    ({"source_reference": "a b"}, "/source_reference", "pattern"),
    ({"committee": "GLA\n"}, "/committee", None), ({"notified_on": "2026-02-30"}, "/notified_on",
                                                   "format"),
    ({"notified_on": "2025-02-29"}, "/notified_on", "format"),
    ({"notified_on": "2026-2-3"}, "/notified_on", "format"),
    ({"notified_on": "2026-02-03T00:00:00Z"}, "/notified_on", "format"),
    ({"notified_on": ""}, "/notified_on", "format"),
    ({"incident_kind": "SINGLE_EVENT"}, "/incident_kind", "enum"),
    ({"criteria_claimed": ["neglect"]}, "/criteria_claimed/0", "enum"),
    ({"criteria_claimed": ["abuse_or_neglect"] * 2}, "/criteria_claimed/1", "unique_items"),
    ({"incident_on": False}, "/incident_on", "type")])
def test_a_violation_of_the_contract_is_named(agency, overrides, pointer, rule):
    reply = push_document(agency, **overrides)
    assert_problem(reply, 400, "schema_violation")
    assert pointer in reply.pointers
    assert rule is None or reply.rules == {rule}


@pytest.mark.parametrize("member", ["source_system", "committee", "children", "basis"])
def test_a_missing_member_is_named(agency, member):
    document = new_referral()
    del document[member]
    reply = agency.send("pushReferral", document)
    assert (reply.status, reply.pointers, reply.rules) == (400, {f"/{member}"}, {"required"})


def test_all_faults_are_reported_at_once(agency):
    reply = push_document(agency, committee="x", basis=1, surprise=True, children=[{}])
    assert {"/committee", "/basis", "/surprise"} < reply.pointers
    assert len([one for one in reply["errors"] if (one["pointer"] or "").startswith(
        "/children/0")]) == 4


def test_at_most_100_violations_of_the_contract_are_reported(agency):
    reply = push_document(agency, **{f"surprise_{number}": 1 for number in range(300)})
    assert_problem(reply, 400, "schema_violation")
    assert len(reply["errors"]) == 100


def test_at_most_100_violations_of_rules_are_reported(committee):
    case = make_case(committee, "decision")
    actions = [{"title": "Hold workshops", "owner_organisation": "NOBODY", "due_on": days_ago(900)}
               for _ in range(60)]
    reply = committee.send("createActions", {"actions": actions}, id=case["id"])
    assert_problem(reply, 422, "rule_violation")
    assert len(reply["errors"]) == 100
    assert reply["errors"][0]["pointer"] == "/actions/0/owner_organisation"


@pytest.mark.parametrize("length", [4000, 3999])
def test_lengths_count_characters_not_bytes(agency, length):
    assert push_document(agency, basis="\U0001F9F8" * length).status == 201


@pytest.mark.parametrize("value", ["9434765919", "some.body@example.org", "SW1A 1AA"])
@pytest.mark.parametrize("member", ["committee", "source_reference", "basis", "notified_on",
                                    "immediate_concerns"])
def test_a_problem_never_repeats_a_sent_value(agency, member, value):
    reply = push_document(agency, **{member: [value]})
    assert reply.status == 400
    assert value not in reply.bytes.decode()


def test_an_unknown_member_is_named_without_its_value(agency):
    reply = push_document(agency, surprise="9434765919")
    assert "9434765919" not in reply.bytes.decode()


def test_the_log_never_repeats_a_sent_value(agency, instance):
    push_document(agency, basis="The child Xavierella lived there.", surprise=1)
    agency.send("listReferrals", query="source_reference=Xavierella")
    assert "Xavierella" not in instance.log_text()


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "application/jsonx",
                                        "application/json; charset=latin-1", "json", "",
                                        "application/merge-patch+json", "multipart/form-data"])
def test_a_body_of_another_media_type_is_refused(agency, media_type):
    reply = agency.send("pushReferral", data=json.dumps(new_referral()).encode(),
                        headers={"Content-Type": media_type})
    assert_problem(reply, 415, "media_type_unsupported")


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON",
                                        "application/json;charset=utf-8",
                                        "application/json; charset=UTF-8"])
def test_the_media_type_of_the_contract_is_accepted(agency, media_type):
    assert agency.send("pushReferral", new_referral(), media_type=media_type).status == 201


@pytest.mark.parametrize("query, code, parameter", [
    ("surprise=1", "unknown_parameter", "surprise"), ("Limit=1", "unknown_parameter", "Limit"),
    ("limit=1&limit=2", "repeated_parameter", "limit"),
    ("limit=1&limit=1", "repeated_parameter", "limit"),
    ("status=lost", "invalid_parameter", "status"), ("committee=gla", "invalid_parameter",
                                                     "committee"),
    ("received_from=2026-02-30", "invalid_parameter", "received_from"),
    ("received_from=", "invalid_parameter", "received_from"),
    ("sort=status", "invalid_parameter", "sort"), ("cursor=%00", "invalid_parameter", "cursor"),
    ("cursor=%21", "invalid_parameter", "cursor"), ("cursor=AAAA", "invalid_cursor", "cursor"),
    ("source_reference=%FF", "invalid_parameter", "source_reference")])
def test_a_query_must_follow_the_contract(agency, query, code, parameter):
    reply = agency.send("listReferrals", query=query)
    assert_problem(reply, 400, code)
    assert reply.parameters == {parameter}


@pytest.mark.parametrize("query", ["limit=%", "limit=%4", "limit=%zz", "%=1", "&&=&", "=", "a"])
def test_a_malformed_query_is_refused(agency, query):
    assert agency.send("listReferrals", query=query).status == 400


@pytest.mark.parametrize("identifier", ["1", "x", "%20", "%00", "%2e%2e", "null",
                                        "018f2d3e-0000-7000-8000-00000000000g", "a" * 300])
def test_an_identifier_must_be_valid(agency, identifier):
    reply = agency.send("getReferral", id=identifier)
    assert reply.status in (400, 404)
    assert contract_reader.faults(PROBLEM, reply.json) == []


@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 129, '"', "a;b"])
def test_an_idempotency_key_must_be_valid(agency, key):
    reply = agency.send("pushReferral", new_referral(), key=key)
    assert_problem(reply, 400, "idempotency_key_invalid")
    assert reply.parameters == {"Idempotency-Key"}


@pytest.mark.parametrize("path", ["/v1", "/v2/referrals", "/v1/referrals/", "//v1/referrals", "/x",
                                  "/v1/cases/a/b/c/d", "/v1/REFERRALS", "/favicon.ico"])
def test_an_unknown_address_is_not_found(agency, path):
    assert_problem(agency.request("GET", path), 404, "not_found")


@pytest.mark.parametrize("path, meant", [
    ("/v1/referrals/", "/v1/referrals"), ("//v1/referrals", "/v1/referrals"), ("/v1/REFERRALS", "/v1/referrals"),
    ("/referrals", "/v1/referrals"), ("/V1/cases//", "/v1/cases"),
    ("/cases/018f2d3e-0000-7000-8000-000000000000/stages/", "/v1/cases/{id}/stages"), ("/v2/referrals", None),
    ("/swagger.json", None)])
def test_an_unknown_address_differs_from_an_unknown_resource(agency, path, meant):
    reply = agency.request("GET", path)
    assert_problem(reply, 404, "not_found")
    assert reply["detail"].startswith("The contract has no such address")
    assert reply["detail"].endswith(f"did you mean {meant}?" if meant else "/docs/operations lists all.")
    assert "The contract" not in agency.send("getReferral", id="018f2d3e-0000-7000-8000-000000000000")["detail"]


@pytest.mark.parametrize("member, meant", [
    ("sourceSystem", "source_system"), ("source-system", "source_system"), ("source_sytem", "source_system"),
    ("SOURCE_REFERENCE", "source_reference"), ("entirely_different", None), ("x" * 64, None)])
def test_the_nearest_member_is_suggested(agency, member, meant):
    error, = agency.send("pushReferral", new_referral(**{member: "1"}))["errors"]
    assert error["message"] == "is not a member of the contract" + (f"; did you mean {meant}?" if meant else "")


@pytest.mark.parametrize("query, message", [
    ("Limit=1", "is not a parameter of this operation; did you mean limit?"),
    ("statuss=closed", "is not a parameter of this operation; did you mean status?"),
    ("surprise=1", "is not a parameter of this operation")])
def test_the_nearest_parameter_is_suggested(agency, query, message):
    assert [one["message"] for one in agency.send("listReferrals", query=query)["errors"]] == [message]


def test_codes_that_are_listed_elsewhere_name_the_list(agency, committee):
    reply = agency.send("pushReferral", new_referral(committee="Glasgow", local_authority="Glasgow City"))
    assert {one["pointer"]: one["message"].partition(", ")[2] for one in reply["errors"] if one["rule"] == "pattern"} == {
        "/committee": "as the codes of GET /v1/reference/committees",
        "/local_authority": "as the codes of GET /v1/reference/local-authorities"}
    unknown = agency.send("pushReferral", new_referral(committee="XXX", passed_to_organisation="LA-X",
                                                       immediate_concerns="passed_on"))
    assert {one["pointer"]: one["message"] for one in unknown["errors"]} == {
        "/committee": "is not a committee; GET /v1/reference/committees lists them",
        "/passed_to_organisation": "is not an organisation; GET /v1/reference/organisations lists them"}
    factor, = committee.send("addFinding", new_finding(factors=["nothing"]), id=str(uuid.uuid4()))["errors"]
    assert factor["message"].endswith("(27 values in all: GET /v1/reference/code-lists/factors)")


def test_the_nearest_code_is_suggested(agency):
    reply = agency.send("pushReferral", new_referral(children=[new_child(sex="femal")]))
    assert [one["message"].rpartition("; ")[2] for one in reply["errors"]] == ["did you mean female?"]


@pytest.mark.parametrize("given, detail", [
    ({"path": "/v1/referrals/018f2d3e-0000-7000-8000-000000000000"},
     "Nothing at /v1/referrals/{id} has these identifiers, or the caller cannot see it."),
    ({"path": "/v1/referrals", "method": "PUT"}, "This address allows GET, HEAD, POST, OPTIONS."),
    ({"path": "/v1/referrals", "headers": {"Accept": "image/png"}},
     "Accept excludes application/json and text/csv, all that listReferrals produces.")])
def test_the_detail_names_the_operation(agency, given, detail):
    path, method = given["path"], given.get("method", "GET")
    assert agency.request(method, path, headers=given.get("headers"))["detail"] == detail


def test_the_detail_names_the_organisation_and_the_condition(caller, committee):
    reply = caller("LA-S12000049", "wide", ALL_SCOPES).send("openCase", new_case())
    assert (reply.code, reply["detail"]) == (
        "organisation_not_allowed", "The register does not allow openCase to the organisation LA-S12000049.")
    case = make_case(committee)
    change = functools.partial(committee.send, "changeCase", {"summary": "New."}, id=case["id"])
    assert change()["detail"] == "PATCH of /v1/cases/{id} needs the ETag of the resource in If-Match."
    assert change(if_match='"0"')["detail"] == "If-Match does not name the current version of /v1/cases/{id}."


def test_the_instance_is_a_uuid_whatever_the_client_calls_its_request(agency):
    """RFC 9562, section 4: the namespace uuid is registered, unlike one of the register's own."""
    seen = []
    for own in ("01a1d5f0-7c3e-7a41-b0d2-6e9f1c2a3b4d", "job-1", "job-2", "job-1"):
        reply = agency.request("GET", "/v1/nothing", headers={"X-Request-Id": own})
        assert reply["request_id"] == own
        seen.append(reply["instance"].removeprefix("urn:uuid:"))
        assert str(uuid.UUID(seen[-1])) == seen[-1] and uuid.UUID(seen[-1]).variant == uuid.RFC_4122
    assert seen[0] == "01a1d5f0-7c3e-7a41-b0d2-6e9f1c2a3b4d" and seen[1] == seen[3] != seen[2]


def test_the_detail_describes_the_occurrence(agency):
    one = agency.send("pushReferral", new_referral(notified_on="2026-02-30"))
    assert one["detail"] == "/notified_on must be a date that exists, as YYYY-MM-DD."
    two = agency.send("listReferrals", query="limit=0&surprise=1")
    assert two["detail"] == "limit must be at least 1. 1 more error."
    later = agency.send("pushReferral", new_referral(notified_on="2999-01-01"))
    assert later["detail"].startswith("/notified_on must not be")


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", "/v1/referrals", {"GET", "POST"}), ("PUT", "/v1/cases", {"GET", "POST"}),
    ("POST", "/v1/me", {"GET"}), ("GET", "/v1/referrals/batch", {"POST"}),
    ("PATCH", "/v1/actions", {"GET"}), ("BREW", "/v1/me", {"GET"})])
def test_an_unknown_method_gets_the_allowed_ones(agency, method, path, allowed):
    reply = agency.request(method, path)
    assert_problem(reply, 405, "method_not_allowed")
    assert allowed <= set(re.split(", *", reply.headers["Allow"])) <= allowed | {"HEAD", "OPTIONS"}


def test_options_returns_the_methods(anonymous):
    reply = anonymous.request("OPTIONS", "/v1/referrals")
    assert reply.status == 204 and "POST" in reply.headers["Allow"]


@pytest.mark.parametrize("accept", ["image/png", "text/html", "application/json;q=0", "x"])
def test_an_unavailable_media_type_is_not_acceptable(agency, accept):
    assert_problem(agency.send("getPrincipal", headers={"Accept": accept}), 406, "not_acceptable")


@pytest.mark.parametrize("accept", ["application/json", "application/*", "*/*", "text/html, */*;q=0.1",
                                    "application/json;q=0.1, text/html"])
def test_an_available_media_type_is_acceptable(agency, accept):
    assert agency.send("getPrincipal", headers={"Accept": accept}).status == 200


@pytest.mark.parametrize("text", ['{"summary":"x"', '{"summary":"x","summary":"y"}', "[]",
                                  '{"nothing":1}', '{"legal_hold":"true"}'])
def test_a_change_is_checked_like_a_new_document(committee, text):
    case = make_case(committee)
    reply = committee.send("changeCase", data=text.encode(), id=case["id"],
                           if_match=tag_of(committee, "getCase", id=case["id"]))
    assert reply.status == 400


def test_the_token_is_checked_before_the_body_is_read(anonymous):
    assert_problem(anonymous.send("pushReferral", data=b"{", query="surprise=1"), 401, "token_missing")


def test_a_contract_violation_is_reported_before_a_rule_violation(agency):
    reply = push_document(agency, notified_on=days_ahead(3), surprise=1)
    assert_problem(reply, 400, "schema_violation")


def test_a_missing_resource_is_reported_before_the_version(committee):
    unknown = "01890000-0000-7000-8000-000000000000"
    reply = committee.send("changeCase", {"summary": "x"}, id=unknown, if_match='"1-x"')
    assert_problem(reply, 404, "not_found")


def test_a_stale_version_is_reported_before_the_state(committee):
    case = make_case(committee)
    reply = committee.send("moveCase", {"to": "review", "occurred_on": "2026-01-01"},
                           id=case["id"], if_match='"9-x"')
    assert_problem(reply, 412, "version_stale")


def test_all_rule_violations_of_a_case_are_reported(committee):
    reply = committee.send("openCase", new_case(opened_on=days_ahead(3),
                                                local_authority="S12000036"))
    assert_problem(reply, 422, "rule_violation")
    assert reply.pointers == {"/opened_on", "/local_authority"}


def test_a_problem_without_a_token_explains_authentication(instance, recorder):
    reply = Client(instance.url, None, recorder).send("getPrincipal")
    assert_problem(reply, 401, "token_missing")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
