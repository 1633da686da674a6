"""Identifiers chosen by a system must not contain a CHI number or an e-mail address: bodies, keys, request ids."""
import copy
import re

import pytest

import contract_reader
from client import new_key
from payloads import new_child, new_number, new_referral, replaced
from test_free_text import CHI, WRONG_CHI
from test_sweep import ask

OPERATIONS = contract_reader.operations()
KEYED = [name for name, one in OPERATIONS.items() if one.has_parameter("Idempotency-Key", "header")]
# Patterns of codes that the register itself defines.
CODES = {"^[A-Z]{3}$", "^S12[0-9]{6}$", "^S08[0-9]{6}$", "^[0-9a-f]{64}$", "^[A-Z][A-Z0-9-]{1,31}$",
         "^RF-[0-9]{4}-[A-Z]{3}-[0-9A-Z]{4,12}$", "^LR-[0-9]{4}-[A-Z]{3}-[0-9]{4,8}$",
         "^[a-z_]+(\\.(created|changed|removed|present))?$"}


def strings(schema, found=()):
    """Returns every string of a request with its path: member names and, in lists, 0."""
    if "string" in schema.get("type", ""):
        yield found, schema
    for name, member in schema.get("properties", {}).items():
        yield from strings(member, (*found, name))
    if "items" in schema:
        yield from strings(schema["items"], (*found, 0))


def bodies():
    for operation in OPERATIONS.values():
        for media_type in [one for one in operation.media_types if "json" in one][:1]:
            yield operation.id, contract_reader.inline(operation.body["content"][media_type]["schema"])


def identifier_fields():
    for operation, schema in bodies():
        for place, one in strings(schema):
            if one.get("x-identifier") and operation not in ("pushReferrals", "validateReferral"):
                yield pytest.param(operation, place, id=f"{operation}-{'.'.join(map(str, place))}")


def identifying(operation, place):
    """Returns a value that matches the pattern of the member and contains a CHI number."""
    return f"https://example.org/{CHI}" if place[-1] == "url" else f"ref.{CHI}"


def body_with(operation, place):
    body = copy.deepcopy(OPERATIONS[operation].example_body())
    if place[0] == "children":
        body["children"] = [new_child()]
    return replaced(body, place, identifying(operation, place))


@pytest.mark.parametrize("operation, place", identifier_fields())
def test_every_identifier_is_checked(committee, operation, place):
    reply = ask(committee, operation, body=body_with(operation, place))
    assert (reply.status, reply.code) == (400, "schema_violation")
    assert reply.pointers == {"/" + "/".join(map(str, place))} and reply.rules == {"personal_identifier"}
    assert CHI not in reply.bytes.decode()


def test_every_string_of_a_request_is_scanned_or_a_code():
    """A new member with values of the client's choice must be free text, an identifier, or have a closed format."""
    for operation, schema in bodies():
        for place, one in strings(schema):
            closed = {"enum", "const"} & set(one) or one.get("format") in ("date", "date-time", "uuid") \
                or one.get("pattern", "").replace("\\Z", "$") in CODES
            assert closed or one.get("x-free-text") or one.get("x-identifier"), (operation, place, one)


@pytest.mark.parametrize("pattern", sorted(CODES))
def test_a_code_is_neither_a_chi_number_nor_an_address(pattern):
    assert not re.search(pattern, CHI) and not re.search(pattern, "a.person@example.org")


@pytest.mark.parametrize("member", ["source_reference", "source_system"])
def test_a_chi_number_as_the_reference_of_a_referral_is_refused(agency, cluster, member):
    reply = agency.send("pushReferral", new_referral(**{member: CHI}))
    assert (reply.status, reply.pointers) == (400, {f"/{member}"})
    assert cluster.execute(f"select count(*) from register.referral where {member} like %s", [f"%{CHI}%"]) == [(0,)]


@pytest.mark.parametrize("member", ["child_id", "family_id"])
@pytest.mark.parametrize("text", [CHI, f"{CHI[:6]}-{CHI[6:]}", f"child_{CHI}"])
def test_a_chi_number_as_the_reference_of_a_child_is_refused(agency, member, text):
    reply = agency.send("pushReferral", new_referral(children=[new_child(**{member: text})]))
    assert (reply.status, reply.pointers) == (400, {f"/children/0/{member}"})


@pytest.mark.parametrize("text", [WRONG_CHI, f"A{CHI}", f"{CHI}7", "2026/004711", "3102123456"])
def test_text_that_resembles_an_identifier_is_accepted(agency, text):
    reply = agency.send("pushReferral", new_referral(source_system=new_number("system"), source_reference=text))
    assert reply.status == 201


def test_only_the_faulty_item_of_a_batch_is_refused(agency):
    reply = agency.send("pushReferrals", [new_referral(source_reference=CHI), new_referral()])
    first, second = reply["items"]
    assert (reply.status, first["status"], second["status"]) == (207, 400, 201)
    assert first["problem"]["code"] == "schema_violation"
    assert [(one["pointer"], one["rule"]) for one in first["problem"]["errors"]] == [
        ("/source_reference", "personal_identifier")]


def test_the_dry_run_checks_identifiers_too(agency):
    reply = agency.send("validateReferral", new_referral(source_reference=CHI))
    assert [(one["pointer"], one["rule"]) for one in reply["errors"]] == [("/source_reference", "personal_identifier")]


@pytest.mark.parametrize("name", KEYED)
def test_an_idempotency_key_with_a_chi_number_is_refused(committee, cluster, name):
    reply = ask(committee, name, key=f'"{CHI}:1"')
    assert (reply.status, reply.code) == (400, "idempotency_key_invalid")
    assert (reply.parameters, reply.rules) == ({"Idempotency-Key"}, {"personal_identifier"})
    assert cluster.execute("select count(*) from register.idempotency_key where key like %s", [f"%{CHI}%"]) == [(0,)]


def test_an_idempotency_key_of_another_format_is_accepted(agency):
    assert agency.send("pushReferral", new_referral(), key=f"{WRONG_CHI}-{new_key()}").status == 201


@pytest.mark.parametrize("text", [CHI, f"job-{CHI}", f"{CHI[:6]}-{CHI[6:]}"])
def test_a_request_id_with_a_chi_number_is_replaced(committee, cluster, instance, text):
    reply = committee.send("listCases", headers={"X-Request-Id": text, "X-Correlation-Id": text})
    own = reply.headers["X-Request-Id"]
    assert reply.status == 200 and CHI not in own.replace("-", "") and re.fullmatch("[0-9a-f-]{36}", own)
    assert "X-Correlation-Id" not in reply.headers
    requests = cluster.execute("select request from register.audit_entry where request in (%s, %s)", [text, own])
    assert requests == [(own,)]
    assert own in instance.log_text() and text not in instance.log_text()


def test_any_other_request_id_is_kept(committee):
    reply = committee.send("listCases", headers={"X-Request-Id": WRONG_CHI, "X-Correlation-Id": WRONG_CHI})
    assert (reply.headers["X-Request-Id"], reply.headers["X-Correlation-Id"]) == (WRONG_CHI, WRONG_CHI)
