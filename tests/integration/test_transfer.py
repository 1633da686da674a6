"""Transfers of cases and referrals: both committees agree, and the history moves too."""
import pytest

import contract_reader
from client import new_key
from path_params import places_of_case
from payloads import days_ago, days_ahead, new_access, new_finding, new_number, new_transfer, today
from scenarios import (advance, decide, make_accepted_referral, make_action, make_case, make_referral, move, tag_of,
                       walk)
from test_changes import follow, types_of
from test_merge import merge
from test_proceedings import give_access

ACCEPTANCE = {"decided_on": today(), "local_authority": "S12000036"}


def propose(committee, case, **overrides):
    return committee.send("proposeTransfer", new_transfer(**overrides), id=case["id"])


def answer(client, operation, transfer, **overrides):
    body = {**(ACCEPTANCE if operation == "acceptTransfer" else {"decided_on": today()}),
            **overrides}
    return client.send(operation, body, id=transfer["id"],
                       if_match=tag_of(client, "getTransfer", id=transfer["id"]))


def test_a_transferred_case_belongs_to_the_other_committee_with_its_history(committee, agency,
                                                                            other_committee):
    case_id = make_accepted_referral(agency, committee)["case_id"]
    advance(committee, {"id": case_id, "stage": "notification"}, "decision")
    decide(committee, case_id).expect(201)
    action = make_action(committee, {"id": case_id})
    stages = committee.send("listCaseStages", id=case_id)["items"]
    timeline = committee.send("listTimeline", id=case_id, query="limit=200")["items"]
    transfer = propose(committee, {"id": case_id}).expect(201)
    reply = answer(other_committee, "acceptTransfer", transfer)
    assert (reply.status, reply["status"], reply["case_id"]) == (201, "accepted", case_id)
    case = other_committee.send("getCase", id=case_id, query="expand=referrals").expect(200)
    assert (case["committee"], case["local_authority"]) == ("EDH", "S12000036")
    assert case["reference"].startswith("LR-") and "-GLA-" in case["reference"]
    assert [one["committee"] for one in case["referrals"]] == ["EDH"]
    kept = other_committee.send("listCaseStages", id=case_id)["items"]
    assert [{**one, "version": 0, "etag": ""} for one in kept] == [{**one, "version": 0, "etag": ""} for one in stages]
    assert other_committee.send("getDecision", id=case_id).status == 200
    assert other_committee.send("getAction", id=action["id"])["committee"] == "EDH"
    later = other_committee.send("listTimeline", id=case_id, query="limit=200")["items"]
    assert later[:len(timeline)] == timeline


def test_the_former_committee_sees_the_transfer_but_not_the_case(committee, other_committee):
    case = make_case(committee)
    transfer = propose(committee, case).expect(201)
    answer(other_committee, "acceptTransfer", transfer).expect(201)
    for operation in ("getCase", "listChildren", "listTimeline", "listTransitions"):
        assert committee.send(operation, id=case["id"]).status == 404
    seen = committee.send("getTransfer", id=transfer["id"])
    assert (seen["status"], seen["case_id"], seen["links"]["case"]) == ("accepted", None, None)


# The operations that read a case and its parts.
PARTS = [one.id for one in contract_reader.operations().values()
         if one.method == "GET" and one.path.startswith("/v1/cases/{id}") and one.path.count("{") == 1]


def statuses(client, case_id):
    return {client.send(operation, id=case_id).status for operation in PARTS}


def test_the_receiving_committee_reads_an_offered_case(committee, other_committee, caller):
    case = places_of_case(committee)
    assert statuses(other_committee, case["id"]) == {404}
    transfer = propose(committee, case).expect(201)
    seen = other_committee.send("getTransfer", id=transfer["id"])
    assert (seen["case_id"], seen["links"]["case"]) == (case["id"], f"/v1/cases/{case['id']}")
    assert statuses(other_committee, case["id"]) == {200}
    for operation, place in (("getProceeding", "proceeding_id"), ("getNotice", "notice_id"),
                             ("getInformationRequest", "request_id")):
        read = other_committee.send(operation, id=case[place]).expect(200)
        assert read["links"]["case"] == f"/v1/cases/{case['id']}"
    assert statuses(caller("COG-EDH"), case["id"]) == statuses(caller("CPC-FIF"), case["id"]) == {404}
    answer(committee, "withdrawTransfer", transfer).expect(201)
    assert statuses(other_committee, case["id"]) == {404}
    assert other_committee.send("getTransfer", id=transfer["id"])["case_id"] is None


