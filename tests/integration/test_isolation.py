"""No client reads or changes data of others: cases that the matrix of roles and operations does not cover.

The matrix is in tests/security/matrix.py.
"""
import json
import uuid

import pytest

import contract_reader
from client import ALL_SCOPES
from path_params import make_document_release, places_of_case
from payloads import new_referral, new_transfer, today
from scenarios import make_accepted_referral, make_action, make_delivery, make_referral
from test_retention import announce, erase, make_old_case, make_rule

OPERATIONS = contract_reader.operations()
WRITING = [name for name, one in OPERATIONS.items() if one.scopes and one.method != "GET"
           and name != "validateReferral"]


@pytest.fixture(scope="module")
def theirs(agency, committee, cluster):
    """Creates a case of one committee with every part; returns ids by kind."""
    referral = make_accepted_referral(agency, committee)
    case = committee.send("getCase", id=referral["case_id"]).expect(200).json
    case_places = places_of_case(committee, case)
    action = make_action(committee, case_places)
    transfer = committee.send("proposeTransfer", new_transfer(to_committee="FIF"),
                              id=referral["case_id"]).expect(201)
    webhook = make_delivery(committee)
    return {"webhooks": webhook["id"], "delivery_id": webhook["delivery_id"], "referrals": referral["id"], "waiting": make_referral(agency)["id"],
            "cases": referral["case_id"], "actions": action["id"], "transfers": transfer["id"],
            "anonymous-reviews": erase(committee, cluster, make_old_case(committee, cluster)).expect(201)["id"],
            "erasures": announce(committee, make_old_case(committee, cluster)).expect(201)["id"],
            "retention-rules": make_rule(committee)["id"],
            "document-releases": make_document_release(committee, case_places["id"]),
            "proceedings": case_places["proceeding_id"],
            "information-requests": case_places["request_id"],
            "notices": case_places["notice_id"], **case_places}


def place_of(name, theirs):
    """Returns the address of another organisation's resource, for an operation."""
    operation = OPERATIONS[name]
    kind = operation.path.split("/")[2]
    found = {"id": theirs["waiting" if kind == "referrals" and operation.method != "GET"
                          else kind]} if "{id}" in operation.path else {}
    others = {one["name"] for one in operation.parameters if one["in"] == "path"} - {"id"}
    return {**found, **{member: theirs[member] for member in others}}


def ask(client, name, place):
    operation = OPERATIONS[name]
    more = {"if_match": '"1-x"'} if operation.has_parameter("If-Match", "header") else {}
    return client.send(name, operation.example_body() if operation.body else None, **more, **place)


def content(reply):
    """Returns the answer without the members that differ between requests."""
    text = reply.bytes.decode().replace(reply.headers["X-Request-Id"], "")
    headers = {name: value for name, value in reply.headers.items()
               if name not in ("X-Request-Id", "Date", "RateLimit", "Content-Length")}
    return text, headers


@pytest.fixture(scope="module")
def without_checks(database_only, caller):
    """Callers of the build that leaves scope checks to the database."""
    return lambda organisation, scope: caller(organisation, "without-checks", scope, database_only)


@pytest.mark.parametrize("scope, statuses", [
    ("statistics.read", {403, 404, 207}),
    ("referrals.read cases.read actions.read", {403, 404, 207, 409, 412, 422})], ids=["without", "of a reader"])
def test_the_database_alone_writes_nothing_without_the_scope(without_checks, theirs, cluster, scope, statuses):
    """Tries each writing operation, with a token of the committee without its scope, or with the scopes of a reader."""
    client, taken = without_checks("CPC-GLA", scope), []
    before = fingerprint(cluster)
    for name in WRITING:
        reply = ask(client, name, place_of(name, theirs))
        after = fingerprint(cluster)
        if reply.status not in statuses or after != before:
            taken.append((name, reply))
        before = after
    assert taken == []


def fingerprint(cluster):
    """Returns counts and versions of all stored data of cases and referrals."""
    tables = cluster.execute("""
        select c.relname, bool_or(a.attname = 'version')
        from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relnamespace = 'register'::regnamespace and c.relkind = 'r' and c.relrowsecurity
            -- Without tables that change by themselves.
            and c.relname not in ('idempotency_key', 'webhook_delivery', 'audit_seal')
        group by c.relname order by c.relname""")
    assert len(tables) > 8
    parts = [f"(select array[count(*), {'sum(version)' if versioned else '0'}] from register.{name})"
             for name, versioned in tables]
    return cluster.execute("select " + ", ".join(parts))[0]


def test_a_push_always_has_the_organisation_of_its_token(health, agency):
    document = new_referral()
    mine = health.send("pushReferral", document)
    assert mine["source_organisation"] == "HB-S08000031"
    assert agency.send("getReferral", id=mine["id"]).status == 404


def test_a_natural_key_of_another_sender_reveals_nothing(agency, health):
    document = new_referral()
    agency.send("pushReferral", document)
    reply = health.send("pushReferral", {**document, "basis": "Another text."})
    assert reply.status == 201


def test_a_child_cannot_be_linked_across_committees(agency, cluster):
    document = new_referral()
    there = {**document, "committee": "EDH", "local_authority": "S12000036",
             "source_reference": document["source_reference"] + "-2"}
    replies = [agency.send("pushReferral", one) for one in (document, there)]
    assert len({one["children"][0]["child_ref"] for one in replies}) == 2


def test_an_action_with_a_new_owner_is_invisible_to_the_former_one(committee, agency, health):
    action = make_action(committee)
    tag = committee.send("getAction", id=action["id"]).etag
    committee.send("changeAction", {"owner_organisation": "HB-S08000031",
                                    "owner_accepted_on": today()}, id=action["id"],
                   if_match=tag).expect(200)
    assert agency.send("getAction", id=action["id"]).status == 404
    assert health.send("getAction", id=action["id"]).status == 200


def test_a_not_found_answer_does_not_repeat_the_address(other_committee):
    unknown = str(uuid.uuid4())
    problem = other_committee.send("getCase", id=unknown).json
    assert unknown not in json.dumps({**problem, "instance": ""})
