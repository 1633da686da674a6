"""Pushing many referrals in one request: each by itself, or all or none."""
import concurrent.futures
import json

import pytest

from client import AGENCY_SCOPES, new_key
from payloads import dead_child, new_child, new_number, new_referral
from scenarios import make_referral, walk

NDJSON = "application/x-ndjson"


def lines(documents):
    return "\n".join(json.dumps(one) for one in documents).encode()


def statuses(reply):
    return [item["status"] for item in reply["items"]]


@pytest.fixture(scope="module")
def bulk_sender(caller):
    """An agency that only this file uses."""
    return caller("LA-S12000047", "bulk", AGENCY_SCOPES)


def new_bulk(count):
    system = new_number("bulk")
    return system, [new_referral(source_system=system, source_reference=f"n/{number}")
                    for number in range(count)]


def test_a_batch_of_1000_referrals_creates_each_once_despite_repetitions(bulk_sender):
    system, documents = new_bulk(1000)
    first = bulk_sender.send("pushReferrals", documents, key=new_key())
    again = bulk_sender.send("pushReferrals", documents[:500])
    found = walk(bulk_sender, "listReferrals", f"source_system={system}&limit=200")
    assert (first["created"], first["existing"], first["refused"]) == (1000, 0, 0)
    assert (again["created"], again["existing"], again["refused"]) == (0, 500, 0)
    assert len(found) == len({one["source_reference"] for one in found}) == 1000


def test_1000_single_pushes_create_each_referral_once_despite_repetitions(bulk_sender):
    system, documents = new_bulk(1000)
    keys = [new_key() for _ in documents]

    def push(number):
        return bulk_sender.send("pushReferral", documents[number], key=keys[number]).status
    with concurrent.futures.ThreadPoolExecutor(max_workers=32) as pool:
        first = list(pool.map(push, range(1000)))
        again = list(pool.map(push, range(0, 1000, 2)))
    found = walk(bulk_sender, "listReferrals", f"source_system={system}&limit=200")
    assert (set(first), set(again)) == ({201}, {201})
    assert len(found) == len({one["source_reference"] for one in found}) == 1000


def test_each_item_reports_its_result(agency):
    known = new_referral()
    existing = agency.send("pushReferral", known).expect(201)
    broken_rule = new_referral(notified_on="2999-01-01")
    broken_contract = {**new_referral(), "committee": "glasgow"}
    conflict = {**known, "basis": "Another text."}
    reply = agency.send("pushReferrals", [new_referral(), known, broken_rule, broken_contract,
                                          conflict])
    assert reply.status == 207
    assert statuses(reply) == [201, 200, 422, 400, 409]
    assert (reply["created"], reply["existing"], reply["refused"]) == (1, 1, 3)
    assert reply["items"][1]["id"] == existing["id"]


def test_items_are_numbered_in_the_order_sent(agency):
    reply = agency.send("pushReferrals", [new_referral() for _ in range(5)])
    assert [item["index"] for item in reply["items"]] == [0, 1, 2, 3, 4]


def test_a_refused_item_has_its_own_problem(agency):
    reply = agency.send("pushReferrals", [new_referral(notified_on="2999-01-01")])
    item = reply["items"][0]
    assert item["id"] is None
    assert (item["problem"]["status"], item["problem"]["code"]) == (422, "rule_violation")
    assert [one["pointer"] for one in item["problem"]["errors"]] == ["/notified_on"]


def test_only_the_item_with_personal_data_is_refused(agency):
    reply = agency.send("pushReferrals", [new_referral(basis="Write to a.parent@example.org."),
                                          new_referral()])
    assert statuses(reply) == [422, 201]
    assert reply["items"][0]["problem"]["code"] == "personal_identifier_found"


def test_a_batch_with_anything_but_objects_is_refused_as_a_whole(agency):
    reply = agency.send("pushReferrals", [new_referral(), "text", None, 7])
    assert (reply.status, reply.code) == (400, "schema_violation")
    assert reply.pointers == {"/1", "/2", "/3"}


def test_an_existing_item_counts_as_replayed(agency):
    document = new_referral()
    agency.send("pushReferral", document)
    reply = agency.send("pushReferrals", [document, new_referral()])
    assert [item["replayed"] for item in reply["items"]] == [True, False]


def test_the_same_referral_twice_in_one_batch_is_created_once(agency):
    document = new_referral()
    reply = agency.send("pushReferrals", [document, document])
    assert sorted(statuses(reply)) == [200, 201]
    assert reply["items"][0]["id"] == reply["items"][1]["id"]


def test_two_contents_with_one_natural_key_in_a_batch_conflict(agency):
    document = new_referral()
    reply = agency.send("pushReferrals", [document, {**document, "basis": "Another text."}])
    assert sorted(statuses(reply)) == [201, 409]


def test_a_batch_may_be_newline_delimited_json(agency):
    reply = agency.send("pushReferrals", data=lines(new_referral() for _ in range(3)),
                        media_type=NDJSON)
    assert reply.status == 207
    assert statuses(reply) == [201, 201, 201]