def test_a_refused_case_is_invisible_again(committee, other_committee):
    case = make_case(committee)
    answer(other_committee, "refuseTransfer", propose(committee, case).expect(201)).expect(201)
    assert other_committee.send("getCase", id=case["id"]).status == 404


def test_the_receiving_committee_changes_nothing_before_it_accepts(committee, other_committee, cluster):
    case = make_case(committee, "review")
    action = make_action(committee, case)
    propose(committee, case).expect(201)
    before = cluster.execute("select count(*), max(id) from register.change where case_id = %s", (case["id"],))
    tag = tag_of(other_committee, "getCase", id=case["id"])
    refused = [
        other_committee.send("changeCase", {"summary": "Ours."}, id=case["id"], if_match=tag),
        other_committee.send("addFinding", new_finding(), id=case["id"]),
        other_committee.send("grantAccess", new_access(), id=case["id"]),
        other_committee.send("moveCase", {"to": "reporting", "occurred_on": today()}, id=case["id"], if_match=tag),
        other_committee.send("changeAction", {"title": "Another one"}, id=action["id"],
                             if_match=tag_of(other_committee, "getAction", id=action["id"])),
        other_committee.send("setLegalHold", {"in_force": True, "reason": "other"}, id=case["id"], if_match=tag)]
    assert {one.status for one in refused} == {404}
    assert cluster.execute("select count(*), max(id) from register.change where case_id = %s",
                           (case["id"],)) == before


def test_an_offered_case_is_in_no_list_and_not_in_the_feed(committee, other_committee):
    case = places_of_case(committee)
    reader = follow(other_committee)
    transfer = propose(committee, case).expect(201)
    other_committee.send("getCase", id=case["id"]).expect(200)
    events = reader.read()
    assert types_of(events, transfer["id"]) == ["transfer.created"]
    assert case["id"] not in {one["case_id"] for one in events}
    for operation in ("listCases", "listActions", "listProceedings", "listNotices", "listInformationRequests"):
        assert case["id"] not in repr(walk(other_committee, operation, "limit=200"))
    present = other_committee.send("listPresent", query="limit=500").expect(200)
    assert case["id"] not in repr(present.json)


def test_reading_an_offered_case_is_audited_for_its_present_committee(committee, other_committee, cluster):
    case = make_case(committee)
    propose(committee, case).expect(201)
    other_committee.send("getCase", id=case["id"]).expect(200)
    assert cluster.execute("select committees from register.audit_entry where cases @> array[%s::uuid] "
                           "and organisation = 'CPC-EDH' and operation = 'getCase'", (case["id"],)) == [(["GLA"],)]


def make_shared_access(committee, cluster, case, people):
    """A case to which a reviewer, a committee and the prosecution have access: accesses by role."""
    given = {"reviewer": committee.send("grantAccess", new_access(client_id=people), id=case["id"]).expect(201)["id"],
             "chair": committee.send("grantAccess", new_access(client_id=people + "-later", role="chair",
                                                               starts_on=days_ahead(3)), id=case["id"])["id"]}
    committee.send("grantAccess", new_access(organisation="CPC-FIF", client_id=None, role="joint_committee",
                                             ends_on=None), id=case["id"]).expect(201)
    give_access(cluster, {"committee": "GLA", "id": case["id"]}, "COPFS", "proceedings_liaison")
    return given


def accesses(client, case_id):
    return {one["role"]: one for one in client.send("listAccess", id=case_id).expect(200)["items"]}


def test_access_given_by_the_former_committee_ends_with_the_transfer(committee, other_committee, caller, cluster):
    case = places_of_case(committee)
    for one in committee.send("listAccess", id=case["id"])["items"]:
        committee.send("changeAccess", {"ended_on": today()}, id=case["id"], access_id=one["id"],
                       if_match='"1-x"').expect(200)
    people = new_number("reviewer")[:30]
    make_shared_access(committee, cluster, case, people)
    reviewer, joint, liaison = caller("INDEPENDENT", people), caller("CPC-FIF"), caller("COPFS")
    readers = [(reviewer, "getCase", case["id"]), (joint, "getCase", case["id"]),
               (liaison, "getProceeding", case["proceeding_id"])]
    feeds = [follow(client) for client, _, _ in readers]
    assert [client.send(operation, id=one).status for client, operation, one in readers] == [200, 200, 200]
    transfer = propose(committee, case).expect(201)
    assert [client.send(operation, id=one).status for client, operation, one in readers] == [200, 200, 200]
    answer(other_committee, "acceptTransfer", transfer).expect(201)
    assert [client.send(operation, id=one).status for client, operation, one in readers] == [404, 404, 404]
    assert [statuses(client, case["id"]) for client in (reviewer, joint)] == [{404}, {404}]
    for reader, subject, one in zip(feeds, ("case", "case", "proceeding"), (row[2] for row in readers)):
        heard = types_of(reader.read(), one)
        assert [kind for kind in heard if kind.startswith(subject)] == [f"{subject}.removed"]
    found = accesses(other_committee, case["id"])
    assert {role: one["ended_on"] for role, one in found.items()} == dict.fromkeys(
        ("reviewer", "chair", "joint_committee", "proceedings_liaison"), today())


