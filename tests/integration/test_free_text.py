"""Free text must not identify a person: the service refuses anything that looks like a person's details, in every
field."""

import pytest

import contract_reader
from path_params import places_of_case
from payloads import new_referral, replaced
from scenarios import (decide, make_action, make_case, make_completed_action, make_hold,
                       make_proceeding, make_referral, make_request, tag_of)
from test_sweep import ask

OPERATIONS = contract_reader.operations()


def chi(first_nine):
    """Returns a CHI number: nine digits and their check digit, modulo 11."""
    check = 11 - sum(int(digit) * (10 - place) for place, digit in enumerate(first_nine)) % 11
    assert check != 10, "these nine digits have no check digit"
    return first_nine + str(check % 11)


CHI = chi("311203123")
WRONG_CHI = CHI[:-1] + str((int(CHI[-1]) + 1) % 10)

IDENTIFYING = {
    "chi": f"The number is {CHI}.", "chi in groups": f"CHI {CHI[:6]} {CHI[6:]} was used.",
    "chi alone": CHI, "chi with hyphen": f"({CHI[:6]}-{CHI[6:]})",
    "e-mail": "Ask a.person@example.org for it.", "e-mail upper": "A.PERSON@EXAMPLE.CO.UK",
    "mobile": "Ring 07700 900123 first.", "landline": "Ring 0141 496 0000.",
    "international": "Ring +44 7700 900123.", "with 0044": "Ring 00441414960000.",
    "brackets": "Ring (0141) 496 0000.", "postcode": "They live at G2 1DU now.",
    "long postcode": "EH99 1SP", "postcode in one": "moved from PA18 6SR and IV271AA",
    "lower postcode": "near g2 1du", "born": "He was born 3/4/2015.",
    "dob": "DOB 03/04/2015", "dob dotted": "D.O.B. 3.4.15", "in words": "date of birth: 3 April 2015",
}
HARMLESS = {
    "wrong check digit": f"Case number {WRONG_CHI} of the old system.", "year": "Between 2015 and 2019.",
    "dates": "The meeting of 3/4/2025 was moved to 2025-05-06.", "amounts": "It cost 1,250,000 pounds.",
    "at sign": "Meet @ the office.", "reference": "LR-2026-GLA-0042 and RF-2026-GLA-5E8B7A1C20.",
    "paragraphs": "Part 5, section 37(2)(a) of the Act.", "code": "S12000049 covers it.",
    "room": "Room B2 on floor 4.", "form": "Form A1 and form C3 were lost.", "short": "Ext. 0141.",
    "word born": "The baby was born early.", "eleven": "12345678901", "ages": "Aged 5, 7 and 11.",
}


@pytest.mark.parametrize("kind", IDENTIFYING)
def test_text_that_identifies_a_person_is_refused(agency, kind):
    reply = agency.send("pushReferral", new_referral(basis=IDENTIFYING[kind]))
    assert (reply.status, reply.code) == (422, "personal_identifier_found")
    assert (reply.pointers, reply.rules) == ({"/basis"}, {"personal_identifier"})


@pytest.mark.parametrize("kind", IDENTIFYING)
def test_the_refusal_does_not_repeat_it(agency, kind):
    reply = agency.send("pushReferral", new_referral(basis=IDENTIFYING[kind]))
    assert IDENTIFYING[kind] not in reply.bytes.decode()


@pytest.mark.parametrize("kind", HARMLESS)
def test_text_that_resembles_an_identifier_is_accepted(agency, kind):
    reply = agency.send("pushReferral", new_referral(basis=HARMLESS[kind]))
    assert reply.status == 201


def places(schema, found=()):
    """Returns the free-text members of a request: paths of member names and, in lists, 0."""
    if schema.get("x-free-text"):
        yield found
    for name, member in schema.get("properties", {}).items():
        yield from places(member, (*found, name))
    if "items" in schema:
        yield from places(schema["items"], (*found, 0))


def free_text_fields():
    """Returns every operation with every free-text member of its request."""
    for operation in OPERATIONS.values():
        for media_type in operation.media_types[:1]:
            schema = contract_reader.inline(operation.body["content"][media_type]["schema"])
            for place in places(schema):
                yield pytest.param(operation.id, place, id=f"{operation.id}-{'.'.join(map(str, place))}")


@pytest.mark.parametrize("operation, place", free_text_fields())
def test_every_free_text_member_is_checked(committee, operation, place):
    body = replaced(OPERATIONS[operation].example_body(), place, f"See {CHI} for more.")
    reply = ask(committee, operation, body=body)
    assert (reply.status, reply.code) == (422, "personal_identifier_found")
    assert reply.pointers == {"/" + "/".join(map(str, place))}


def long_texts(schema):
    """Returns the members of a request that take long text without a pattern."""
    if "string" in schema.get("type", "") and schema.get("maxLength", 0) >= 200:
        yield schema
    for member in schema.get("properties", {}).values():
        yield from long_texts(member)
    if "items" in schema:
        yield from long_texts(schema["items"])


def test_every_long_text_is_free_text():
    for operation in OPERATIONS.values():
        for media_type in operation.media_types:
            if "json" not in media_type:
                continue  # a document: its bytes are no member
            schema = contract_reader.inline(operation.body["content"][media_type]["schema"])
            for one in long_texts(schema):
                formal = {"format", "pattern", "enum"} & set(one)
                assert one.get("x-free-text") or formal, (operation.id, one)


def test_identifiers_in_two_members_are_both_reported(committee):
    case = make_case(committee, "decision")
    reply = committee.send("createAction", {
        **OPERATIONS["createAction"].example_body(), "title": f"Ask {CHI}",
        "success_measure": "Write to a.person@example.org"}, id=case["id"])
    assert reply.pointers == {"/title", "/success_measure"}


def test_the_dry_run_checks_free_text_too(agency):
    reply = agency.send("validateReferral", new_referral(basis=f"See {CHI}."))
    assert [one["rule"] for one in reply["errors"]] == ["personal_identifier"]


def test_nothing_of_a_refused_text_is_stored_or_logged(agency, cluster, instance):
    agency.send("pushReferral", new_referral(basis=f"See {CHI} for Zephyrine."))
    stored = cluster.execute("select count(*) from register.referral where basis like '%%Zephyrine%%'")
    assert stored == [(0,)]
    assert "Zephyrine" not in instance.log_text() and CHI not in instance.log_text()