def test_only_the_bad_line_is_refused(agency):
    reply = agency.send("pushReferrals", data=lines([new_referral(), {"committee": "GLA"}]),
                        media_type=NDJSON)
    assert statuses(reply) == [201, 400]


def test_empty_lines_are_skipped(agency):
    data = b"\n" + lines([new_referral()]) + b"\r\n\n" + lines([new_referral()]) + b"\n"
    reply = agency.send("pushReferrals", data=data, media_type=NDJSON)
    assert statuses(reply) == [201, 201]


def test_an_atomic_batch_without_faults_is_stored_as_a_whole(agency):
    known = new_referral()
    agency.send("pushReferral", known)
    reply = agency.send("pushReferrals", [known, new_referral()], query="atomic=true")
    assert reply.status == 201
    assert statuses(reply) == [200, 201]


def test_an_atomic_batch_with_a_rule_violation_stores_nothing(agency):
    good = new_referral()
    bad = new_referral(notified_on="2999-01-01", children=[new_child(age_years=20)])
    reply = agency.send("pushReferrals", [good, bad], query="atomic=true")
    assert (reply.status, reply.code) == (422, "rule_violation")
    assert reply.pointers == {"/1/notified_on", "/1/children/0/age_years"}
    assert agency.send("pushReferral", good).status == 201


def test_an_atomic_batch_with_a_contract_violation_stores_nothing(agency):
    good = new_referral()
    reply = agency.send("pushReferrals", [good, new_referral(committee="glasgow")],
                        query="atomic=true")
    assert (reply.status, reply.code) == (400, "schema_violation")
    assert reply.pointers == {"/1/committee"}
    assert agency.send("pushReferral", good).status == 201


def test_an_atomic_batch_with_a_conflict_stores_nothing(agency):
    known, good = new_referral(), new_referral()
    agency.send("pushReferral", known)
    reply = agency.send("pushReferrals", [good, {**known, "basis": "Another text."}],
                        query="atomic=true")
    assert (reply.status, reply.code) == (409, "natural_key_conflict")
    assert agency.send("pushReferral", good).status == 201


@pytest.mark.parametrize("mode, status", [("false", 207), ("true", 201)])
def test_a_batch_again_with_the_same_key_gets_the_same_bytes(agency, mode, status):
    documents, key = [new_referral() for _ in range(3)], new_key()
    first, second = [agency.send("pushReferrals", documents, key=key, query=f"atomic={mode}")
                     for _ in range(2)]
    assert (first.status, second.status) == (status, status)
    assert second.bytes == first.bytes
    assert second.headers["Idempotency-Replayed"] == "true"


def test_a_key_of_another_batch_is_refused(agency):
    key = new_key()
    agency.send("pushReferrals", [new_referral()], key=key)
    reply = agency.send("pushReferrals", [new_referral()], key=key)
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")


def test_a_key_of_a_single_push_is_refused_for_a_batch(agency):
    key, document = new_key(), new_referral()
    agency.send("pushReferral", document, key=key)
    reply = agency.send("pushReferrals", [document], key=key)
    assert (reply.status, reply.code) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("documents", [[], [{}] * 1001], ids=["none", "1001"])
@pytest.mark.parametrize("media_type", ["application/json", NDJSON])
def test_a_batch_has_1_to_1000_items(agency, documents, media_type):
    data = json.dumps(documents).encode() if media_type != NDJSON else lines(documents) or b"\n"
    reply = agency.send("pushReferrals", data=data, media_type=media_type)
    assert (reply.status, reply.code) == (400, "schema_violation")


def test_a_batch_of_more_than_four_megabytes_is_too_large(agency):
    reply = agency.send("pushReferrals", data=b" " * (4194304 + 1))
    assert (reply.status, reply.code) == (413, "body_too_large")


def test_a_child_who_died_in_a_batch_supports_criteria_of_death(agency):
    good = new_referral(criteria_claimed=["suicide"], children=[dead_child()])
    bad = new_referral(criteria_claimed=["suicide"])
    assert statuses(agency.send("pushReferrals", [good, bad])) == [201, 422]


def test_concurrent_batches_with_the_same_items_create_each_once(agency):
    documents = [new_referral() for _ in range(40)]
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        replies = list(pool.map(
            lambda turn: agency.send("pushReferrals", documents[::-1] if turn % 2 else documents),
            range(8)))
    assert {reply.status for reply in replies} == {207}
    assert sum(reply["created"] for reply in replies) == 40
    assert sum(reply["existing"] for reply in replies) == 7 * 40


def test_a_withdrawn_referral_keeps_its_natural_key(agency):
    document = new_referral()
    referral = make_referral(agency, **document)
    agency.send("withdrawReferral", {"reason": "made_in_error"}, id=referral["id"]).expect(201)
    assert statuses(agency.send("pushReferrals", [document])) == [200]