def test_the_new_committee_keeps_the_access_that_it_names(committee, other_committee, caller, cluster):
    case, people = make_case(committee), new_number("reviewer")[:30]
    given = make_shared_access(committee, cluster, case, people)
    transfer = propose(committee, case).expect(201)
    assert set(given.values()) < {one["id"] for one in accesses(other_committee, case["id"]).values()}
    answer(other_committee, "acceptTransfer", transfer, keep_access=list(given.values())).expect(201)
    assert caller("INDEPENDENT", people).send("getCase", id=case["id"])["committee"] == "EDH"
    assert caller("CPC-FIF").send("getCase", id=case["id"]).status == 404
    ended = {role: one["ended_on"] for role, one in accesses(other_committee, case["id"]).items()}
    assert ended == {"reviewer": None, "chair": None, "joint_committee": today(), "proceedings_liaison": today()}


def test_former_access_of_the_receiving_committee_ends(committee, other_committee):
    case = make_case(committee)
    own = committee.send("grantAccess", new_access(organisation="CPC-EDH", client_id=None, role="joint_committee",
                                                   ends_on=None), id=case["id"]).expect(201)
    transfer = propose(committee, case).expect(201)
    reply = answer(other_committee, "acceptTransfer", transfer, keep_access=[own["id"]])
    assert (reply.status, reply.rules, reply.pointers) == (422, {"access_to_own_case"}, {"/keep_access/0"})
    reader = follow(other_committee)
    answer(other_committee, "acceptTransfer", transfer).expect(201)
    assert accesses(other_committee, case["id"])["joint_committee"]["ended_on"] == today()
    assert types_of(reader.read(), case["id"])[-1] == "case.present"
    assert other_committee.send("getCase", id=case["id"]).status == 200


def test_access_to_keep_must_be_one_of_the_case(committee, other_committee):
    case, another = make_case(committee), make_case(committee)
    elsewhere = committee.send("grantAccess", new_access(), id=another["id"]).expect(201)
    transfer = propose(committee, case).expect(201)
    reply = answer(other_committee, "acceptTransfer", transfer, keep_access=[elsewhere["id"]])
    assert (reply.status, reply.rules, reply.pointers) == (422, {"unknown_access"}, {"/keep_access/0"})
    assert committee.send("getCase", id=case["id"])["committee"] == "GLA"
    assert accesses(committee, another["id"])["reviewer"]["ended_on"] is None


def test_a_merged_case_and_its_access_move_with_its_target(committee, other_committee, caller):
    first, second, people = make_case(committee), make_case(committee), new_number("reviewer")[:30]
    committee.send("grantAccess", new_access(client_id=people), id=first["id"]).expect(201)
    merge(committee, first["id"], second["id"]).expect(201)
    reviewer = caller("INDEPENDENT", people)
    transfer = propose(committee, second).expect(201)
    assert [client.send("getCase", id=first["id"]).status for client in (reviewer, other_committee)] == [200, 200]
    answer(other_committee, "acceptTransfer", transfer).expect(201)
    assert other_committee.send("getCase", id=first["id"])["committee"] == "EDH"
    assert reviewer.send("getCase", id=first["id"]).status == 404


def test_an_offered_case_is_not_a_target_of_a_merger(committee):
    first, second = make_case(committee), make_case(committee)
    propose(committee, second).expect(201)
    reply = merge(committee, first["id"], second["id"])
    assert (reply.status, reply.rules, reply.pointers) == (409, {"transfer_proposed"}, {"/into_case_id"})


def test_information_requests_and_actions_keep_their_organisations(committee, other_committee, agency):
    """A request and an action are not access: they belong to the case and move with it."""
    case = places_of_case(committee)
    action = make_action(committee, case)
    answer(other_committee, "acceptTransfer", propose(committee, case).expect(201)).expect(201)
    assert agency.send("getInformationRequest", id=case["request_id"])["committee"] == "EDH"
    assert agency.send("getAction", id=action["id"])["committee"] == "EDH"


def test_a_transferred_case_continues_in_the_other_committee(committee, other_committee):
    case = make_case(committee)
    answer(other_committee, "acceptTransfer", propose(committee, case).expect(201)).expect(201)
    assert move(other_committee, case["id"], "information_gathering").status == 201


def test_a_refused_or_withdrawn_transfer_changes_nothing(committee, other_committee):
    for client, operation, status in ((other_committee, "refuseTransfer", "refused"),
                                      (committee, "withdrawTransfer", "withdrawn")):
        case = make_case(committee)
        transfer = propose(committee, case).expect(201)
        reply = answer(client, operation, transfer, answer="Not now.")
        assert (reply["status"], reply["answer"], reply["decided_on"]) == (status, "Not now.",
                                                                           today())
        assert committee.send("getCase", id=case["id"])["committee"] == "GLA"
        again = answer(client, operation, transfer)
        assert (again.status, again.rules) == (409, {"transfer_decided"})
        assert propose(committee, case).status == 201


def test_an_accepted_transfer_cannot_be_accepted_again(committee, other_committee):
    transfer = propose(committee, make_case(committee)).expect(201)
    answer(other_committee, "acceptTransfer", transfer).expect(201)
    reply = answer(other_committee, "acceptTransfer", transfer)
    assert (reply.status, reply.rules) == (409, {"transfer_decided"})


def test_only_the_committee_whose_turn_it_is_answers(committee, other_committee, caller):
    transfer = propose(committee, make_case(committee)).expect(201)
    assert answer(committee, "acceptTransfer", transfer).status == 404
    assert answer(committee, "refuseTransfer", transfer).status == 404
    assert answer(other_committee, "withdrawTransfer", transfer).status == 404
    stranger = caller("CPC-FIF")
    assert stranger.send("getTransfer", id=transfer["id"]).status == 404


@pytest.mark.parametrize("members, pointer, rule", [
    ({"to_committee": "GLA"}, "/to_committee", "transfer_to_itself"),
    ({"to_committee": "ZZZ"}, "/to_committee", "unknown_code"),
    ({"proposed_on": days_ahead(1)}, "/proposed_on", "date_in_future"),
    ({"proposed_on": days_ago(40)}, "/proposed_on", "date_order")])
def test_an_invalid_proposal_is_refused(committee, members, pointer, rule):
    reply = propose(committee, make_case(committee), **members)
    assert (reply.status, reply.rules, reply.pointers) == (422, {rule}, {pointer})


@pytest.mark.parametrize("members, pointer, rule", [
    ({"local_authority": "S12000049"}, "/local_authority", "outside_committee_area"),
    ({"local_authority": "S12999999"}, "/local_authority", "unknown_code"),
    ({"decided_on": days_ahead(1)}, "/decided_on", "date_in_future"),
    ({"decided_on": days_ago(1)}, "/decided_on", "date_order")])
def test_an_invalid_acceptance_is_refused(committee, other_committee, members, pointer, rule):
    case = make_case(committee)
    reply = answer(other_committee, "acceptTransfer", propose(committee, case).expect(201),
                   **members)
    assert (reply.status, reply.rules, reply.pointers) == (422, {rule}, {pointer})
    assert committee.send("getCase", id=case["id"])["committee"] == "GLA"


def test_a_refusal_before_its_proposal_is_refused(committee, other_committee):
    reply = answer(other_committee, "refuseTransfer",
                   propose(committee, make_case(committee)).expect(201), decided_on=days_ago(1))
    assert (reply.status, reply.rules) == (422, {"date_order"})


def test_a_withdrawal_in_the_future_is_refused(committee):
    reply = answer(committee, "withdrawTransfer",
                   propose(committee, make_case(committee)).expect(201), decided_on=days_ahead(1))
    assert (reply.status, reply.rules) == (422, {"date_in_future"})


def test_a_case_has_one_open_transfer_at_a_time(committee):
    case = make_case(committee)
    propose(committee, case).expect(201)
    reply = propose(committee, case, to_committee="FIF")
    assert (reply.status, reply.rules) == (409, {"transfer_proposed"})


def test_a_closed_case_is_not_transferred(committee):
    case = make_case(committee)
    move(committee, case["id"], "closed", "discontinued").expect(201)
    reply = propose(committee, case)
    assert (reply.status, reply.rules) == (409, {"case_closed"})


def test_transfers_are_filtered_by_direction(committee, other_committee):
    transfer = propose(committee, make_case(committee)).expect(201)
    for client, direction, other in ((committee, "out", "in"), (other_committee, "in", "out")):
        listed = client.send("listTransfers", query=f"direction={direction}&limit=200").ids
        assert transfer["id"] in listed
        assert transfer["id"] not in client.send("listTransfers", query=f"direction={other}").ids
    assert transfer["id"] in committee.send("listTransfers",
                                            query="status=proposed&limit=200").ids
    assert transfer["id"] not in committee.send("listTransfers",
                                                query="status=refused&limit=200").ids


def test_transfers_are_listed_page_by_page(committee):
    made = {propose(committee, make_case(committee)).expect(201)["id"] for _ in range(3)}
    listed = [one["id"] for one in walk(committee, "listTransfers", query="limit=1&status=proposed&direction=out")]
    assert made <= set(listed) and len(listed) == len(set(listed))


def give(committee, referral, key=None, **overrides):
    body = {"to_committee": "EDH", "local_authority": "S12000036", "transferred_on": today(),
            **overrides}
    return committee.send("transferReferral", body, id=referral["id"], key=key,
                          if_match=tag_of(committee, "getReferral", id=referral["id"]))


def test_a_referral_is_transferred_to_the_responsible_committee(agency, committee,
                                                                other_committee):
    referral = make_referral(agency)
    reply = give(committee, referral)
    assert (reply.status, reply["committee"], reply["transferred_from"]) == (201, "EDH", "GLA")
    assert committee.send("getReferral", id=referral["id"]).status == 404
    seen = agency.send("getReferral", id=referral["id"])
    assert (seen["committee"], seen["status"]) == ("EDH", "submitted")
    accepted = other_committee.send("acceptReferral", {"accepted_on": today(), "case_id": None},
                                    id=referral["id"],
                                    if_match=tag_of(other_committee, "getReferral",
                                                    id=referral["id"]))
    assert (accepted.status, accepted["status"]) == (201, "accepted")


def test_a_case_returns_to_the_committee_of_its_referral(agency, committee, other_committee):
    referral = make_referral(agency, committee="EDH", local_authority="S12000036")
    give(other_committee, referral, to_committee="GLA", local_authority="S12000049").expect(201)
    accepted = committee.send("acceptReferral", {"accepted_on": today(), "case_id": None},
                              id=referral["id"],
                              if_match=tag_of(committee, "getReferral", id=referral["id"]))
    transfer = propose(committee, {"id": accepted.expect(201)["case_id"]}).expect(201)
    assert answer(other_committee, "acceptTransfer", transfer).status == 201
    assert other_committee.send("getReferral", id=referral["id"])["committee"] == "EDH"


def test_transferring_a_referral_again_with_the_same_key_replays(agency, committee):
    referral, key = make_referral(agency), new_key()
    tag = tag_of(committee, "getReferral", id=referral["id"])
    body = {"to_committee": "EDH", "local_authority": "S12000036", "transferred_on": today()}
    replies = [committee.send("transferReferral", body, id=referral["id"], if_match=tag, key=key)
               for _ in range(2)]
    assert [one.status for one in replies] == [201, 201]
    assert replies[1].headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("members, pointer, rule", [
    ({"to_committee": "GLA"}, "/to_committee", "transfer_to_itself"),
    ({"local_authority": "S12000049"}, "/local_authority", "outside_committee_area"),
    ({"transferred_on": days_ahead(1)}, "/transferred_on", "date_in_future"),
    ({"transferred_on": days_ago(1)}, "/transferred_on", "date_order")])
def test_an_invalid_transfer_of_a_referral_is_refused(agency, committee, members, pointer, rule):
    referral = make_referral(agency)
    reply = give(committee, referral, **members)
    assert (reply.status, reply.rules, reply.pointers) == (422, {rule}, {pointer})
    assert committee.send("getReferral", id=referral["id"])["committee"] == "GLA"


def test_a_decided_referral_is_not_transferred(agency, committee):
    referral = make_accepted_referral(agency, committee)
    reply = give(committee, referral)
    assert (reply.status, reply.rules) == (409, {"referral_decided"})
